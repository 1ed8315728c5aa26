/**
 * Rollups of numeric series in the database; server/docs/series.md has the whole of it.
 *
 * `rollup_streams` has a row for each stream that was summed up: everything up to its `rolled_seq` is in nodes, and
 * nothing above it. A checkpoint moves it, and writes the nodes, in one transaction.
 */

/** A node's place: which records of which group it sums up. */
export interface NodePlace {
  /** Index of the table of the records' type. */
  table: number;
  /** Number of the game in the stream's summary. */
  game: number;
  level: number;
  /** From 0. */
  node: number;
}

export interface NodeRow extends NodePlace {
  body: Uint8Array;
}

export interface Checkpoint {
  key: bigint;
  namespace: string;
  sessionId: string;
  /** What was rolled up before; 0 where there is no row. */
  fromSeq: number;
  toSeq: number;
  summary: string;
  /** Added, or put in the place of a node that was not full. */
  nodes: readonly NodeRow[];
}

/** `lost`: the stream is not where the checkpoint begins, or there is no such stream any more. */
export type CheckpointOutcome = "written" | "lost";

export interface RollupStore {
  /** One transaction; outcomes stand in the order of the checkpoints, one for each stream at most. @throws StoreError */
  write(checkpoints: readonly Checkpoint[]): Promise<CheckpointOutcome[]>;
}

/** Tables of rollups, in the order in which they are emptied: nodes without their stream's row are found by nobody. */
export const ROLLUP_TABLES: readonly string[] = ["rollup_streams", "rollup_nodes"];

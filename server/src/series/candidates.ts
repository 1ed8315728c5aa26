/** What a question looks into, and what of that it may. */
import {
  SERIES_LAST_NODES_MAX,
  SERIES_NODES_READ_MAX,
  SERIES_RANGES_READ_MAX,
  SERIES_ROWS_READ_MAX,
} from "../limits.js";
import type { Piece } from "./buckets.js";
import type { Node } from "./node.js";

/** What is left of what one question may read and hold. */
export class ReadBudget {
  nodes = SERIES_NODES_READ_MAX;
  rows = SERIES_ROWS_READ_MAX;
  ranges = SERIES_RANGES_READ_MAX;
  lastNodes = SERIES_LAST_NODES_MAX;
}

/** A group as it stands in the store. */
export interface GroupAt {
  readonly key: bigint;
  /** Number of the game in the stream. */
  readonly game: number;
  readonly records: number;
  /**
   * Its last node of level 1 where that is not full: it may have more records than `records`, and those count. Without entries
   * where these are in the answer already, or lie outside of it.
   */
  readonly lastNode: Node | undefined;
  /** Which part of the stream's numbers are records of the type, where some of them are other groups'; else 0. */
  readonly typeShare: number;
  isOfGroup(gameId: string): boolean;
}

export interface Found {
  readonly piece: Piece;
  /** Every record with a value has an x, or none has. */
  readonly isCertain: boolean;
}

/** An entry that has to be looked into. */
export interface Candidate extends Found {
  readonly group: GroupAt;
  readonly entry: number;
  /** It reaches beyond the range: without looking into it the answer would be wrong there, and not only coarse. */
  readonly isEdge: boolean;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly records: number;
}

/** What a recorder needs of a spill: an append log for each stream, and the logs that dead processes left. */

import type { EncodedBatch } from "../encode/encoded-batch.js";
import type { StreamIdentity } from "./stream-link.js";

/** One stream's log, in order of its numbers. */
export interface RecorderLog {
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Everything up to here survives a crash of the machine. */
  readonly syncedSeq: number;
  /** Bytes that wait to be written, still in memory. */
  readonly unwrittenBytes: number;
  /** The same, and what is written but not yet synced: all that the log keeps in memory. */
  readonly heldBytes: number;
  /** Whether everything appended was read or skipped. */
  readonly atEnd: boolean;
  /** Damaged ranges found so far; `next` yields a gap in the place of each. */
  readonly missing: readonly { readonly firstSeq: number; readonly lastSeq: number }[];
  /** Takes the batch that follows `lastSeq`. Synchronous. */
  append(batch: EncodedBatch): "taken" | "full" | "failed";
  /** Writes now, on the caller's thread, what waits to be written. */
  writeSync(): void;
  next(): Promise<EncodedBatch | undefined>;
  skipTo(seq: number): void;
  /** Everything up to `seq` is durable on the server. */
  acked(seq: number): void;
  /** Deletes the files. */
  remove(): Promise<void>;
  /** Keeps the files and takes nothing more. */
  seal(): Promise<void>;
}

export interface RecorderSpill {
  /** On disk or on their way there. */
  readonly bytes: number;
  /** Undefined where nothing can be spilled. */
  log(identity: StreamIdentity): RecorderLog | undefined;
  adopt(): Promise<readonly OrphanedLog[]>;
  writeAllSync(): void;
  close(): Promise<void>;
}

/** What a dead process had spilled of one stream. */
export interface OrphanedLog {
  readonly log: RecorderLog;
  readonly identity: StreamIdentity;
  readonly firstSeq: number;
  readonly lastSeq: number;
}

/** Numbers above `afterSeq` in a log that cannot be read. */
export function missingCount({ missing }: RecorderLog, afterSeq = 0): number {
  return missing.reduce(
    (sum, { firstSeq, lastSeq }) => sum + Math.max(0, lastSeq - Math.max(firstSeq - 1, afterSeq)),
    0,
  );
}

/** A batch as the server holds it between stream and ack. */
import type { GapCause, RecordType, RejectionReason } from "@tailkeep/proto";
import type { Value } from "./tables.js";

/** The records of one type in a batch, as parallel arrays: cheap to make, to hand to a thread and to insert. */
export interface Rows {
  /** Sequence number of each row, rising. */
  seqs: number[];
  /** Event time of each row in microseconds. */
  timesUs: number[];
  /** Which columns were not finite (`score=NaN`), or null. */
  nonfinite: (string | null)[];
  /** Values of the table's own columns, row after row. */
  values: Value[];
  /** Where each row's `Record` message stands in the batch's bytes. */
  starts: number[];
  ends: number[];
}

/** A declared hole; the numbers firstSeq to lastSeq carry no record. */
export interface GapEntry {
  firstSeq: number;
  lastSeq: number;
  type: RecordType;
  cause: GapCause;
}

/** A record that may not be stored, and why. */
export interface RejectedEntry {
  seq: number;
  type: RecordType;
  reason: RejectionReason;
  /** Path of the field: `score_history.score_type`. */
  field: string;
  message: string;
  /** The `Record` message as it was sent; null where it is not kept. */
  body: Uint8Array | null;
}

export interface Batch {
  firstSeq: number;
  /** Number of the last entry; a batch without entries has firstSeq - 1. */
  lastSeq: number;
  /** Rows by table index; undefined where the batch has none of the type. */
  rows: (Rows | undefined)[];
  gaps: GapEntry[];
  rejected: RejectedEntry[];
  rowCount: number;
  /** The message it came in; rows point into it. */
  bytes: Buffer;
}

export function emptyRows(): Rows {
  return { seqs: [], timesUs: [], nonfinite: [], values: [], starts: [], ends: [] };
}

/**
 * What of a batch is new and stored: without the numbers up to `alreadyUpTo`, which an earlier call may have committed
 * with other times and values, and without the rows that the store refused. Nearly always the batch itself.
 */
export function storedPart(batch: Batch, alreadyUpTo: number, refused: ReadonlySet<number>): Batch | undefined {
  if (batch.lastSeq <= alreadyUpTo) return undefined;
  if (batch.firstSeq > alreadyUpTo && refused.size === 0) return batch;
  const part: Batch = {
    ...batch,
    firstSeq: Math.max(batch.firstSeq, alreadyUpTo + 1),
    rows: batch.rows.map((rows) => {
      if (rows === undefined) return undefined;
      const own = rows.values.length / rows.seqs.length;
      const kept = emptyRows();
      for (let at = 0; at < rows.seqs.length; at++) {
        const seq = rows.seqs[at] as number;
        if (seq <= alreadyUpTo || refused.has(seq)) continue;
        kept.seqs.push(seq);
        kept.timesUs.push(rows.timesUs[at] as number);
        kept.nonfinite.push(rows.nonfinite[at] as string | null);
        kept.values.push(...rows.values.slice(at * own, (at + 1) * own));
        kept.starts.push(rows.starts[at] as number);
        kept.ends.push(rows.ends[at] as number);
      }
      return kept;
    }),
    gaps: batch.gaps
      .filter((gap) => gap.lastSeq > alreadyUpTo)
      .map((gap) => (gap.firstSeq > alreadyUpTo ? gap : { ...gap, firstSeq: alreadyUpTo + 1 })),
    rejected: batch.rejected.filter(({ seq }) => seq > alreadyUpTo),
  };
  part.rowCount = part.rows.reduce((sum, rows) => sum + (rows?.seqs.length ?? 0), 0);
  return part;
}

/** Index of the first number in rising `seqs` that is above `seq`. */
export function firstAbove(seqs: readonly number[], seq: number): number {
  let low = 0;
  let high = seqs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((seqs[middle] as number) <= seq) low = middle + 1;
    else high = middle;
  }
  return low;
}

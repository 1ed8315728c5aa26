/**
 * What a run may add to its stream, decided from the stream's locked row. Pure, and the same for every store:
 * the watermark alone gives exactly-once.
 */
import { firstAbove, type RejectedEntry } from "../record/batch.js";
import { TABLE_COUNT, tableAt } from "../record/tables.js";
import { StoreError } from "./errors.js";
import type { StreamCounts } from "./model.js";
import type { Run, RunData } from "./store.js";

/** A stream's row, read under lock. */
export interface StreamRow {
  writerId: string;
  epoch: number;
  committedSeq: number;
  /** Stored records by table index. */
  storedByTable: number[];
  rejected: number;
  gapped: number;
}

export type Admission<R extends RunData = Run> =
  | { kind: "admitted"; run: R; alreadyUpTo: number }
  | { kind: "fenced"; writerId?: string }
  | { kind: "superseded" }
  | { kind: "hole"; expectedSeq: number };

export function countsOf(row: StreamRow): StreamCounts {
  return {
    stored: row.storedByTable.reduce((sum, count) => sum + count, 0),
    rejected: row.rejected,
    gapped: row.gapped,
  };
}

/** Compares a run with its stream's row; a run that is partly committed is cut down to what is new. */
export function admit<R extends RunData>(run: R, row: StreamRow | undefined): Admission<R> {
  if (row === undefined) return { kind: "fenced" };
  if (row.writerId !== run.writerId) return { kind: "fenced", writerId: row.writerId };
  // Its own writer has a newer call, on another server perhaps: this one ends, the writer goes on.
  if (row.epoch !== run.epoch) return { kind: "superseded" };
  if (run.firstSeq > row.committedSeq + 1) return { kind: "hole", expectedSeq: row.committedSeq + 1 };
  const alreadyUpTo = Math.min(row.committedSeq, run.lastSeq);
  return { kind: "admitted", run: alreadyUpTo < run.firstSeq ? run : after(run, alreadyUpTo), alreadyUpTo };
}

/** The part of a run above `seq`. */
export function after<R extends RunData>(run: R, seq: number): R {
  const rows = run.rows.map((each, index) => {
    if (each === undefined) return undefined;
    const from = firstAbove(each.seqs, seq);
    if (from === each.seqs.length) return undefined;
    return {
      seqs: each.seqs.slice(from),
      timesUs: each.timesUs.slice(from),
      nonfinite: each.nonfinite.slice(from),
      values: each.values.slice(from * tableAt(index).columns.length),
    };
  });
  const gaps = run.gaps
    .filter((gap) => gap.lastSeq > seq)
    .map((gap) => (gap.firstSeq > seq ? gap : { ...gap, firstSeq: seq + 1 }));
  return { ...run, firstSeq: seq + 1, rows, gaps, rejected: run.rejected.filter((each) => each.seq > seq) };
}

/** The stream's row once `run`, without the rows in `refused`, is in the tables. Asserts that the counts add up. */
export function advance(row: StreamRow, run: RunData, refused: readonly RejectedEntry[]): StreamRow {
  if (run.lastSeq < run.firstSeq) return row;
  const storedByTable = [...row.storedByTable];
  for (let index = 0; index < TABLE_COUNT; index++) {
    storedByTable[index] = (storedByTable[index] ?? 0) + (run.rows[index]?.seqs.length ?? 0);
  }
  for (const each of refused) {
    const index = each.type - 2;
    storedByTable[index] = (storedByTable[index] as number) - 1;
  }
  const gapped = run.gaps.reduce((sum, gap) => sum + gap.lastSeq - gap.firstSeq + 1, row.gapped);
  const next: StreamRow = {
    writerId: row.writerId,
    epoch: row.epoch,
    committedSeq: run.lastSeq,
    storedByTable,
    rejected: row.rejected + run.rejected.length + refused.length,
    gapped,
  };
  const counts = countsOf(next);
  const sum = counts.stored + counts.rejected + counts.gapped;
  if (sum !== next.committedSeq) {
    const message = `stream counts do not add up: ${sum} of ${next.committedSeq} numbers accounted for`;
    throw new StoreError("broken", message, "COUNTS");
  }
  return next;
}

/** The batches of one open stream that wait for their commit, in order. */
import { DEAD_LETTER_BODY_BYTES_MAX } from "../limits.js";
import type { Batch, Rows } from "../record/batch.js";
import { emptyRows, firstAbove } from "../record/batch.js";
import { TABLE_COUNT } from "../record/tables.js";
import type { Run, RunOutcome } from "../store/store.js";

/** What its owner hears. */
export interface QueueListener {
  /** `batches` are durable, or in the dead letters; called in order of sequence. */
  committed(batches: readonly Batch[], outcome: Extract<RunOutcome, { kind: "committed" }>): void;
  /** The stream cannot go on; its waiting batches are dropped unacked. */
  failed(outcome: Exclude<RunOutcome, { kind: "committed" }>): void;
}

export interface QueueIdentity {
  readonly key: bigint;
  readonly namespace: string;
  readonly sessionId: string;
  readonly streamId: string;
  readonly writerId: string;
  readonly epoch: number;
}

export class StreamQueue {
  readonly batches: Batch[] = [];
  /** No further batches are taken and none of the waiting ones is committed. */
  closed = false;
  /** How often in a row it was set aside: somebody else holds its row, or the store refuses what it brings. */
  setbacks = 0;

  constructor(
    readonly identity: QueueIdentity,
    readonly listener: QueueListener,
  ) {}

  /** Takes batches from the front until a limit is reached; at least one. */
  take(entriesMax: number, bytesMax: number): Batch[] {
    let entries = 0;
    let bytes = 0;
    let count = 0;
    for (const batch of this.batches) {
      entries += entriesOf(batch);
      bytes += batch.bytes.length;
      if (count > 0 && (entries > entriesMax || bytes > bytesMax)) break;
      count++;
    }
    return this.batches.splice(0, count);
  }
}

/** What a batch brings into a transaction: each row, gap and dead letter is a row of some table. */
export function entriesOf({ rowCount, gaps, rejected }: Batch): number {
  return rowCount + gaps.length + rejected.length;
}

/** Contiguous batches as one run. */
export function runOf(identity: QueueIdentity, batches: readonly Batch[]): Run {
  const [first] = batches;
  const last = batches.at(-1);
  if (first === undefined || last === undefined) throw new Error("a run needs a batch");
  return {
    key: identity.key,
    namespace: identity.namespace,
    sessionId: identity.sessionId,
    writerId: identity.writerId,
    epoch: identity.epoch,
    firstSeq: first.firstSeq,
    lastSeq: last.lastSeq,
    rows: batches.length === 1 ? first.rows.map(storedPart) : joinedRows(batches),
    gaps: batches.flatMap((batch) => batch.gaps),
    rejected: batches.flatMap((batch) => batch.rejected),
    bodyOf: (seq) => bodyOf(batches, seq),
  };
}

/** Without the positions in the message, which the store has no use for. */
function storedPart(rows: Rows | undefined): Run["rows"][number] {
  if (rows === undefined) return undefined;
  return { seqs: rows.seqs, timesUs: rows.timesUs, nonfinite: rows.nonfinite, values: rows.values };
}

function append<Item>(to: Item[], from: readonly Item[]): void {
  for (const item of from) to.push(item);
}

function joinedRows(batches: readonly Batch[]): Run["rows"] {
  return Array.from({ length: TABLE_COUNT }, (_, index) => {
    const parts = batches.flatMap((batch) => batch.rows[index] ?? []);
    if (parts.length <= 1) return storedPart(parts[0]);
    const joined = emptyRows();
    for (const part of parts) {
      append(joined.seqs, part.seqs);
      append(joined.timesUs, part.timesUs);
      append(joined.nonfinite, part.nonfinite);
      append(joined.values, part.values);
    }
    return storedPart(joined);
  });
}

function bodyOf(batches: readonly Batch[], seq: number): Uint8Array | null {
  const batch = batches.find((each) => each.firstSeq <= seq && seq <= each.lastSeq);
  for (const rows of batch?.rows ?? []) {
    const at = rows === undefined ? -1 : firstAbove(rows.seqs, seq - 1);
    if (batch !== undefined && rows !== undefined && rows.seqs[at] === seq) {
      const body = batch.bytes.subarray(rows.starts[at], rows.ends[at]);
      return body.length <= DEAD_LETTER_BODY_BYTES_MAX ? Uint8Array.from(body) : null;
    }
  }
  return null;
}

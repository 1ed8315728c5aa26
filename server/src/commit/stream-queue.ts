/** The batches of one open stream that wait for their commit, in order. */
import { DEAD_LETTER_BODY_BYTES_MAX } from "../limits.js";
import type { Batch, Rows } from "../record/batch.js";
import { firstAbove } from "../record/batch.js";
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
    gaps: joined(batches, (batch) => batch.gaps),
    rejected: joined(batches, (batch) => batch.rejected),
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

/** In one pass: a run of a thousand batches of one record each is what small trainers send. */
function joinedRows(batches: readonly Batch[]): Run["rows"] {
  const joined = new Array<Run["rows"][number]>(TABLE_COUNT).fill(undefined);
  for (const batch of batches) {
    for (let index = 0; index < TABLE_COUNT; index++) {
      const part = batch.rows[index];
      if (part === undefined) continue;
      const rows = joined[index] ?? { seqs: [], timesUs: [], nonfinite: [], values: [] };
      joined[index] = rows;
      append(rows.seqs, part.seqs);
      append(rows.timesUs, part.timesUs);
      append(rows.nonfinite, part.nonfinite);
      append(rows.values, part.values);
    }
  }
  return joined;
}

function joined<Item>(batches: readonly Batch[], list: (batch: Batch) => readonly Item[]): Item[] {
  const items: Item[] = [];
  for (const batch of batches) append(items, list(batch));
  return items;
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

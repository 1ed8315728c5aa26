/** Batches as the server holds them, made from messages by the server's own decoder, as every batch is. */
import { type Entry, type Gap, RecordBatch, type Record as WireRecord } from "@tailkeep/proto";
import type { Batch } from "@tailkeep/server/dist/record/batch.js";
import { decodeBatch } from "@tailkeep/server/dist/record/decode.js";

export function recordEntry(record: WireRecord): Entry {
  return { kind: { $case: "record", value: record } };
}

export function gapEntry(count: number, fields: Partial<Gap> = {}): Entry {
  return { kind: { $case: "gap", value: { count: BigInt(count), type: 0, cause: 0, ...fields } } };
}

/** A score, the smallest of all records. */
export function score(value: number | undefined, eventTimeUs?: number, gameId = "ls20"): WireRecord {
  return {
    eventTimeUs: eventTimeUs === undefined ? undefined : BigInt(eventTimeUs),
    kind: { $case: "scoreHistory", value: { gameId, score: value, scoreType: undefined } },
  };
}

export function encodedBatch(firstSeq: number, entries: Entry[]): Buffer {
  return Buffer.from(RecordBatch.encode({ firstSeq: BigInt(firstSeq), entries }).finish());
}

export function batchOf(firstSeq: number, entries: Entry[], receivedUs = 0): Batch {
  const bytes = encodedBatch(firstSeq, entries);
  return decodeBatch(bytes, 0, bytes.length, receivedUs);
}

/** A batch of scores: `scores(5, 3)` has the numbers 5, 6, 7. */
export function scores(firstSeq: number, count: number, eventTimeUs = (seq: number) => seq): Batch {
  const entries = Array.from({ length: count }, (_, index) =>
    recordEntry(score(firstSeq + index, eventTimeUs(firstSeq + index))),
  );
  return batchOf(firstSeq, entries);
}

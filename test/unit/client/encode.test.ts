import type { TrainingRecord } from "@tailkeep/client";
import { IngestRequest, RecordBatch } from "@tailkeep/proto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EncodedBatch } from "../../../client/src/encode/encoded-batch.js";
import { jsonText } from "../../../client/src/encode/json-text.js";
import { OpenBatch } from "../../../client/src/encode/open-batch.js";
import { UnencodableError } from "../../../client/src/errors/errors.js";
import { BATCH_BYTES_MAX, ENTRY_BYTES_MAX } from "../../../client/src/limits.js";
import { trainingRecord } from "./arbitrary-records.js";
import { wireRecord } from "./wire-record.js";

function encoded(records: readonly TrainingRecord[], firstSeq = 1): EncodedBatch {
  const open = new OpenBatch();
  for (const record of records) open.append(record);
  return open.seal(firstSeq);
}

const entriesOf = (records: readonly TrainingRecord[]) =>
  records.map((record) => ({ kind: { $case: "record" as const, value: wireRecord(record) } }));

describe("records on the wire", () => {
  test("any batch decodes to what was appended", () => {
    const open = new OpenBatch();
    fc.assert(
      fc.property(fc.array(trainingRecord, { minLength: 1, maxLength: 12 }), (records) => {
        // One buffer for all runs: what an earlier batch left in it must not show.
        for (const record of records) open.append(record);
        const batch = open.seal(1);
        expect(RecordBatch.decode(batch.bytes).entries).toEqual(entriesOf(records));
      }),
      { numRuns: 500 },
    );
  });

  test("is byte for byte what the generated encoder writes", () => {
    fc.assert(
      fc.property(fc.array(trainingRecord, { minLength: 1, maxLength: 4 }), fc.maxSafeInteger(), (records, seq) => {
        const firstSeq = Math.max(1, Math.abs(seq));
        const entries = entriesOf(records);
        const expected = IngestRequest.encode({
          message: { $case: "batch", value: { firstSeq: BigInt(firstSeq), entries } },
        }).finish();
        const batch = encoded(records, firstSeq);
        expect(Buffer.compare(batch.message(), expected)).toBe(0);
        expect(
          Buffer.compare(batch.recordBatch(), RecordBatch.encode({ firstSeq: BigInt(firstSeq), entries }).finish()),
        ).toBe(0);
        expect(batch.creditBytes).toBe(batch.recordBatch().length);
      }),
      { numRuns: 300 },
    );
  });

  test("a batch splits into single records that carry on its numbers", () => {
    fc.assert(
      fc.property(fc.array(trainingRecord, { minLength: 1, maxLength: 8 }), (records) => {
        const singles = encoded(records, 10).split();
        expect(singles.map((single) => single.firstSeq)).toEqual(records.map((_, i) => 10 + i));
        expect(singles.map((single) => RecordBatch.decode(single.bytes).entries[0])).toEqual(entriesOf(records));
      }),
      { numRuns: 100 },
    );
  });

  test("a gap is what the generated encoder writes", () => {
    for (const [count, type, cause] of [
      [1, 0, 0],
      [300, 5, 1],
      [1_000_000_000, 7, 3],
    ] as const) {
      const expected = IngestRequest.encode({
        message: {
          $case: "batch",
          value: {
            firstSeq: 7n,
            entries: [{ kind: { $case: "gap", value: { count: BigInt(count), type, cause } } }],
          },
        },
      }).finish();
      const gap = EncodedBatch.ofGap(7, count, type, cause);
      expect(Buffer.compare(gap.message(), expected)).toBe(0);
      expect(gap.lastSeq).toBe(6 + count);
    }
  });

  test("renumbering changes the envelope and nothing else", () => {
    const batch = encoded([{ type: "score_history", score: 1 }], 1);
    const entries = Buffer.from(batch.bytes);
    batch.message();
    batch.renumber(2 ** 40);
    expect(RecordBatch.decode(batch.recordBatch()).firstSeq).toBe(2n ** 40n);
    expect(batch.bytes.equals(entries)).toBe(true);
  });

  test("an event time loses its fraction of a microsecond", () => {
    const { entries } = RecordBatch.decode(encoded([{ type: "score_history", eventTimeUs: -1.9 }]).bytes);
    expect(entries[0]?.kind).toMatchObject({ value: { eventTimeUs: -1n } });
  });
});

describe("what cannot be encoded", () => {
  const cyclic: Record<string, unknown> = {};
  cyclic["self"] = cyclic;
  const bad: readonly (readonly [string, unknown])[] = [
    ["BAD_JSON", { type: "performance_history", metadata: cyclic }],
    ["BAD_JSON", { type: "performance_history", metadata: { n: 1n } }],
    ["BAD_JSON", { type: "performance_history", metadata: () => 1 }],
    ["BAD_FIELD", { type: "coordinate_tracking", coordinateX: 1.5 }],
    ["BAD_FIELD", { type: "coordinate_tracking", coordinateX: Number.NaN }],
    ["BAD_FIELD", { type: "coordinate_tracking", coordinateY: 2 ** 31 }],
    ["BAD_FIELD", { type: "coordinate_tracking", coordinateY: 1n }],
    ["BAD_FIELD", { type: "session_history", actionsTaken: 2 ** 53 }],
    ["BAD_FIELD", { type: "session_history", actionsTaken: 0.5 }],
    ["BAD_FIELD", { type: "session_history", win: "yes" }],
    ["BAD_FIELD", { type: "score_history", score: "12" }],
    ["BAD_FIELD", { type: "score_history", scoreType: 3 }],
    ["BAD_FIELD", { type: "score_history", eventTimeUs: Number.NaN }],
    ["BAD_FIELD", { type: "score_history", eventTimeUs: 1n }],
    ["UNKNOWN_TYPE", { type: "something" }],
    ["RECORD_TOO_LARGE", { type: "frame_tracking", frameHash: "x".repeat(ENTRY_BYTES_MAX) }],
    ["RECORD_TOO_LARGE", { type: "frame_tracking", frameHash: "€".repeat(ENTRY_BYTES_MAX / 2) }],
  ];

  test.each(bad)("is refused with %s and leaves the batch as it was", (code, record) => {
    const open = new OpenBatch();
    open.append({ type: "score_history", score: 1 });
    const before = open.byteLength;
    let error: unknown;
    try {
      open.append(record as TrainingRecord);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(UnencodableError);
    expect((error as UnencodableError).code).toBe(code);
    expect(open.count).toBe(1);
    expect(open.byteLength).toBe(before);
    open.append({ type: "score_history", score: 2 });
    expect(RecordBatch.decode(open.seal(1).bytes).entries).toEqual(
      entriesOf([
        { type: "score_history", score: 1 },
        { type: "score_history", score: 2 },
      ]),
    );
  });

  test("a record that outgrows the hard limit of a batch begins the next one", () => {
    const open = new OpenBatch();
    const half: TrainingRecord = { type: "frame_tracking", frameHash: "x".repeat(600_000) };
    expect(open.append(half)).toBe(-1);
    const start = open.append(half);
    expect(start).toBeGreaterThan(0);
    const first = open.sealBefore(start, 1);
    const second = open.seal(2);
    for (const batch of [first, second]) {
      expect(batch.creditBytes).toBeLessThanOrEqual(BATCH_BYTES_MAX);
      expect(RecordBatch.decode(batch.bytes).entries).toEqual(entriesOf([half]));
    }
  });
});

describe("JSON text", () => {
  test("numbers that JSON lacks become strings at any depth; null stays null", () => {
    const value = { a: [Number.NaN, { b: Infinity, c: null }], d: -Infinity, e: undefined, f: "null" };
    expect(JSON.parse(jsonText(value, "metadata"))).toEqual({
      a: ["NaN", { b: "Infinity", c: null }],
      d: "-Infinity",
      f: "null",
    });
  });

  test("everything finite is plain JSON", () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => jsonText(value, "x") === JSON.stringify(value)));
  });
});

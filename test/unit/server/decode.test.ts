// The ingest path decodes by hand, straight into rows. What ts-proto makes of the same bytes is what it must hold, and
// no bytes at all may make it do anything but decode or refuse.
import { RecordBatch, type Record as WireRecord } from "@tailkeep/proto";
import type { Batch } from "@tailkeep/server/dist/record/batch.js";
import { BatchError, decodeBatch, requestPart } from "@tailkeep/server/dist/record/decode.js";
import { batchRows, recordMessage } from "@tailkeep/server/dist/record/stored-row.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { asStored, validGap, validRecord } from "../../support/records/arbitrary.js";
import { batchOf, encodedBatch, gapEntry, recordEntry, score } from "../../support/records/batches.js";

const OWNER = { key: 1n, sessionId: "s", streamId: "t" };
const RECEIVED_US = 1_700_000_000_000_000;

const entry = fc.oneof(
  { weight: 6, arbitrary: validRecord.map(recordEntry) },
  { weight: 1, arbitrary: validGap.map((gap) => ({ kind: { $case: "gap" as const, value: gap } })) },
);
const firstSeqs = fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 2 ** 40 }));

function decode(bytes: Buffer): Batch {
  return decodeBatch(bytes, 0, bytes.length, RECEIVED_US);
}

/** Every number from the first to the last is a row, a gap or a refusal, exactly once, and tables hold whole rows. */
function expectAccountedFor(batch: Batch): void {
  const ranges: [number, number][] = batch.gaps.map((gap) => [gap.firstSeq, gap.lastSeq]);
  for (const { seq } of batch.rejected) ranges.push([seq, seq]);
  for (const rows of batch.rows) {
    if (rows === undefined) continue;
    for (const seq of rows.seqs) ranges.push([seq, seq]);
    for (const list of [rows.timesUs, rows.nonfinite, rows.starts, rows.ends])
      expect(list).toHaveLength(rows.seqs.length);
    expect(rows.timesUs.every(Number.isSafeInteger)).toBe(true);
  }
  ranges.sort((a, b) => a[0] - b[0]);
  let next = batch.firstSeq;
  for (const [first, last] of ranges) {
    expect(first).toBe(next);
    next = last + 1;
  }
  expect(next).toBe(batch.lastSeq + 1);
  expect(batch.rowCount).toBe(batchRows(batch, OWNER, 0).length);
}

test("valid records decode to what ts-proto decodes", () => {
  fc.assert(
    fc.property(firstSeqs, fc.array(entry, { minLength: 1, maxLength: 12 }), (firstSeq, entries) => {
      const bytes = encodedBatch(firstSeq, entries);
      const expected: [number, WireRecord][] = [];
      let seq = firstSeq;
      for (const { kind } of RecordBatch.decode(bytes).entries) {
        if (kind?.$case === "record") expected.push([seq, asStored(kind.value, BigInt(RECEIVED_US))]);
        seq += kind?.$case === "gap" ? Number(kind.value.count) : 1;
      }
      const batch = decode(bytes);
      expect(batch.rejected).toEqual([]);
      expect(batchRows(batch, OWNER, 0).map((row) => [row.seq, recordMessage(row)])).toEqual(expected);
      expectAccountedFor(batch);
    }),
    { numRuns: 300 },
  );
});

describe("bytes that are not a batch", () => {
  const decodesOrRefuses = (bytes: Buffer): "decoded" | "refused" => {
    try {
      expectAccountedFor(decode(bytes));
      return "decoded";
    } catch (error) {
      if (!(error instanceof BatchError)) throw error;
      expect(error.message).toMatch(/^batch\./);
      return "refused";
    }
  };

  test("a message cut at any byte is decoded or refused", () => {
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 3 }), (entries) => {
        const bytes = encodedBatch(1, entries);
        for (let length = 0; length < Math.min(bytes.length, 400); length++)
          decodesOrRefuses(bytes.subarray(0, length));
      }),
      { numRuns: 60 },
    );
  });

  test("a message with changed bytes is decoded or refused", () => {
    const outcomes = { decoded: 0, refused: 0 };
    const change = fc.record({ at: fc.nat({ max: 400 }), byte: fc.nat({ max: 255 }) });
    fc.assert(
      fc.property(
        fc.array(entry, { minLength: 1, maxLength: 4 }),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        (entries, changes) => {
          const bytes = encodedBatch(7, entries);
          for (const { at, byte } of changes) bytes[at % bytes.length] = byte;
          outcomes[decodesOrRefuses(bytes)]++;
        },
      ),
      { numRuns: 3_000 },
    );
    // A run in which only one of the two happened would have tested nothing.
    expect(Math.min(outcomes.decoded, outcomes.refused)).toBeGreaterThan(100);
  });

  test("any bytes are decoded or refused, also as a request", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (random) => {
        const bytes = Buffer.from(random);
        decodesOrRefuses(bytes);
        try {
          requestPart(bytes);
        } catch (error) {
          if (!(error instanceof BatchError)) throw error;
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test("first_seq after the entries is taken, a second one is refused", () => {
    const [head, tail] = [encodedBatch(5, []), encodedBatch(0, [recordEntry(score(1)), recordEntry(score(2))])];
    expect(decode(Buffer.concat([tail, head]))).toMatchObject({ firstSeq: 5, lastSeq: 6 });
    expect(() => decode(Buffer.concat([head, tail, encodedBatch(6, [])]))).toThrow(/batch\.first_seq: .*once/);
  });

  test("a gap that takes the numbers past the last one is refused", () => {
    expect(() => batchOf(Number.MAX_SAFE_INTEGER - 1, [gapEntry(3)])).toThrow(/batch\.first_seq/);
    expect(batchOf(Number.MAX_SAFE_INTEGER - 1, [gapEntry(2)]).lastSeq).toBe(Number.MAX_SAFE_INTEGER);
  });

  test.each([
    ["no entries", () => batchOf(1, []), "BAD_FIELD", /batch\.entries: is empty/],
    ["no number", () => batchOf(0, [recordEntry(score(1))]), "BAD_FIELD", /batch\.first_seq: must be 1 or more/],
    [
      "an entry without kind",
      () => batchOf(1, [{ kind: undefined }]),
      "UNKNOWN_TYPE",
      /entries\[0\]: neither record nor gap/,
    ],
    [
      "a record without kind",
      () => batchOf(1, [recordEntry(score(1)), recordEntry({ eventTimeUs: 1n, kind: undefined })]),
      "UNKNOWN_TYPE",
      /entries\[1\]\.record: .*set one of performance_history/,
    ],
    ["an empty gap", () => batchOf(1, [gapEntry(0)]), "BAD_FIELD", /entries\[0\]\.gap\.count: must be 1 to 1000000000/],
    ["a gap that is too long", () => batchOf(1, [gapEntry(1_000_000_001)]), "BAD_FIELD", /gap\.count/],
    ["a negative gap", () => batchOf(1, [gapEntry(-1)]), "BAD_FIELD", /gap\.count/],
    ["a cause of the server's own", () => batchOf(1, [gapEntry(1, { cause: 5 })]), "BAD_FIELD", /gap\.cause: 5/],
    ["a type that is none", () => batchOf(1, [gapEntry(1, { type: 1 as never })]), "BAD_FIELD", /gap\.type: 1/],
    [
      "too many entries",
      () => batchOf(1, new Array(4_097).fill(recordEntry(score(1)))),
      "BATCH_TOO_LARGE",
      /batch\.entries: more than 4096; send smaller/,
    ],
  ])("%s is refused with the field and the remedy", (_, make, code, message) => {
    expect(make).toThrow(
      expect.objectContaining({ name: "BatchError", code, message: expect.stringMatching(message) }),
    );
  });
});

describe("records that may not be stored", () => {
  const BAD_TEXT = 1;
  const BAD_JSON = 2;
  const OUT_OF_RANGE = 3;
  const deep = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
  const frame = (value: object): WireRecord => ({
    eventTimeUs: undefined,
    kind: {
      $case: "frameTracking",
      value: {
        gameId: "g",
        frameHash: undefined,
        frameAnalysisJson: undefined,
        stagnationDetected: undefined,
        ...value,
      },
    },
  });
  const session = (actionsTaken: bigint): WireRecord => ({
    eventTimeUs: undefined,
    kind: {
      $case: "sessionHistory",
      value: {
        gameId: "g",
        status: undefined,
        durationSeconds: undefined,
        actionsTaken,
        score: undefined,
        win: undefined,
        metadataJson: undefined,
      },
    },
  });

  test.each<[string, WireRecord, number, string, RegExp]>([
    [
      "a text of 129",
      frame({ frameHash: "x".repeat(129) }),
      BAD_TEXT,
      "frame_tracking.frame_hash",
      /129 characters; use at most 128/,
    ],
    [
      "a control character",
      frame({ frameHash: "a\u0007" }),
      BAD_TEXT,
      "frame_tracking.frame_hash",
      /control characters; remove/,
    ],
    ["an id with a blank", frame({ gameId: " g" }), BAD_TEXT, "frame_tracking.game_id", /white space; trim/],
    ["broken JSON", frame({ frameAnalysisJson: "{" }), BAD_JSON, "frame_tracking.frame_analysis_json", /is not JSON/],
    ["empty JSON", frame({ frameAnalysisJson: "" }), BAD_JSON, "frame_tracking.frame_analysis_json", /is not JSON/],
    [
      "deep JSON",
      frame({ frameAnalysisJson: deep(65) }),
      BAD_JSON,
      "frame_tracking.frame_analysis_json",
      /more than 64 deep; flatten/,
    ],
    [
      "large JSON",
      frame({ frameAnalysisJson: `"${"x".repeat(262_143)}"` }),
      BAD_JSON,
      "frame_tracking.frame_analysis_json",
      /262145 bytes; use at most 262144/,
    ],
    ["a large number", session(2n ** 53n), OUT_OF_RANGE, "session_history.actions_taken", /beyond ±9007199254740991/],
    ["a late time", score(1, 2 ** 53), OUT_OF_RANGE, "record.event_time_us", /microseconds since 1970/],
  ])("%s is rejected, its neighbours are not", (_, bad, reason, field, message) => {
    const batch = batchOf(10, [recordEntry(score(1)), recordEntry(bad), recordEntry(score(2))]);
    expect(batch.rejected).toEqual([
      {
        seq: 11,
        type: bad.kind?.$case === "frameTracking" ? 7 : bad.kind?.$case === "sessionHistory" ? 3 : 5,
        reason,
        field,
        message: expect.stringMatching(message),
        body: expect.any(Uint8Array),
      },
    ]);
    expect(batch.rows[3]?.seqs).toEqual([10, 12]);
    expectAccountedFor(batch);
  });

  test("limits are inclusive", () => {
    const json = `"${"x".repeat(262_142)}"`;
    const good = [
      frame({ frameHash: "😀".repeat(128), frameAnalysisJson: json }),
      frame({ frameAnalysisJson: deep(64) }),
      session(BigInt(Number.MAX_SAFE_INTEGER)),
      score(1, Number.MIN_SAFE_INTEGER),
    ];
    expect(batchOf(1, good.map(recordEntry)).rejected).toEqual([]);
  });

  test("an empty text stays empty, an empty id and score type get their names", () => {
    const [row] = batchRows(batchOf(1, [recordEntry(frame({ gameId: "", frameHash: "" }))]), OWNER, 0);
    expect(row?.values).toEqual(["unknown", "", null, null]);
  });

  test("the sign of zero is not kept, in memory as in the tables", () => {
    const [row] = batchRows(batchOf(1, [recordEntry(score(-0))]), OWNER, 0);
    expect(Object.is(row?.values[1], 0)).toBe(true);
  });
});

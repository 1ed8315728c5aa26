/** Records that the server must take as they are: every type, every column, present or not, at the edges of its rules. */
import type { Gap, Record as WireRecord } from "@tailkeep/proto";
import fc from "fast-check";

const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });

// No control characters, which are refused, and one, two, three and four bytes wide. What SQL quotes is among them.
const character = fc.oneof(
  fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCodePoint(code)),
  fc.constantFrom("'", '"', "\\", "%", "_", ";", "`", "ß", "語", "\ufffd", "😀", "\u{10ffff}"),
);

const text = fc.oneof(
  fc.string({ unit: character, maxLength: 20 }),
  fc.string({ unit: character, minLength: 128, maxLength: 128 }),
);

/** An id: not empty, and no white space at its ends. */
export const id: fc.Arbitrary<string> = text.map((value) => value.trim()).filter((value) => value.length > 0);

const gameId = fc.oneof(fc.constantFrom("ls20", "ft09", ""), id);
// Neither store keeps the sign of zero.
const double = fc.oneof(
  fc.double().map((value) => value + 0),
  fc.constantFrom(
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    0,
    1,
    5e-324,
    0.1,
    1.7976931348623157e308,
  ),
);
const int32 = fc.oneof(fc.integer(), fc.constantFrom(-(2 ** 31), 2 ** 31 - 1, -1, 0));
const int64 = fc
  .oneof(fc.maxSafeInteger(), fc.constantFrom(Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, -1, 0))
  .map(BigInt);
const json = fc.oneof(
  fc.json({ maxDepth: 4 }),
  fc.constantFrom('"\\" \\\\ \\t \\u0000 \\ud800"', " [1,\n\t2] ", '{"a":{"b":[]},"a":1}', '"it\'s; -- `x`"', '"😀"'),
);

/** Event times over the whole range, and close together so that there are ties. */
export const eventTimeUs: fc.Arbitrary<bigint> = fc
  .oneof(
    fc.maxSafeInteger(),
    fc.integer({ min: 1_700_000_000_000_000, max: 1_700_000_000_000_009 }),
    fc.constantFrom(0, -1, 1, 999_999, -1_000_000, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER),
  )
  .map(BigInt);

const kind: fc.Arbitrary<WireRecord["kind"]> = fc.oneof(
  fc.record({
    $case: fc.constant("performanceHistory" as const),
    value: fc.record({
      gameId,
      score: optional(double),
      winRate: optional(double),
      learningEfficiency: optional(double),
      metadataJson: optional(json),
    }),
  }),
  fc.record({
    $case: fc.constant("sessionHistory" as const),
    value: fc.record({
      gameId,
      status: optional(text),
      durationSeconds: optional(double),
      actionsTaken: optional(int64),
      score: optional(double),
      win: optional(fc.boolean()),
      metadataJson: optional(json),
    }),
  }),
  fc.record({
    $case: fc.constant("actionTracking" as const),
    value: fc.record({
      gameId,
      actionType: optional(text),
      actionSequenceJson: optional(json),
      effectiveness: optional(double),
      contextJson: optional(json),
    }),
  }),
  fc.record({
    $case: fc.constant("scoreHistory" as const),
    value: fc.record({ gameId, score: optional(double), scoreType: optional(text) }),
  }),
  fc.record({
    $case: fc.constant("coordinateTracking" as const),
    value: fc.record({
      gameId,
      coordinateX: optional(int32),
      coordinateY: optional(int32),
      actionType: optional(text),
      success: optional(fc.boolean()),
      contextJson: optional(json),
    }),
  }),
  fc.record({
    $case: fc.constant("frameTracking" as const),
    value: fc.record({
      gameId,
      frameHash: optional(text),
      frameAnalysisJson: optional(json),
      stagnationDetected: optional(fc.boolean()),
    }),
  }),
);

export const validRecord: fc.Arbitrary<WireRecord> = fc.record({ eventTimeUs: optional(eventTimeUs), kind });

export const validGap: fc.Arbitrary<Gap> = fc.record({
  count: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constant(1_000_000_000)).map(BigInt),
  type: fc.constantFrom(0, 2, 3, 4, 5, 6, 7) as fc.Arbitrary<Gap["type"]>,
  cause: fc.constantFrom(0, 1, 2, 3, 4) as fc.Arbitrary<Gap["cause"]>,
});

/** The record as the contract says it comes back: with the defaults of what was missing. */
export function asStored(record: WireRecord, receivedUs: bigint): WireRecord {
  const eventTime = record.eventTimeUs ?? receivedUs;
  const value = { ...record.kind?.value } as { gameId: string; scoreType?: string | undefined };
  if (value.gameId === "") value.gameId = "unknown";
  if (record.kind?.$case === "scoreHistory" && !value.scoreType) value.scoreType = "current";
  return { eventTimeUs: eventTime, kind: { $case: record.kind?.$case, value } as unknown as WireRecord["kind"] };
}

import type { JsonValue, TrainingRecord } from "@tailkeep/client";
import fc from "fast-check";

const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });

/** Multibyte characters, lengths around the widths of a length, and long enough to leave the copying loop. */
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ unit: "grapheme", maxLength: 60 }),
  fc.string({ minLength: 110, maxLength: 140 }),
  fc.nat({ max: 400 }).map((length) => "ä".repeat(length)),
  fc.nat({ max: 40_000 }).map((length) => "x".repeat(length)),
);
const gameId = optional(text.filter((value) => value.length > 0));
const number = fc.oneof(fc.double(), fc.constantFrom(Number.NaN, Infinity, -Infinity, -0, 0, 1, 5e-324));
const int32 = fc.oneof(fc.integer(), fc.constantFrom(-(2 ** 31), 2 ** 31 - 1, -1, 0, 127, 128));
const int64 = fc.oneof(
  fc.maxSafeInteger(),
  fc.constantFrom(Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, -1, 0, 2 ** 32, -(2 ** 32), 2 ** 31, 2 ** 35),
);
const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<JsonValue>;

const common = { gameId, eventTimeUs: optional(int64) };

/** Any record that can be encoded. */
export const trainingRecord: fc.Arbitrary<TrainingRecord> = fc.oneof(
  fc.record({
    ...common,
    type: fc.constant("performance_history" as const),
    score: optional(number),
    winRate: optional(number),
    learningEfficiency: optional(number),
    metadata: optional(json),
  }),
  fc.record({
    ...common,
    type: fc.constant("session_history" as const),
    status: optional(text),
    durationSeconds: optional(number),
    actionsTaken: optional(int64),
    score: optional(number),
    win: optional(fc.boolean()),
    metadata: optional(json),
  }),
  fc.record({
    ...common,
    type: fc.constant("action_tracking" as const),
    actionType: optional(text),
    actionSequence: optional(json),
    effectiveness: optional(number),
    context: optional(json),
  }),
  fc.record({
    ...common,
    type: fc.constant("score_history" as const),
    score: optional(number),
    scoreType: optional(text),
  }),
  fc.record({
    ...common,
    type: fc.constant("coordinate_tracking" as const),
    coordinateX: optional(int32),
    coordinateY: optional(int32),
    actionType: optional(text),
    success: optional(fc.boolean()),
    context: optional(json),
  }),
  fc.record({
    ...common,
    type: fc.constant("frame_tracking" as const),
    frameHash: optional(text),
    frameAnalysis: optional(json),
    stagnationDetected: optional(fc.boolean()),
  }),
);

/** Records of all six types as a trainer might write them: odd numbers, odd texts, and now and then one that is bad. */
import type { JsonValue, TrainingRecord } from "@tailkeep/client";
import type { SeededRandom } from "./random.js";

/** A game id may not begin with a space, a status may not have 200 characters, JSON may not be nested 70 deep. */
const BAD_RECORDS: readonly ((random: SeededRandom) => TrainingRecord)[] = [
  (random) => ({ type: "score_history", gameId: " ls20", score: random.share() }),
  (random) => ({ type: "session_history", status: "x".repeat(random.whole(129, 400)) }),
  () => ({ type: "action_tracking", actionType: "line\u0000break" }),
  () => ({ type: "frame_tracking", frameHash: "f", frameAnalysis: nested(70) }),
  () => ({ type: "performance_history", metadata: "y".repeat(300_000) }),
];

const GAMES = ["ls20", "ft09", "vc33", "unknown", "Ünïcode 🎲", "quote'\"\\back", undefined];
const TEXTS = ["WIN", "GAME_OVER", "", "ACTION6", "naïve", "日本語", "per%cent_under", "a\\'b\"c;--", "🎲".repeat(20)];
const NUMBERS = [0, -0, 1, -1, 0.1, 1e-300, 1.7976931348623157e308, 5e-324, 9.077012864872811, 2 ** 53];
const NONFINITE = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

export function badRecord(random: SeededRandom): TrainingRecord {
  return random.pick(BAD_RECORDS)(random);
}

export function goodRecord(random: SeededRandom, eventTimeUs: number | undefined): TrainingRecord {
  const common = { gameId: random.pick(GAMES), eventTimeUs };
  switch (random.whole(0, 5)) {
    case 0:
      return {
        type: "performance_history",
        ...common,
        score: number(random),
        winRate: number(random),
        learningEfficiency: number(random),
        metadata: json(random),
      };
    case 1:
      return {
        type: "session_history",
        ...common,
        status: text(random),
        durationSeconds: number(random),
        actionsTaken: random.pick([undefined, 0, 17, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]),
        score: number(random),
        win: random.pick([undefined, true, false]),
        metadata: json(random),
      };
    case 2:
      return {
        type: "action_tracking",
        ...common,
        actionType: text(random),
        actionSequence: Array.from({ length: random.whole(0, 12) }, () => random.whole(1, 7)),
        effectiveness: number(random),
        context: json(random),
      };
    case 3:
      return { type: "score_history", ...common, score: number(random), scoreType: text(random) };
    case 4:
      return {
        type: "coordinate_tracking",
        ...common,
        coordinateX: random.pick([undefined, random.whole(0, 63), -(2 ** 31), 2 ** 31 - 1]),
        coordinateY: random.whole(0, 63),
        actionType: text(random),
        success: random.pick([undefined, true, false]),
        context: json(random),
      };
    default:
      return {
        type: "frame_tracking",
        ...common,
        frameHash: random.share().toString(16),
        frameAnalysis: json(random),
        stagnationDetected: random.pick([undefined, true, false]),
      };
  }
}

function number(random: SeededRandom): number | undefined {
  const kind = random.whole(0, 9);
  if (kind === 0) return undefined;
  if (kind === 1) return random.pick(NONFINITE);
  if (kind === 2) return random.pick(NUMBERS);
  return (random.share() - 0.5) * 10 ** random.whole(-8, 12);
}

function text(random: SeededRandom): string | undefined {
  return random.chance(0.2) ? undefined : random.pick(TEXTS);
}

function json(random: SeededRandom): JsonValue | undefined {
  const kind = random.whole(0, 9);
  if (kind === 0) return undefined;
  if (kind === 1) return { nested: nested(random.whole(1, 20)), "key'\"\\": [null, true, "\u2028\n\t\u0001"] };
  // Now and then a large frame, so that batches also end by bytes and statements by length.
  if (kind === 2 && random.chance(0.05)) return { grid: "0123456789abcdef".repeat(random.whole(100, 3_000)) };
  return { step: random.whole(0, 1_000_000), loss: random.share(), tag: random.pick(TEXTS) };
}

function nested(depth: number): JsonValue {
  let value: JsonValue = 1;
  for (let at = 0; at < depth; at++) value = [value];
  return value;
}

/** How much may wait follows the pace at which it becomes durable. */

import {
  BATCH_BYTES_MAX,
  PACE_SAMPLE_MS,
  QUEUE_MS_TARGET,
  STREAM_WINDOW_BYTES_MIN,
} from "@tailkeep/server/dist/limits.js";
import { IngestBudget } from "@tailkeep/server/dist/stream/budget.js";
import { expect, test } from "vitest";

const MIB = 1_048_576;

/** A budget on a clock that is set by hand. */
function paced() {
  let nowMs = 0;
  const clock = {
    nowUs: () => nowMs * 1_000,
    monotonicMs: () => nowMs,
    sleep: () => Promise.resolve(),
    defer: () => undefined,
    random: () => 0.5,
  };
  const budget = new IngestBudget(192 * MIB, clock);
  const { pace } = budget;
  /** A stream always has something waiting, and `bytesPerMs` of it become durable, for `ms`. */
  const busy = (bytesPerMs: number, ms: number) => {
    pace.took(BATCH_BYTES_MAX, true);
    for (let past = 0; past < ms; past += 10) {
      nowMs += 10;
      pace.took(bytesPerMs * 10, false);
      pace.released(bytesPerMs * 10, true, false);
    }
    pace.released(BATCH_BYTES_MAX, false, true);
  };
  const idle = (ms: number) => {
    nowMs += ms;
  };
  return { budget, pace, busy, idle };
}

test("unknown at first, so that nothing is held back", () => {
  expect(paced().pace.queueBytes).toBe(Number.POSITIVE_INFINITY);
});

test("what may wait is what the store takes in the target's time, shared by the streams that want it", () => {
  const { budget, pace, busy } = paced();
  busy(4_096, 5_000);
  expect(pace.queueBytes).toBeCloseTo(4_096 * QUEUE_MS_TARGET, -3);
  expect(budget.window(64, 1, STREAM_WINDOW_BYTES_MIN)).toBeLessThanOrEqual(4 * MIB);
  expect(budget.window(64, 16, STREAM_WINDOW_BYTES_MIN)).toBeCloseTo((4_096 * QUEUE_MS_TARGET) / 16, -3);
  expect(budget.window(64, 10_000, STREAM_WINDOW_BYTES_MIN)).toBe(STREAM_WINDOW_BYTES_MIN);
});

test("a store that slows down is noticed within seconds, and an idle one says nothing", () => {
  const { pace, busy, idle } = paced();
  busy(4_096, 5_000);
  const before = pace.queueBytes;
  idle(60_000);
  busy(4_096, PACE_SAMPLE_MS);
  expect(pace.queueBytes).toBeCloseTo(before, -3);
  busy(64, 3_000);
  expect(pace.queueBytes).toBeLessThan(before / 10);
});

test("streams that wait are counted", () => {
  const { pace } = paced();
  pace.took(10, true);
  pace.took(10, true);
  pace.took(10, false);
  expect(pace.busyStreams).toBe(2);
  pace.released(10, true, true);
  expect(pace.busyStreams).toBe(1);
});

import { dayNumber, dayOfMs, dayText, timestampText, timestampUs } from "@tailkeep/server/dist/record/time.js";
import fc from "fast-check";
import { expect, test } from "vitest";

const EDGES = [0, -1, 1, 999_999, -999_999, 1_000_000, -1_000_000, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER];
// Just below a whole second, far from 1970: where a division by a million is closest to being rounded up.
const lastMicrosecond = fc.integer({ min: -9_007_199_254, max: 9_007_199_254 }).map((second) => second * 1_000_000 - 1);
const anyTime = fc.oneof(fc.maxSafeInteger(), lastMicrosecond, fc.constantFrom(...EDGES));

test("a time and its text say the same, to the microsecond", () => {
  fc.assert(
    fc.property(anyTime, (us) => {
      const text = timestampText(us);
      expect(text).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$/);
      expect(timestampUs(text)).toBe(us);
    }),
    { numRuns: 2_000 },
  );
});

test("texts sort as times do", () => {
  fc.assert(
    fc.property(anyTime, anyTime, (a, b) => {
      expect(Math.sign(a - b)).toBe(
        timestampText(a) < timestampText(b) ? -1 : timestampText(a) > timestampText(b) ? 1 : 0,
      );
    }),
  );
});

test("known times, and fewer digits than a database may give", () => {
  expect(timestampText(0)).toBe("1970-01-01 00:00:00.000000");
  expect(timestampText(-1)).toBe("1969-12-31 23:59:59.999999");
  expect(timestampText(1_700_000_000_123_456)).toBe("2023-11-14 22:13:20.123456");
  expect(timestampUs("2023-11-14 22:13:20")).toBe(1_700_000_000_000_000);
  expect(timestampUs("2023-11-14 22:13:20.5")).toBe(1_700_000_000_500_000);
  expect(() => timestampUs("yesterday")).toThrow("not a timestamp: yesterday");
});

test("days and their texts", () => {
  fc.assert(
    fc.property(fc.integer({ min: -100_000, max: 2_900_000 }), (day) => {
      expect(dayNumber(dayText(day))).toBe(day);
    }),
  );
  expect(dayText(dayOfMs(Date.UTC(2026, 10, 22, 23, 59)))).toBe("2026-11-22");
  expect(dayOfMs(-1)).toBe(-1);
});

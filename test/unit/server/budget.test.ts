import { systemClock } from "@tailkeep/server/dist/base/clock.js";
import { BATCH_BYTES_MAX, STREAM_WINDOW_BYTES_MAX, STREAM_WINDOW_BYTES_MIN } from "@tailkeep/server/dist/limits.js";
import { IngestBudget } from "@tailkeep/server/dist/stream/budget.js";
import fc from "fast-check";
import { expect, test } from "vitest";

test("who waits is served in order, and nobody overtakes", () => {
  const budget = new IngestBudget(100, systemClock);
  const granted: string[] = [];
  expect(budget.tryCharge(60)).toBe(true);
  budget.charge(50, () => granted.push("large"));
  // There would be room for it, but then the large one might wait for ever.
  expect(budget.tryCharge(10)).toBe(false);
  budget.charge(10, () => granted.push("small"));
  expect(granted).toEqual([]);
  budget.release(60);
  expect(granted).toEqual(["large", "small"]);
  expect(budget.usedBytes).toBe(60);
});

test("who stops waiting makes room for those behind", () => {
  const budget = new IngestBudget(100, systemClock);
  const granted: string[] = [];
  budget.tryCharge(60);
  const stopWaiting = budget.charge(90, () => granted.push("gone"));
  budget.charge(40, () => granted.push("next"));
  stopWaiting();
  expect(granted).toEqual(["next"]);
});

test("a cost above the whole budget is let in alone", () => {
  const budget = new IngestBudget(100, systemClock);
  expect(budget.tryCharge(500)).toBe(true);
  expect(budget.tryCharge(1)).toBe(false);
  budget.release(500);
  expect(budget.tryCharge(1)).toBe(true);
});

test("the budget is never passed and never leaks, whatever the order", () => {
  const step = fc.record({ cost: fc.integer({ min: 1, max: 60 }), release: fc.boolean(), give: fc.nat() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const budget = new IngestBudget(100, systemClock);
      const held: number[] = [];
      let waiting = 0;
      for (const { cost, release, give } of steps) {
        if (release && held.length > 0) budget.release(held.splice(give % held.length, 1)[0] as number);
        else if (budget.tryCharge(cost)) held.push(cost);
        else {
          waiting++;
          budget.charge(cost, () => {
            waiting--;
            held.push(cost);
          });
        }
        expect(budget.usedBytes).toBe(held.reduce((sum, each) => sum + each, 0));
        expect(budget.usedBytes).toBeLessThanOrEqual(100);
        expect(budget.waiting).toBe(waiting);
      }
      while (held.length > 0) budget.release(held.pop() as number);
      expect(waiting).toBe(0);
      expect(budget.usedBytes).toBe(0);
    }),
  );
});

test("a stream's window is its share of the memory, never less than a largest batch while the store keeps up", () => {
  const budget = new IngestBudget(192 * 1_048_576, systemClock);
  const window = (streams: number) => budget.window(streams, streams, STREAM_WINDOW_BYTES_MIN);
  expect(window(0)).toBe(STREAM_WINDOW_BYTES_MAX);
  expect(window(1)).toBe(STREAM_WINDOW_BYTES_MAX);
  expect(window(24)).toBe(2 * 1_048_576);
  expect(window(10_000)).toBe(BATCH_BYTES_MAX);
});

// The default measure: near what V8 takes, quick for whatever it is given, and never in the way.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BoundedList, estimateBytes } from "../../../client/src/containers/index.js";
import { collectGarbage } from "./collect-garbage.js";

/** Heap and buffers that `make` keeps alive, per item. */
function measured(make: (index: number) => unknown, count: number): number {
  const used = () => {
    collectGarbage();
    collectGarbage();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const kept: unknown[] = new Array(count).fill(undefined);
  const before = used();
  for (let index = 0; index < count; index++) kept[index] = make(index);
  const bytes = (used() - before) / count;
  expect(kept.length).toBe(count);
  return bytes;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

describe("estimateBytes", () => {
  test.each<[string, (index: number) => unknown]>([
    [
      "a score with metadata",
      (n) => ({ score: n + 0.5, step: n, metadata: { epsilon: n / 3, loss: n / 7, phase: `p${n}` } }),
    ],
    [
      "a frame of rows",
      (n) => Array.from({ length: 16 }, (_, row) => Array.from({ length: 16 }, (_, x) => (n * row * x) % 16)),
    ],
    ["a text", (n) => `${"x".repeat(200)}${n}`.split("").join("")],
    ["a typed array", (n) => new Float64Array(100).fill(n)],
    ["a map", (n) => new Map(Array.from({ length: 50 }, (_, key) => [key, n + key + 0.5]))],
    ["doubles", (n) => Array.from({ length: 100 }, (_, index) => n + index / 3)],
  ])("%s: within a factor of two of what it takes", (_, make) => {
    const estimated = estimateBytes(make(12_345));
    // Other garbage of the process may come or go during one measurement.
    const taken = median([1, 2, 3, 4, 5].map(() => measured(make, 2_000)));
    expect(estimated).toBeGreaterThan(taken / 2);
    expect(estimated).toBeLessThan(taken * 2);
  });

  test("anything has a size: whole, positive, and the same again", () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withMap: true, withSet: true, withTypedArray: true }), (value) => {
        const bytes = estimateBytes(value);
        expect(Number.isSafeInteger(bytes) && bytes >= 8).toBe(true);
        expect(estimateBytes(value)).toBe(bytes);
      }),
    );
  });

  test("more of the same is larger", () => {
    const frame = (rows: number) => Array.from({ length: rows }, () => new Array(64).fill(0.5));
    expect(estimateBytes(frame(4_000)) / estimateBytes(frame(4))).toBeGreaterThan(950);
    expect(estimateBytes([1, "x".repeat(1_000)])).toBeGreaterThan(1_000);
    expect(estimateBytes("x".repeat(1_000_000))).toBeGreaterThanOrEqual(1_000_000);
  });

  test("cycles, hostile getters and proxies do not stop it", () => {
    const cyclic: Record<string, unknown> = { name: "a" };
    cyclic["self"] = cyclic;
    const hostile = Object.defineProperty({}, "x", {
      enumerable: true,
      get: () => {
        throw new Error("no");
      },
    });
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    for (const value of [cyclic, hostile, proxy]) expect(estimateBytes(value)).toBeGreaterThan(0);
  });

  test("looks at a thousand values at most", () => {
    let looked = 0;
    const counting = () => Object.defineProperty({}, "x", { enumerable: true, get: () => ++looked });
    estimateBytes(Array.from({ length: 5_000 }, counting));
    expect(looked).toBeLessThanOrEqual(1_000);
  });

  test("is what bounds a list that is told nothing else", () => {
    const list = new BoundedList<string>({ bytesMax: 10_000, capacity: 1_000 });
    for (let item = 0; item < 100; item++) list.append("x".repeat(968));
    expect([list.length, list.byteLength]).toEqual([10, 10_000]);
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fitJson, jsonBytes } from "../../../server/src/import/fit-json.js";
import type { Json } from "../../../server/src/import/salvage-json.js";

const jsonValue = fc.jsonValue({ maxDepth: 6 }) as fc.Arbitrary<Json>;

describe("fitting JSON into a field", () => {
  test("leaves alone what fits", () => {
    fc.assert(
      fc.property(jsonValue, (value) => {
        const plain = JSON.parse(JSON.stringify(value)) as Json;
        expect(fitJson(plain, { bytesMax: 1_000_000, depthMax: 64 })).toEqual({ value: plain, leftOut: [] });
      }),
    );
  });

  test("never exceeds its limits, and says so when it leaves something out", () => {
    fc.assert(
      fc.property(
        fc.array(jsonValue, { minLength: 3, maxLength: 40 }),
        fc.integer({ min: 400, max: 2_000 }),
        (list, bytesMax) => {
          const value: Json = { list, text: "é".repeat(3_000), small: 1 };
          const fitted = fitJson(value, { bytesMax, depthMax: 4 });
          expect(jsonBytes(fitted.value)).toBeLessThanOrEqual(bytesMax);
          expect(fitted.leftOut.length).toBeGreaterThan(0);
          expect(fitted.value).toMatchObject({ small: 1 });
        },
      ),
    );
  });

  test("keeps the small members whole and shortens the largest", () => {
    const fitted = fitJson({ score: 1, log: "x".repeat(10_000), notes: [1, 2] }, { bytesMax: 2_000, depthMax: 64 });
    expect(fitted.leftOut).toEqual(["log"]);
    expect(fitted.value).toMatchObject({ score: 1, notes: [1, 2] });
    expect((fitted.value as { log: string }).log).toMatch(/^x{100,} \[left out: the rest of 10000 characters\]$/);
  });

  test("cuts what is nested too deep, a million levels too", () => {
    let deep: Json = 1;
    for (let level = 0; level < 1_000_000; level += 1) deep = [deep];
    const fitted = fitJson({ deep, shallow: [[1]] }, { bytesMax: 10_000, depthMax: 4 });
    expect(fitted.value).toEqual({ deep: [[["[left out: nested too deep]"]]], shallow: [[1]] });
    expect(fitted.leftOut).toEqual(["deep.0.0.0"]);
  });

  test("names the numbers that JSON lacks", () => {
    expect(fitJson([Number.NaN, Number.NEGATIVE_INFINITY], { bytesMax: 100, depthMax: 4 }).value).toEqual([
      "NaN",
      "-Infinity",
    ]);
  });
});

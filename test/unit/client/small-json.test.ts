/** Small JSON has the bytes that `jsonText` would write, or is left to it. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jsonText } from "../../../client/src/encode/json-text.js";
import { writeSmallJson } from "../../../client/src/encode/small-json.js";
import { SMALL_JSON_BYTES_MAX, SMALL_JSON_DEPTH_MAX } from "../../../client/src/limits.js";

const BEGIN = 7;
const GUARD = 0xee;

/** What was written, or undefined for what is left to `jsonText`. Nothing outside of its room may be touched. */
function small(value: unknown): string | undefined {
  const bytes = Buffer.alloc(BEGIN + SMALL_JSON_BYTES_MAX + BEGIN, GUARD);
  const end = writeSmallJson(bytes, BEGIN, value);
  expect(bytes.subarray(0, BEGIN).every((byte) => byte === GUARD)).toBe(true);
  expect(bytes.subarray(BEGIN + SMALL_JSON_BYTES_MAX).every((byte) => byte === GUARD)).toBe(true);
  return end < 0 ? undefined : bytes.toString("utf8", BEGIN, end);
}

const number = fc.oneof(
  fc.double(),
  fc.float(),
  fc.integer(),
  fc.maxSafeInteger(),
  // What people write: few decimals, next to powers of ten, and what sums of them give.
  fc
    .tuple(fc.integer({ min: -1e9, max: 1e9 }), fc.integer({ min: 0, max: 12 }))
    .map(([digits, at]) => digits / 10 ** at),
  fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -30, max: 30 })).map(([d, e]) => Number(`${d}e${e}`)),
  fc
    .tuple(fc.double({ min: -10, max: 10, noNaN: true }), fc.integer({ min: 0, max: 9 }))
    .map(([x, n]) => Number(x.toFixed(n))),
  fc.constantFrom(0, -0, 0.1 + 0.2, 1e15, 1e15 - 1, 999999999.999999, 1e9, 1e9 - 1, 1e21, 1e-6, 1e-7, 5e-324, 2 ** 53),
);

const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    number,
    fc.boolean(),
    fc.constant(null),
    fc.string(),
    fc.string({ unit: "grapheme" }),
    fc.array(tie("tree"), { maxLength: 6 }),
    fc.dictionary(fc.oneof(fc.string(), fc.integer({ min: 0, max: 20 }).map(String)), tie("tree"), { maxKeys: 6 }),
  ),
}));

test("numbers are written as JavaScript writes them", () => {
  fc.assert(
    fc.property(number, (value) => {
      expect(small(value)).toBe(jsonText(value, "metadata"));
    }),
    { numRuns: 20_000 },
  );
});

test("every decimal of up to six places and 15 digits is written as JavaScript writes it", () => {
  for (let places = 0; places <= 7; places++) {
    for (let size = 1; size <= 16; size++) {
      for (const digits of [
        "1",
        "5",
        "9",
        "12345678901234567",
        "98765432109876543",
        "10000000000000001",
        "99999999999999999",
      ]) {
        const value = Number(digits.slice(0, size).padEnd(size, digits)) / 10 ** places;
        expect(small(value)).toBe(JSON.stringify(value));
        expect(small(-value)).toBe(JSON.stringify(-value));
      }
    }
  }
});

test("what is written is what jsonText writes, for any value of JSON", () => {
  let [written, tried] = [0, 0];
  fc.assert(
    fc.property(tree, (value) => {
      tried++;
      const text = small(value);
      if (text === undefined) return;
      written++;
      expect(text).toBe(jsonText(value, "metadata"));
    }),
    { numRuns: 5_000 },
  );
  expect(written).toBeGreaterThan(tried / 5);
});

test("whatever its length, it is written whole within its room, or not at all", () => {
  const longest = -1.2345678901234567e-123;
  let written = 0;
  for (let length = SMALL_JSON_BYTES_MAX - 120; length < SMALL_JSON_BYTES_MAX + 10; length++) {
    const value = ["x".repeat(length), [[[[[[[longest]]]]]]]];
    const text = small(value);
    if (text === undefined) continue;
    written = length;
    expect(text).toBe(JSON.stringify(value));
  }
  expect(written).toBeGreaterThan(SMALL_JSON_BYTES_MAX - 100);
  expect(written).toBeLessThan(SMALL_JSON_BYTES_MAX);
});

describe("is left to jsonText:", () => {
  const cycle: Record<string, unknown> = {};
  cycle["self"] = cycle;
  const deep = (levels: number): unknown => (levels === 0 ? 1 : { in: deep(levels - 1) });
  class Point {
    x = 1;
  }
  const cases: readonly [string, unknown][] = [
    ["undefined", undefined],
    ["a function", () => 1],
    ["a BigInt", { n: 1n }],
    ["a date", { at: new Date(0) }],
    ["what has a toJSON", { toJSON: () => "other" }],
    ["an array that has a toJSON", Object.assign([1], { toJSON: () => "other" })],
    ["an array with a hole", Object.assign([1], { 2: 3 })],
    ["a class of its own", new Point()],
    ["a boxed number", { n: new Number(1) }],
    ["an object without a prototype", Object.create(null)],
    ["text that is escaped", { text: 'say "yes"' }],
    ["a line end", { text: "a\nb" }],
    ["text beyond ASCII", { text: "Übung" }],
    ["half a surrogate pair", { text: "\ud800" }],
    ["a name that is escaped", { 'a"b': 1 }],
    ["a cycle", cycle],
    ["what is too deep", deep(SMALL_JSON_DEPTH_MAX + 1)],
    ["what is too long", { text: "x".repeat(SMALL_JSON_BYTES_MAX) }],
    ["too many numbers", Array.from({ length: SMALL_JSON_BYTES_MAX }, (_, index) => index)],
    [
      "a getter that throws",
      {
        get broken() {
          throw new Error("no");
        },
      },
    ],
  ];
  test.each(cases)("%s", (_, value) => {
    expect(small(value)).toBeUndefined();
  });
});

test.each([
  ["nothing for undefined in an object", { a: undefined, b: 1 }, '{"b":1}'],
  ["numbers that are none as text", [Number.NaN, Infinity, -Infinity], '["NaN","Infinity","-Infinity"]'],
  ["a name like a number first, as an object has it", { b: 1, 2: 2, 1: 3 }, '{"1":3,"2":2,"b":1}'],
  ["a field called constructor as any other", JSON.parse('{"constructor":1}'), undefined],
  ["a field called __proto__ as any other", JSON.parse('{"__proto__":1}'), '{"__proto__":1}'],
  ["as deep as may be", { a: [{ a: [{ a: [{ a: [1] }] }] }] }, '{"a":[{"a":[{"a":[{"a":[1]}]}]}]}'],
])("writes %s", (_, value, text) => {
  expect(small(value)).toBe(text);
});

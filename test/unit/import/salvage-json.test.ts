import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Json, salvageJson } from "../../../server/src/import/salvage-json.js";

describe("whole texts", () => {
  test("read as JSON.parse reads them", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.constantFrom("", " ", "\n\t"), (text, space) => {
        expect(salvageJson(space + text + space)).toEqual({ value: JSON.parse(text), torn: false });
        expect(salvageJson(Buffer.from(`\uFEFF${text}`))).toEqual({ value: JSON.parse(text), torn: false });
      }),
    );
  });

  test("with the NaN and infinities that Python writes are whole too", () => {
    expect(salvageJson('{"loss": NaN, "up": [Infinity, -Infinity], "text": "NaN"}')).toEqual({
      value: { loss: Number.NaN, up: [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY], text: "NaN" },
      torn: false,
    });
    expect(salvageJson("NaN")).toEqual({ value: Number.NaN, torn: false });
  });

  test("with NaN read the rest exactly as JSON.parse does", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (text) => {
        expect(salvageJson(`[NaN, ${text}]`)).toEqual({ value: [Number.NaN, JSON.parse(text)], torn: false });
      }),
    );
  });
});

describe("torn texts", () => {
  test.each<[string, Json | undefined, number]>([
    ["", undefined, 0],
    ["  ", undefined, 2],
    ["[", [], 1],
    ['{"a": 1, "b": 12', { a: 1 }, 16],
    ['{"a": 1, "b": 12,', { a: 1, b: 12 }, 17],
    ['{"a": [1, {"b": "x', { a: [1, {}] }, 18],
    ['{"a": 1, "b"', { a: 1 }, 12],
    ['{"a": 1, "b":', { a: 1 }, 13],
    ["[true, fal", [true], 10],
    ["[null, -", [null], 8],
    ['["é", "é', ["é"], 10],
    ['["a\\', [], 4],
    ['["a", "\\u00', ["a"], 11],
  ])("%s", (text, value, tornAtByte) => {
    expect(salvageJson(text)).toEqual({ value, torn: true, tornAtByte });
    expect(salvageJson(Buffer.from(text))).toEqual({ value, torn: true, tornAtByte });
  });

  test.each<[string, Json | undefined, number]>([
    ["no json", undefined, 0],
    ['{"a": 1}{"a": 2}', { a: 1 }, 8],
    ['{"a": 1}\0\0\0', { a: 1 }, 8],
    ['{"a": "é", "b": \0\0\0', { a: "é" }, 17],
    ["[1, 2,]", [1, 2], 6],
    ["[1 2]", [1], 3],
    ["{1: 2}", {}, 1],
    ["[01]", [], 1],
    ["[1]]", [1], 3],
    ['["line\nbreak"]', [], 1],
  ])("%j stops being JSON before its end", (text, value, tornAtByte) => {
    expect(salvageJson(Buffer.from(text))).toEqual({ value, torn: true, tornAtByte });
  });

  test("cut at any byte, they give a prefix of the whole and say where", () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue({ maxDepth: 6 })), fc.nat(), fc.boolean(), (whole, at, spaced) => {
        const bytes = Buffer.from(JSON.stringify(whole, undefined, spaced ? 2 : undefined));
        const cut = bytes.subarray(0, at % bytes.length);
        const salvage = salvageJson(cut);
        expect(salvage.torn).toBe(true);
        expect(salvage.tornAtByte).toBe(cut.length);
        expectPrefix(salvage.value, JSON.parse(bytes.toString()) as Json);
      }),
      { numRuns: 2_000 },
    );
  });

  test("a longer cut never has less", () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue({ maxDepth: 4 }), { minLength: 1 }), (whole) => {
        const bytes = Buffer.from(JSON.stringify(whole));
        let before: Json | undefined;
        for (let length = 0; length < bytes.length; length += 1) {
          const { value } = salvageJson(bytes.subarray(0, length));
          if (value !== undefined) expectPrefix(before, value);
          before = value;
        }
      }),
      { numRuns: 20 },
    );
  });

  test("arbitrary bytes never throw", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.json(), (noise, text) => {
        for (const bytes of [
          noise,
          Buffer.concat([Buffer.from(text), noise]),
          Buffer.concat([noise, Buffer.from(text)]),
        ]) {
          const salvage = salvageJson(bytes);
          if (salvage.torn) expect(salvage.tornAtByte).toBeLessThanOrEqual(bytes.length);
        }
      }),
    );
  });

  test("nested a million levels deep do not overflow the stack", () => {
    for (const open of ["[", '{"a":']) {
      const text = open.repeat(1_000_000);
      const salvage = salvageJson(text);
      expect(salvage.tornAtByte).toBe(text.length);
      let depth = 0;
      for (let value = salvage.value; value !== undefined; value = Object.values(value as object)[0] as Json)
        depth += 1;
      expect(depth).toBe(1_000_000);
    }
  });

  test("a key may be __proto__", () => {
    const { value } = salvageJson('{"__proto__": {"a": 1}, "b": ');
    expect(Object.keys(value as object)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });
});

function expectPrefix(part: Json | undefined, whole: Json): void {
  if (part === undefined) return;
  if (Array.isArray(part) && Array.isArray(whole)) {
    expect(part.length).toBeLessThanOrEqual(whole.length);
    part.forEach((element, index) => {
      if (index < part.length - 1) expect(element).toEqual(whole[index]);
      else expectPrefix(element, whole[index] as Json);
    });
  } else if (typeof part === "object" && part !== null) {
    for (const [key, member] of Object.entries(part)) {
      expect(Object.hasOwn(whole as object, key)).toBe(true);
      expectPrefix(member, (whole as { [key: string]: Json })[key] as Json);
    }
  } else {
    expect(part).toEqual(whole);
  }
}

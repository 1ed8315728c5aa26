import { idProblem, jsonProblem, shortTextProblem } from "@tailkeep/server/dist/record/text.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const json = (text: string, bytesMax?: number) => jsonProblem(text, Buffer.byteLength(text), bytesMax);

describe("ids", () => {
  test.each(["a", "run-1", "日本", "😀".repeat(128), "a b", "'; DROP TABLE sessions; --", "__proto__"])(
    "%s is one",
    (id) => expect(idProblem(id, 128)).toBeUndefined(),
  );

  test.each([
    ["", /is empty; set it/],
    [" a", /white space; trim/],
    ["a ", /white space; trim/],
    ["a\u00a0", /white space; trim/],
    ["a\u0000b", /control characters; remove/],
    ["a\u007f", /control characters; remove/],
    ["a\u0085b", /control characters; remove/],
    ["😀".repeat(129), /129 characters; use at most 128/],
  ])("%j is none, and it says why", (id, problem) => expect(idProblem(id, 128)).toMatch(problem));
});

test("a text is measured in characters, as a column of a database is", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("a", "ß", "語", "😀"), maxLength: 20 }), (text) => {
      const fits = Array.from(text).length <= 10;
      expect(shortTextProblem(text, 10) === undefined).toBe(fits);
    }),
  );
});

describe("JSON", () => {
  test("what JSON.stringify writes is JSON", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(json(JSON.stringify(value))).toBeUndefined();
      }),
    );
  });

  test.each(["", "{", "NaN", "undefined", "{'a':1}", "1 2", "[1,]", '"\u0000"'])("%j is not", (text) =>
    expect(json(text)).toMatch(/is not JSON .*send JSON text/),
  );

  test("depth is counted outside of strings, and to the limit", () => {
    const brackets = "[{".repeat(100);
    expect(json(JSON.stringify({ text: brackets, escaped: `"\\${brackets}` }))).toBeUndefined();
    expect(json("[".repeat(64) + "]".repeat(64))).toBeUndefined();
    expect(json("[".repeat(65) + "]".repeat(65))).toMatch(/more than 64 deep; flatten/);
    expect(json(`${'{"a":'.repeat(65)}1${"}".repeat(65)}`)).toMatch(/more than 64 deep/);
  });

  test("size is counted in bytes", () => {
    expect(json('"語"', 5)).toBeUndefined();
    expect(json('"語"', 4)).toMatch(/has 5 bytes; use at most 4/);
  });
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { fileStem, isCutStem, nameOfStem } from "../../../client/src/state-store/file-name.js";

const names = fc.oneof(
  fc.string({ minLength: 1, maxLength: 256, unit: "binary" }).filter((name) => !/\p{Surrogate}/u.test(name)),
  fc.string({ minLength: 1, maxLength: 40, unit: fc.constantFrom(...'aAbB.-_~%= /\\:*?"<>|'.split("")) }),
  fc.constantFrom("con", "CON", "nul", "com1", "LPT9", "..", ".", "../../etc/passwd", "a/b", "C:\\x", "aux.json", "ä"),
);

test("every name has a file name that every platform takes, and comes back from it", () => {
  fc.assert(
    fc.property(names, (name) => {
      const stem = fileStem(name);
      // No capitals, dots, blanks, separators, or anything beyond ASCII.
      expect(stem).toMatch(/^[a-z0-9_=%~-]+$/);
      expect(stem).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)$/);
      expect(stem.length).toBeLessThanOrEqual(160);
      expect(nameOfStem(stem)).toBe(isCutStem(stem) ? undefined : name);
    }),
    { numRuns: 2_000 },
  );
});

test("two names never share a file name, on file systems that ignore case either", () => {
  fc.assert(
    fc.property(names, names, (a, b) => {
      expect(fileStem(a).toLowerCase() === fileStem(b).toLowerCase()).toBe(a === b);
    }),
    { numRuns: 2_000 },
  );
});

test("long names that differ at their end only have file names that differ", () => {
  const long = "語".repeat(255);
  expect(isCutStem(fileStem(`${long}a`))).toBe(true);
  expect(fileStem(`${long}a`)).not.toBe(fileStem(`${long}b`));
});

test("readable where that is possible", () => {
  expect(fileStem("global_counters")).toBe("global_counters");
  expect(fileStem("action_intelligence_ls20-fa137e")).toBe("action_intelligence_ls20-fa137e");
  expect(fileStem("Runs/7")).toBe("=runs%2f7");
});

test("a stem that it does not make is nobody's", () => {
  for (const stem of ["", "con", "A", "%2F", "%61", "=", "=1", "a.b", "a b", "%ff", "%zz", "a~b"]) {
    expect(nameOfStem(stem), stem).toBeUndefined();
  }
});

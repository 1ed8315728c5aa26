// The containers stand alone: any program may use them without the rest of the client being loaded.
import { join } from "node:path";
import { expect, test } from "vitest";
import { importsOf } from "../shape/imports.js";

test("containers import each other and the limits, and nothing else", () => {
  const source = join(import.meta.dirname, "..", "..", "..", "client", "src");
  const found = importsOf(source)
    .filter(({ from }) => from.startsWith("containers/"))
    .map(({ specifier }) => specifier);
  expect(found.length).toBeGreaterThan(10);
  expect(found.filter((specifier) => !/^\.\/[a-z-]+\.js$|^\.\.\/limits\.js$/.test(specifier))).toEqual([]);
});

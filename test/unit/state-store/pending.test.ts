import fc from "fast-check";
import { expect, test } from "vitest";
import { type Pending, pendingText, readPending, replaced, viewOf } from "../../../client/src/state-store/pending.js";
import { digestOf, sameValue } from "../../../client/src/state-store/values.js";

const json = fc.jsonValue().map((value) => JSON.stringify(value));
const optional = <Value>(arbitrary: fc.Arbitrary<Value>) => fc.option(arbitrary, { nil: undefined });
const amounts = fc
  .array(fc.tuple(fc.string(), fc.integer()), { maxLength: 4 })
  .map((entries) => new Map<string, number>(entries));
const base = fc.record({ version: fc.nat(), updatedAtUs: fc.nat(), text: optional(json) });
const attempt = fc.oneof(
  fc.record({ kind: fc.constant("value" as const), digest: fc.string() }),
  fc.record({ kind: fc.constant("count" as const), writer: fc.string(), seq: fc.nat() }),
);
const pendings: fc.Arbitrary<Pending> = fc.record({
  name: fc.string({ minLength: 1 }),
  writer: fc.string({ minLength: 1 }),
  madeAtUs: fc.nat(),
  supersedes: fc.array(fc.string()),
  replacement: optional(fc.record({ text: optional(json), base, attempts: fc.array(attempt) })),
  sealed: optional(fc.record({ seq: fc.nat(), by: amounts, attemptedVersion: optional(fc.nat()) })),
  open: optional(fc.record({ seq: fc.nat(), by: amounts })),
});

test("a pending comes back from its file as it was", () => {
  fc.assert(
    fc.property(pendings, (pending) => {
      expect(readPending(pendingText(pending))).toEqual(pending);
    }),
  );
});

test("a format of the future is refused in words", () => {
  expect(() => readPending('{"format":2}')).toThrow("has format 2, which this version does not know");
});

function pending(by: Partial<Pending>): Pending {
  return {
    name: "d",
    writer: "w",
    madeAtUs: 0,
    supersedes: [],
    replacement: undefined,
    sealed: undefined,
    open: undefined,
    ...by,
  };
}
const known = { version: 5, updatedAtUs: 50, text: '{"n":1}' };

test("the view has the last replacement and the increments after it", () => {
  const list = [
    pending({
      replacement: { text: '{"n":10}', base: known, attempts: [] },
      open: { seq: 1, by: new Map([["n", 1]]) },
    }),
    pending({
      sealed: { seq: 2, by: new Map([["n", 2]]), attemptedVersion: 5 },
      open: { seq: 3, by: new Map([["m", 4]]) },
    }),
  ];
  expect(viewOf('{"n":1}', list)).toBe('{"n":13,"m":4}');
  expect(viewOf(undefined, list.slice(1))).toBe('{"n":2,"m":4}');
  expect(viewOf("[1]", list.slice(1))).toBe("[1]");
});

test("a replacement keeps the first base, and remembers all that was sent on the way", () => {
  const list = [
    pending({
      writer: "a",
      replacement: { text: "1", base: known, attempts: [{ kind: "value", digest: "x" }] },
      sealed: { seq: 4, by: new Map(), attemptedVersion: 3 },
    }),
    pending({ writer: "b", sealed: { seq: 9, by: new Map(), attemptedVersion: undefined } }),
  ];
  const own = pending({ writer: "own", open: { seq: 1, by: new Map() } });
  const next = replaced([...list, own], own, "2", { version: 99, updatedAtUs: 1, text: undefined });
  expect(next).toEqual(
    pending({
      writer: "own",
      supersedes: ["a", "b"],
      replacement: {
        text: "2",
        base: known,
        attempts: [
          { kind: "value", digest: "x" },
          { kind: "count", writer: "a", seq: 4 },
        ],
      },
    }),
  );
});

test("values are the same whatever the order of their members", () => {
  expect(sameValue('{"a":1,"b":{"c":2,"d":3}}', '{"b":{"d":3,"c":2},"a":1}')).toBe(true);
  expect(sameValue("[1,2]", "[2,1]")).toBe(false);
  expect(sameValue(undefined, "null")).toBe(false);
  expect(digestOf('{"a":1,"b":2}')).toBe(digestOf('{"b":2,"a":1}'));
  expect(digestOf(undefined)).not.toBe(digestOf("null"));
  expect(sameValue('{"__proto__":1}', "{}")).toBe(false);
  expect(sameValue('{"__proto__":1}', '{"__proto__":1}')).toBe(true);
});

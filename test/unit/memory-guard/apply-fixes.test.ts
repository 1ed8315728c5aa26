import fc from "fast-check";
import { expect, test } from "vitest";
import { BoundedDict, BoundedList } from "../../../client/src/containers/index.js";
import { applyMemoryLeakFixes } from "../../../client/src/memory-guard/apply-fixes.js";

const reasons = (owner: object, attributes: "all" | "known" | string[] = "all") =>
  Object.fromEntries(
    applyMemoryLeakFixes(owner, { attributes }).skipped.map(({ attribute, reason }) => [attribute, reason]),
  );

test("the known attributes of a live object become bounded, with the same content", () => {
  const episodes = Array.from({ length: 150 }, (_, index) => ({ score: index }));
  const trainer = {
    performance_history: [...episodes],
    sessionHistory: [1, 2, 3],
    coordinateTracking: new Map([["1,2", { tried: 3 }]]),
    tried_coordinates: { "3,4": true } as Record<string, boolean>,
    hypotheses: [1, 2, 3],
    name: "trainer",
  };
  const { performance_history: before } = trainer;
  const { replaced, skipped } = applyMemoryLeakFixes(trainer);
  expect(replaced).toEqual([
    { attribute: "performance_history", kind: "list", capacity: 100, itemsBefore: 150, itemsAfter: 100 },
    { attribute: "sessionHistory", kind: "list", capacity: 100, itemsBefore: 3, itemsAfter: 3 },
    { attribute: "coordinateTracking", kind: "map", capacity: 500, itemsBefore: 1, itemsAfter: 1 },
    { attribute: "tried_coordinates", kind: "object", capacity: 500, itemsBefore: 1, itemsAfter: 1 },
  ]);
  expect(skipped).toEqual([]);
  expect(trainer.performance_history).toBeInstanceOf(BoundedList);
  expect(Array.isArray(trainer.performance_history)).toBe(true);
  expect([...trainer.performance_history]).toEqual(episodes.slice(50));
  expect(before).toHaveLength(150);
  for (let index = 0; index < 200; index++) trainer.performance_history.push({ score: index });
  expect(trainer.performance_history).toHaveLength(100);
  expect(trainer.coordinateTracking).toBeInstanceOf(BoundedDict);
  expect(trainer.coordinateTracking.get("1,2")).toEqual({ tried: 3 });
  expect(trainer.tried_coordinates["3,4"]).toBe(true);
  for (let index = 0; index < 600; index++) trainer.tried_coordinates[`${index},0`] = true;
  expect(Object.keys(trainer.tried_coordinates)).toHaveLength(500);
  expect(trainer.hypotheses).not.toBeInstanceOf(BoundedList);
});

test("all of them, or those that are named, with bounds of the caller's", () => {
  const make = () => ({ a: [1, 2, 3], b: new Map([[1, 1]]), c: { x: 1 }, n: 1 });
  const all = make();
  expect(applyMemoryLeakFixes(all, { attributes: "all", itemsMax: 2 }).replaced).toMatchObject([
    { attribute: "a", capacity: 2, itemsBefore: 3, itemsAfter: 2 },
    { attribute: "b", capacity: 2 },
    { attribute: "c", capacity: 2 },
  ]);
  expect(all).toMatchObject({ n: 1 });
  expect([...all.a]).toEqual([2, 3]);
  const named = make();
  applyMemoryLeakFixes(named, { attributes: ["a", "missing"], limits: { a: 7 } });
  expect((named.a as BoundedList<number>).capacity).toBe(7);
  expect(named.b).not.toBeInstanceOf(BoundedDict);
});

test("what shares a container shares the bounded one; a second time changes nothing", () => {
  const list = [1, 2];
  const owner = { a: list, b: list };
  applyMemoryLeakFixes(owner, { attributes: "all" });
  expect(owner.a).toBe(owner.b);
  owner.a.push(3);
  expect([...owner.b]).toEqual([1, 2, 3]);
  expect(reasons(owner)).toEqual({ a: "it is bounded already", b: "it is bounded already" });
});

test("the property stays what it was", () => {
  const owner = {};
  Object.defineProperty(owner, "hidden", { value: [1], writable: true, enumerable: false, configurable: false });
  applyMemoryLeakFixes(owner, { attributes: ["hidden"] });
  expect(Object.getOwnPropertyDescriptor(owner, "hidden")).toMatchObject({
    writable: true,
    enumerable: false,
    configurable: false,
    value: expect.any(BoundedList) as unknown,
  });
});

test("what cannot be replaced is left alone and said", () => {
  class Episodes extends Array<number> {}
  class Index extends Map<string, number> {}
  const odd = Object.assign([1], { label: "x" });
  const withGetter = {
    get x() {
      return 1;
    },
  };
  let getterRuns = 0;
  const owner = {
    get performanceHistory() {
      getterRuns++;
      return [1];
    },
    frozenList: Object.freeze([1]),
    sealed: Object.seal([1]),
    frozenObject: Object.freeze({ a: 1 }),
    episodes: new Episodes(),
    index: new Index(),
    odd,
    withGetter,
    symbols: { [Symbol("s")]: 1 },
    bare: Object.create(null) as object,
    set: new Set([1]),
    proxied: new Proxy([1, 2], {}),
    typed: new Float64Array(3),
    buffer: Buffer.alloc(3),
    date: new Date(),
    weak: new WeakMap(),
    call: () => 1,
    text: "x",
  };
  Object.defineProperty(owner, "fixed", { value: [1], enumerable: true });
  const before = Object.getOwnPropertyDescriptors(owner);
  expect(reasons(owner)).toEqual({
    performanceHistory: "it is a getter",
    frozenList: "it is frozen",
    sealed: "it cannot grow",
    frozenObject: "it is frozen",
    episodes: "it is of a class of its own",
    index: "it is of a class of its own",
    odd: "it has properties beside its items",
    withGetter: "it has more than plain entries",
    symbols: "it has more than plain entries",
    bare: "it has no prototype",
    set: "it is a Set: let a MemoryGuard bound it",
    proxied: "it is a Proxy",
    fixed: "it cannot be written",
  });
  expect(Object.getOwnPropertyDescriptors(owner)).toEqual(before);
  expect(getterRuns).toBe(0);
});

test("frozen objects, Proxies that refuse and private fields do not break it", () => {
  class Private {
    #performanceHistory = [1];
    get performanceHistory() {
      return this.#performanceHistory;
    }
  }
  expect(applyMemoryLeakFixes(new Private())).toEqual({ replaced: [], skipped: [] });
  expect(reasons(new Private(), ["performanceHistory"])).toEqual({
    performanceHistory: "it is no property of its own",
  });
  expect(reasons(Object.freeze({ actionHistory: [1] }), "known")).toEqual({ actionHistory: "it cannot be written" });
  const refuse = (): never => {
    throw new Error("go away");
  };
  const hostile = new Proxy(
    { actionHistory: [1] },
    { ownKeys: refuse, get: refuse, getOwnPropertyDescriptor: refuse, defineProperty: refuse, getPrototypeOf: refuse },
  );
  for (const attributes of ["known", "all", ["actionHistory"]] as const) {
    expect(applyMemoryLeakFixes(hostile, { attributes }).replaced).toEqual([]);
  }
  const readOnly = new Proxy({ actionHistory: [1] }, { defineProperty: () => false });
  expect(reasons(readOnly)).toEqual({ actionHistory: "the object refuses the change" });
  expect(() => applyMemoryLeakFixes({}, { itemsMax: -1 })).toThrow("itemsMax");
});

test("whatever the content, it is the same after", () => {
  fc.assert(
    fc.property(fc.array(fc.anything()), fc.dictionary(fc.string(), fc.anything()), (items, entries) => {
      const owner = { list: [...items], map: new Map(Object.entries(entries)), object: { ...entries } };
      applyMemoryLeakFixes(owner, { attributes: "all", itemsMax: 10_000 });
      expect([...owner.list]).toEqual(items);
      expect([...owner.map]).toEqual(Object.entries(entries));
      expect(Object.entries(owner.object)).toEqual(Object.entries(entries));
    }),
  );
});

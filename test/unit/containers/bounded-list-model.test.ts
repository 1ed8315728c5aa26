// A BoundedList against an Array that drops its oldest: after any sequence of anything that arrays can do, both hold the
// same, and an observer was told enough to know it too.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BoundedList, type ListObserver } from "../../../client/src/containers/index.js";
import { ListModel } from "./list-model.js";
import { compare, type Steps, step } from "./model.js";

type Item = number | undefined;

/** Follows a list by what it is told. */
class Shadow implements ListObserver<Item> {
  items: Item[] = [];
  isKnown = true;
  readonly calls: string[] = [];

  appended(item: Item): void {
    this.items.push(item);
  }
  evicted(count: number): void {
    expect(count).toBeGreaterThan(0);
    this.items.splice(0, count);
  }
  changed(isEmpty: boolean): void {
    this.items = [];
    this.isKnown = isEmpty;
  }
}

interface Real {
  readonly list: BoundedList<Item>;
  readonly shadow: Shadow;
}

function expectSame({ items, evictions, capacity, bytes, bytesMax }: ListModel, { list, shadow }: Real): void {
  expect(list.toList()).toEqual(items);
  expect([...list]).toEqual(items);
  expect(list.length).toBe(items.length);
  expect(list.capacity).toBe(capacity);
  expect(list.evictions).toBe(evictions);
  expect(list.byteLength).toBe(bytesMax === undefined ? undefined : bytes);
  if (shadow.isKnown) expect(shadow.items).toEqual(items);
  shadow.items = [...items];
  shadow.isKnown = true;
}

const item = fc.integer({ min: 0, max: 9 });
const items = fc.array(item, { maxLength: 8 });
const place = fc.integer({ min: -12, max: 12 });
const optionalPlace = fc.option(place, { nil: undefined });

/** Both do the same and return the same. */
function both<Argument>(
  name: string,
  argument: fc.Arbitrary<Argument>,
  change: (list: Item[], argument: Argument) => unknown,
): Steps<ListModel, Real>[number] {
  return step(name, argument, (model, real, given) => {
    const expected = model.change((array) => change(array, given));
    const found = change(real.list, given);
    if (found === real.list) expect(expected).toBeInstanceOf(Array);
    else expect(found).toEqual(expected);
    expectSame(model, real);
  });
}

/** Reads only. */
function reads<Argument>(
  name: string,
  argument: fc.Arbitrary<Argument>,
  read: (list: Item[], argument: Argument) => unknown,
): Steps<ListModel, Real>[number] {
  return step(name, argument, (model, real, given) => {
    const found = read(real.list, given);
    expect(found).toEqual(read(model.items, given));
    if (Array.isArray(found)) expect(Object.getPrototypeOf(found)).toBe(Array.prototype);
    expectSame(model, real);
  });
}

const nothing = fc.constant(undefined);
const byValue = (a: Item, b: Item) => (a ?? -1) - (b ?? -1);

const APPENDING: Steps<ListModel, Real> = [
  step("append", item, (model, real, given) => {
    model.append(given);
    expect(real.list.append(given)).toBeUndefined();
    expectSame(model, real);
  }),
  step("push", items, (model, real, given) => {
    model.append(...given);
    expect(real.list.push(...given)).toBe(model.items.length);
    expectSame(model, real);
  }),
  step("extend", items, (model, real, given) => {
    model.append(...given);
    real.list.extend(new Set(given).size === given.length ? new Set(given) : given);
    expectSame(model, real);
  }),
  step("extend by itself", nothing, (model, real) => {
    model.append(...model.items.map((each) => each ?? 0));
    real.list.extend(real.list.map((each) => each ?? 0));
    expectSame(model, real);
  }),
];

const CHANGING: Steps<ListModel, Real> = [
  both("pop", nothing, (list) => list.pop()),
  both("shift", nothing, (list) => list.shift()),
  // Of what is skipped only as many places are filled as can stay, and more never count as dropped.
  step("index set", fc.tuple(fc.nat(20), item), (model, real, [index, value]) => {
    const [{ length }, most] = [model.items, model.items.length + model.capacity];
    model.change((array) =>
      array.splice(index, 1, ...Array<undefined>(Math.max(0, Math.min(index, most) - length)), value),
    );
    real.list[index] = value;
    expectSame(model, real);
  }),
  step("length", fc.nat(20), (model, real, length) => {
    const most = model.items.length + model.capacity;
    model.change((array) => {
      array.length = Math.min(length, most);
    });
    real.list.length = length;
    expectSame(model, real);
  }),
  both("splice", fc.tuple(place, fc.nat(5), items), (list, [from, count, added]) => list.splice(from, count, ...added)),
  both("splice to the end", place, (list, from) => list.splice(from)),
  both("sort", nothing, (list) => list.sort(byValue)),
  both("sort as text", nothing, (list) => list.sort(undefined)),
  both("reverse", nothing, (list) => list.reverse()),
  both("fill", fc.tuple(item, optionalPlace, optionalPlace), (list, [value, from, to]) => list.fill(value, from, to)),
  both("copyWithin", fc.tuple(place, place, optionalPlace), (list, [to, from, end]) => list.copyWithin(to, from, end)),
  step("defineProperty", fc.tuple(fc.nat(9), item), (model, real, [index, value]) => {
    const isInside = index < model.items.length;
    model.change((array) => (isInside ? array.splice(index, 1, value) : undefined));
    if (isInside) Object.defineProperty(real.list, index, { value });
    else expect(index in real.list).toBe(false);
    expectSame(model, real);
  }),
  step("unshift", items, (model, real, given) => {
    model.change((array) => array.unshift(...given));
    expect(real.list.unshift(...given)).toBe(model.items.length);
    expectSame(model, real);
  }),
  step("delete", fc.nat(9), (model, real, index) => {
    model.change((array) => (index < array.length ? array.fill(undefined, index, index + 1) : 0));
    expect(Reflect.deleteProperty(real.list, index)).toBe(true);
    expectSame(model, real);
  }),
  step("set", fc.tuple(place, item), (model, real, [index, value]) => {
    const { length } = model.items;
    const isInside = index >= -length && index < length;
    if (!isInside) {
      expect(() => real.list.set(index, value)).toThrow(RangeError);
      return;
    }
    model.change((array) => array.fill(value, index, index === -1 ? undefined : index + 1));
    real.list.set(index, value);
    expectSame(model, real);
  }),
  step("clear", nothing, (model, real) => {
    model.items = [];
    real.list.clear();
    expectSame(model, real);
  }),
  step("resize", fc.integer({ min: 1, max: 12 }), (model, real, capacity) => {
    model.capacity = capacity;
    model.fit();
    real.list.resize(capacity);
    expectSame(model, real);
  }),
];

const READING: Steps<ListModel, Real> = [
  reads("index", place, (list, index) => list[index]),
  reads("at", place, (list, index) => list.at(index)),
  reads("in", place, (list, index) => index in list),
  reads("slice", fc.tuple(optionalPlace, optionalPlace), (list, [from, to]) => list.slice(from, to)),
  reads("concat", items, (list, added) => list.concat(added, [1], 2)),
  reads("concatenated", items, (list, before) => before.concat(list as number[])),
  reads("indexOf", fc.tuple(item, place), (list, [wanted, from]) => list.indexOf(wanted, from)),
  reads("lastIndexOf", fc.tuple(item, place), (list, [wanted, from]) => list.lastIndexOf(wanted, from)),
  reads("lastIndexOf all", item, (list, wanted) => list.lastIndexOf(wanted)),
  reads("includes", fc.tuple(item, place), (list, [wanted, from]) => list.includes(wanted, from)),
  reads("includes undefined", nothing, (list) => list.includes(undefined)),
  reads("join", nothing, (list) => [list.join(), list.join("-"), list.toString(), list.toLocaleString(), String(list)]),
  reads("map", nothing, (list) => list.map((each, index) => [each, index])),
  reads("filter", item, (list, limit) => list.filter((each, index) => (each ?? 0) > limit || index === 1)),
  reads("flatMap", nothing, (list) => list.flatMap((each, index) => (index % 2 === 0 ? [each, index] : index))),
  reads("flat", nothing, (list) => [list.flat(), list.flatMap((each) => [each])]),
  reads("some, every", item, (list, limit) => [
    list.some((each) => (each ?? 0) > limit),
    list.every((each) => (each ?? 0) > limit),
  ]),
  reads("find", item, (list, wanted) => [
    list.find((each) => each === wanted),
    list.findIndex((each, index) => each === wanted && index >= 0),
    list.findLast((each, index) => each === wanted && index >= 0),
    list.findLastIndex((each, index) => each === wanted && index >= 0),
  ]),
  reads("reduce", nothing, (list) => [
    list.reduce<string>((text, each, index) => `${text},${each}${index}`, ""),
    list.reduceRight<string>((text, each, index) => `${text},${each}${index}`, ""),
    list.length === 0 ? 0 : list.reduce((a, b) => (a ?? 0) * 2 + (b ?? 0)),
    list.length === 0 ? 0 : list.reduceRight((a, b) => (a ?? 0) * 2 + (b ?? 0)),
  ]),
  reads("forEach", nothing, (list) => {
    const seen: unknown[] = [];
    list.forEach((each, index) => void seen.push(each, index));
    return seen;
  }),
  reads("iterators", nothing, (list) => [[...list.keys()], [...list.values()], [...list.entries()]]),
  reads("copies", fc.tuple(place, fc.nat(3), item), (list, [from, count, added]) => [
    list.toReversed(),
    list.toSorted(byValue),
    list.toSpliced(from, count, added),
    list.length === 0 ? [] : list.with(-1, added),
  ]),
  reads("JSON", nothing, (list) => JSON.stringify({ list }, null, 1)),
  reads("own keys", nothing, (list) => [Object.keys(list), Object.entries(list), Reflect.ownKeys(list)]),
  reads("for in", nothing, (list) => {
    const keys: string[] = [];
    const object: object = list;
    for (const key in object) keys.push(key);
    return keys;
  }),
  reads("descriptor", place, (list, index) => Object.getOwnPropertyDescriptor(list, index)),
  reads("destructured", nothing, (list) => {
    const [first, second = 7, ...others] = list;
    return [first, second, others];
  }),
  reads("Array.from", nothing, (list) => [Array.from(list), Array.from(list, (each) => [each]), Array.of(...list)]),
  reads("generic methods", item, (list, wanted) => [
    Array.prototype.indexOf.call(list, wanted),
    Array.prototype.map.call(list, String),
    Array.prototype.slice.call(list, 1),
  ]),
  step("getRecent", fc.nat(15), (model, real, count) => {
    expect(real.list.getRecent(count)).toEqual(count === 0 ? [] : model.items.slice(-count));
  }),
];

function pair({ capacity, bytesMax }: { capacity: number; bytesMax: number | undefined }): {
  model: ListModel;
  real: Real;
} {
  const shadow = new Shadow();
  const options = bytesMax === undefined ? capacity : { capacity, bytesMax, sizeOf: (each: Item) => each ?? -1 };
  return { model: new ListModel(capacity, bytesMax), real: { list: new BoundedList<Item>(options, shadow), shadow } };
}

const capacity = fc.integer({ min: 1, max: 12 });

describe("a list is an Array that drops its oldest", () => {
  test("bounded by items", () => {
    const setup = fc.record({ capacity, bytesMax: fc.constant(undefined) });
    compare(setup, pair, [...APPENDING, ...CHANGING, ...READING], 600);
  });

  test("bounded by bytes too", () => {
    const setup = fc.record({ capacity, bytesMax: fc.integer({ min: 1, max: 40 }) });
    compare(setup, pair, [...APPENDING, ...CHANGING, ...READING], 600);
  });

  test("in pieces, as large ones are", () => {
    const large = fc.record({ capacity: fc.constant(20_000), bytesMax: fc.integer({ min: 1, max: 60 }) });
    const steps = [...APPENDING, ...CHANGING.slice(0, -1), ...READING];
    compare(large, pair, steps, 300);
  });
});

describe("in pieces", () => {
  /** Many items at once, so that pieces fill, empty and are used again. */
  const many = fc.integer({ min: 0, max: 9_000 });
  let next = 0;
  const run = (count: number) => Array.from({ length: count }, () => next++ % 5_000);
  const STEPS: Steps<ListModel, Real> = [
    step("append", many, (model, real, count) => {
      const given = run(count);
      model.items = model.items.concat(given);
      const surplus = Math.max(0, model.items.length - model.capacity);
      model.evictions += surplus;
      model.items.splice(0, surplus);
      real.list.extend(given);
      expectSame(model, real);
    }),
    step("pop", many, (model, real, count) => {
      for (let left = count; left > 0; left--) expect(real.list.pop()).toBe(model.items.pop());
      expectSame(model, real);
    }),
    step("shift", many, (model, real, count) => {
      const taken = model.items.splice(0, count);
      for (const each of taken) expect(real.list.shift()).toBe(each);
      expectSame(model, real);
    }),
    step("resize", fc.integer({ min: 1_000, max: 40_000 }), (model, real, capacity) => {
      const surplus = Math.max(0, model.items.length - capacity);
      model.capacity = capacity;
      model.evictions += surplus;
      model.items.splice(0, surplus);
      real.list.resize(capacity);
      expectSame(model, real);
    }),
  ];

  test("nothing is lost or mixed up", () => {
    const setup = fc.record({ capacity: fc.constant(20_000), bytesMax: fc.constant(undefined) });
    compare(setup, pair, STEPS, 20);
  });
});

// The bare ring, from both ends and at every size.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BoundedRing } from "../../../client/src/containers/index.js";
import { compare, type Steps, step } from "./model.js";

interface Model {
  items: number[];
  capacity: number;
  evictions: number;
}

function drop(model: Model): void {
  while (model.items.length > model.capacity) {
    model.items.shift();
    model.evictions++;
  }
}

function expectSame({ items, capacity, evictions }: Model, ring: BoundedRing<number>): void {
  expect(ring.toArray()).toEqual(items);
  expect([...ring]).toEqual(items);
  expect([ring.length, ring.capacity, ring.evictions]).toEqual([items.length, capacity, evictions]);
  expect([ring.first(), ring.last()]).toEqual([items[0], items.at(-1)]);
  for (let index = -items.length - 1; index <= items.length; index++) {
    expect(ring.at(index)).toBe(items.at(index));
    expect(ring.get(index)).toBe(items[index]);
  }
}

const STEPS: Steps<Model, BoundedRing<number>> = [
  step("push", fc.array(fc.nat(9), { maxLength: 12 }), (model, ring, items) => {
    for (const item of items) {
      model.items.push(item);
      drop(model);
      ring.push(item);
    }
    expectSame(model, ring);
  }),
  step("shift", fc.constant(undefined), (model, ring) => {
    expect(ring.shift()).toBe(model.items.shift());
    expectSame(model, ring);
  }),
  step("pop", fc.constant(undefined), (model, ring) => {
    expect(ring.pop()).toBe(model.items.pop());
    expectSame(model, ring);
  }),
  step("set", fc.tuple(fc.integer({ min: -9, max: 9 }), fc.nat(9)), (model, ring, [index, item]) => {
    const { length } = model.items;
    if (index < -length || index >= length) {
      expect(() => ring.set(index, item)).toThrow(RangeError);
      return;
    }
    model.items[index < 0 ? index + length : index] = item;
    ring.set(index, item);
    expectSame(model, ring);
  }),
  step("clear", fc.constant(undefined), (model, ring) => {
    model.items = [];
    ring.clear();
    expectSame(model, ring);
  }),
  step("resize", fc.integer({ min: 1, max: 9 }), (model, ring, capacity) => {
    model.capacity = capacity;
    drop(model);
    ring.resize(capacity);
    expectSame(model, ring);
  }),
];

describe("a ring", () => {
  test("is an array that drops its oldest", () => {
    const make = (capacity: number) => ({
      model: { items: [], capacity, evictions: 0 },
      real: new BoundedRing<number>(capacity),
    });
    compare(fc.integer({ min: 1, max: 9 }), make, STEPS, 600);
  });

  test("keeps the newest of a million", () => {
    const ring = new BoundedRing<number>({ capacity: 100_000, name: "many" });
    for (let item = 0; item < 1_000_000; item++) ring.push(item);
    expect([ring.first(), ring.last(), ring.length, ring.evictions]).toEqual([900_000, 999_999, 100_000, 900_000]);
    expect([ring.name, ring.byteLength]).toEqual(["many", undefined]);
  });

  test("goes on with the next item when the oldest are dropped under an iteration", () => {
    const ring = new BoundedRing<number>(3);
    for (const item of [0, 1, 2]) ring.push(item);
    const seen: number[] = [];
    for (const item of ring) {
      seen.push(item);
      if (item < 8) for (let each = 0; each < 2; each++) ring.push((ring.last() ?? 0) + 1);
    }
    expect(seen).toEqual([0, 2, 4, 6, 8, 9, 10]);
  });

  test.each([0, 2.5, Number.POSITIVE_INFINITY])("capacity %d is refused", (capacity) => {
    expect(() => new BoundedRing(capacity)).toThrow(RangeError);
    expect(() => new BoundedRing(3).resize(capacity)).toThrow(RangeError);
  });
});

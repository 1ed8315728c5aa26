// A BoundedDict against a Map that drops what was used longest ago, with keys of every kind, found by a Map and by a table
// of its own.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BoundedDict } from "../../../client/src/containers/index.js";
import { compare, type Steps, step } from "./model.js";

class Model {
  entries = new Map<unknown, number>();
  dropped: (readonly [unknown, number])[] = [];
  capacity: number;
  readonly bytesMax: number | undefined;

  constructor(capacity: number, bytesMax: number | undefined) {
    this.capacity = capacity;
    this.bytesMax = bytesMax;
  }

  /** Entries weigh what their value is. */
  get bytes(): number {
    return [...this.entries.values()].reduce((sum, value) => sum + value, 0);
  }

  use(key: unknown): void {
    const value = this.entries.get(key);
    if (value === undefined) return;
    this.entries.delete(key);
    this.entries.set(key, value);
  }

  /** `isLooping`: a loop is under way, and what is there keeps its place. */
  set(key: unknown, value: number, isLooping = false): void {
    if (value > (this.bytesMax ?? value)) {
      this.entries.delete(key);
      this.dropped.push([key, value]);
      return;
    }
    if (!isLooping) this.entries.delete(key);
    this.entries.set(key, value);
    this.fit(key);
  }

  fit(spared?: unknown): void {
    const isTooMuch = () => this.entries.size > this.capacity || this.bytes > (this.bytesMax ?? this.bytes);
    for (const [key, value] of Array.from(this.entries)) {
      if (!isTooMuch()) return;
      if (Object.is(key, spared) && this.entries.size <= this.capacity) continue;
      this.entries.delete(key);
      this.dropped.push([key, value]);
    }
  }
}

/** Tells what it was told. */
class Told extends BoundedDict<unknown, number> {
  dropped: (readonly [unknown, number])[] = [];

  protected override evicted(key: unknown, value: number): void {
    this.dropped.push([key, value]);
  }
}

function expectSame(model: Model, dict: Told): void {
  expect([...dict]).toEqual([...model.entries]);
  expect(dict.size).toBe(model.entries.size);
  expect(dict.capacity).toBe(model.capacity);
  expect(dict.byteLength).toBe(model.bytesMax === undefined ? undefined : model.bytes);
  expect(dict.dropped).toEqual(model.dropped);
  expect(dict.evictions).toBe(model.dropped.length);
}

const OBJECTS = [{}, [], () => 0, Object.freeze({}), new Proxy({}, {})];
const key = fc.oneof(
  fc.constantFrom<unknown[]>(...OBJECTS, null, undefined, true, false, Symbol("a"), Symbol.iterator, 0n, 10n ** 30n),
  fc.constantFrom<unknown[]>(0, -0, 1, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, 2 ** 53, 1e300),
  fc.constantFrom<unknown[]>("", "0", "a", "ab", "12,45", "__proto__", "constructor", "ein langer Schlüssel", "🙂🙂"),
);
const value = fc.integer({ min: 0, max: 9 });
const nothing = fc.constant(undefined);

const STEPS: Steps<Model, Told> = [
  step("set", fc.tuple(key, value), (model, dict, [given, content]) => {
    model.set(given, content);
    expect(dict.set(given, content)).toBe(dict);
    expectSame(model, dict);
  }),
  step("get", key, (model, dict, given) => {
    expect(dict.get(given)).toBe(model.entries.get(given));
    model.use(given);
    expect(dict.get(given, -1)).toBe(model.entries.get(given) ?? -1);
    expectSame(model, dict);
  }),
  step("peek and has", key, (model, dict, given) => {
    expect(dict.peek(given)).toBe(model.entries.get(given));
    expect(dict.has(given)).toBe(model.entries.has(given));
    expectSame(model, dict);
  }),
  step("delete", key, (model, dict, given) => {
    expect(dict.delete(given)).toBe(model.entries.delete(given));
    expectSame(model, dict);
  }),
  step("getOrInsert", fc.tuple(key, value, fc.boolean()), (model, dict, [given, content, isComputed]) => {
    const expected = model.entries.get(given) ?? content;
    if (model.entries.has(given)) model.use(given);
    else model.set(given, content);
    const found = isComputed ? dict.getOrInsertComputed(given, () => content) : dict.getOrInsert(given, content);
    expect(found).toBe(expected);
    expectSame(model, dict);
  }),
  step("clear", nothing, (model, dict) => {
    model.entries.clear();
    dict.clear();
    expectSame(model, dict);
  }),
  step("views", nothing, (model, dict) => {
    expect([...dict.keys()]).toEqual([...model.entries.keys()]);
    expect([...dict.values()]).toEqual([...model.entries.values()]);
    expect([...dict.entries()]).toEqual([...model.entries.entries()]);
    const seen: unknown[] = [];
    dict.forEach((content, each, self) => void seen.push([each, content, self === dict]));
    expect(seen).toEqual([...model.entries].map(([each, content]) => [each, content, true]));
    expectSame(model, dict);
  }),
  step(
    "loop",
    fc.array(fc.tuple(fc.constantFrom("get", "set", "delete", "break"), key, value)),
    (model, dict, plan) => {
      // As a Map's: what is deleted is not visited, what is added is; and no use moves anything.
      const expected = model.entries.entries();
      let at = 0;
      for (const entry of dict) {
        expect(entry).toEqual(expected.next().value);
        const [what, given, content] = plan[at++] ?? ["get", entry[0], 0];
        if (what === "break") return;
        if (what === "get") expect(dict.get(given)).toBe(model.entries.get(given));
        else if (what === "delete") expect(dict.delete(given)).toBe(model.entries.delete(given));
        else {
          model.set(given, content, true);
          dict.set(given, content);
        }
      }
      expect(expected.next().done).toBe(true);
      expectSame(model, dict);
    },
  ),
  step("resize", fc.integer({ min: 1, max: 8 }), (model, dict, capacity) => {
    model.capacity = capacity;
    model.fit();
    dict.resize(capacity);
    expectSame(model, dict);
  }),
];

function pair({ capacity, bytesMax }: { capacity: number; bytesMax: number | undefined }): {
  model: Model;
  real: Told;
} {
  const options = bytesMax === undefined ? capacity : { capacity, bytesMax, sizeOf: (content: number) => content };
  return { model: new Model(capacity, bytesMax), real: new Told(options) };
}

describe("a dictionary is a Map that drops what was used longest ago", () => {
  const capacity = fc.integer({ min: 1, max: 8 });

  test("bounded by entries", () => {
    compare(fc.record({ capacity, bytesMax: fc.constant(undefined) }), pair, STEPS, 1_000);
  });

  test("bounded by bytes too", () => {
    compare(fc.record({ capacity, bytesMax: fc.integer({ min: 1, max: 30 }) }), pair, STEPS, 1_000);
  });

  test("with a table of its own, as large ones are", () => {
    const large = fc.record({ capacity: fc.constant(1_000_000), bytesMax: fc.integer({ min: 1, max: 40 }) });
    compare(large, pair, STEPS.slice(0, -1), 100);
  });
});

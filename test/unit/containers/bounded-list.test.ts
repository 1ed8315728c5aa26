// What makes a BoundedList a drop-in for an Array, beside what the model compares.
import assert from "node:assert";
import { format, inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BoundedList, type ListObserver } from "../../../client/src/containers/index.js";

function listOf<T>(capacity: number, ...items: T[]): BoundedList<T> {
  const list = new BoundedList<T>(capacity);
  list.extend(items);
  return list;
}

describe("an Array to whoever asks", () => {
  test("by every question there is", () => {
    const list = listOf(3, "a", "b", "c", "d");
    expect(Array.isArray(list)).toBe(true);
    expect(list).toBeInstanceOf(Array);
    expect(list).toBeInstanceOf(BoundedList);
    expect(Object.prototype.toString.call(list)).toBe("[object Array]");
    expect(list).toEqual(["b", "c", "d"]);
    expect(Math.max(...listOf(2, 1, 2, 3))).toBe(3);
    expect(Object.assign([], list)).toEqual(["b", "c", "d"]);
    expect(Object.assign({}, list)).toEqual({ 0: "b", 1: "c", 2: "d" });
  });

  test("keys that only look like places are properties", () => {
    const list = listOf<string>(3, "a", "b");
    for (const key of ["01", "1.0", "1e0", "+1", " 1", "", "-0", "1x", "4294967295", "0x1", "Infinity"]) {
      expect(Reflect.get(list, key), key).toBeUndefined();
      expect(Reflect.set(list, key, 7), key).toBe(true);
      expect(list.toList(), key).toEqual(["a", "b"]);
      expect(Reflect.get(list, key), key).toBe(7);
      expect(Reflect.deleteProperty(list, key), key).toBe(true);
    }
    fc.assert(
      fc.property(fc.nat(2 ** 32 - 2), (index) => {
        const [value, isPlace] = [Reflect.get(list, String(index)) as unknown, index < 2];
        return isPlace ? value === list.at(index) : value === undefined;
      }),
    );
  });

  test("writing before the first place says what to do instead", () => {
    const list = listOf(3, 1, 2);
    expect(() => {
      list[-1] = 3;
    }).toThrow("list.set(-1, item)");
    expect(list[-1]).toBeUndefined();
    list.set(-1, 3);
    expect(list.toList()).toEqual([1, 3]);
  });

  test("it cannot be frozen, hidden or given accessors, and says so", () => {
    const list = listOf(3, 1, 2);
    expect(() => Object.freeze(list)).toThrow(TypeError);
    expect(() => Object.defineProperty(list, 0, { get: () => 1 })).toThrow(TypeError);
    expect(() => Object.defineProperty(list, 0, { value: 1, writable: false })).toThrow(TypeError);
    expect(() => Object.defineProperty(list, "length", { writable: false })).toThrow(TypeError);
    expect(Reflect.deleteProperty(list, "length")).toBe(false);
    expect(list.toList()).toEqual([1, 2]);
  });

  test.each([-1, 1.5, Number.NaN, 2 ** 32])("length %d is refused as an Array refuses it", (length) => {
    expect(() => {
      listOf(3, 1).length = length;
    }).toThrow(new RangeError("Invalid array length"));
  });

  test("what inherits from a list writes to itself", () => {
    const list = listOf<number>(3, 1, 2);
    const heir = Object.create(list) as number[];
    heir[5] = 7;
    expect(list.toList()).toEqual([1, 2]);
    expect([heir[5], heir[0]]).toEqual([7, 1]);
  });

  test("methods that were taken out work on any list, and on nothing else", () => {
    type Method = (this: unknown, argument: unknown) => unknown;
    const methodOf = (owner: object, name: string) => Reflect.get(owner, name) as Method;
    const [one, two] = [listOf(2, 1), listOf(2, 2)];
    const kept = methodOf(one, "append");
    two.append(3);
    kept.call(one, 4);
    const append = methodOf(BoundedList.prototype, "append");
    append.call(two, 5);
    expect([one.toList(), two.toList()]).toEqual([
      [1, 4],
      [3, 5],
    ]);
    one.append(two.at(-1) ?? 0);
    expect(one.toList()).toEqual([4, 5]);
    expect(methodOf(BoundedList.prototype, "map").call(two, String)).toEqual(["3", "5"]);
    expect(() => append.call([], 1)).toThrow(TypeError);
  });

  test("Node shows its items", () => {
    expect(inspect(listOf(2, 1, 2, 3))).toBe("BoundedList(2) [ 2, 3 ]");
    expect(inspect({ nested: listOf(2, { a: 1 }) }, { depth: 3 })).toBe("{ nested: BoundedList(1) [ { a: 1 } ] }");
  });

  test("Node shows its items where it is asked for the Proxy itself", () => {
    expect(format("%o", listOf(2, 1, 2, 3))).toMatch(/BoundedList\(2\) \[\s+2,\s+3,/);
    expect(inspect({ list: listOf(2, 1, 2, 3) }, { showProxy: true, depth: 3 })).toContain("BoundedList(2) [ 2, 3 ]");
  });

  test("assert tells lists apart by their content; structuredClone takes toList()", () => {
    assert.deepStrictEqual(listOf<unknown>(3, 1, { a: 2 }), listOf<unknown>(3, 1, { a: 2 }));
    assert.deepEqual(listOf(3, 1, 2), [1, 2]);
    expect(() => assert.deepStrictEqual(listOf(3, 1), listOf(3, 2))).toThrow();
    expect(() => structuredClone(listOf(2, 1))).toThrow();
    expect(structuredClone(listOf(2, 1).toList())).toEqual([1]);
  });

  test("from and of make lists of the default capacity", () => {
    expect(BoundedList.from(new Set([1, 2]), (each) => String(each)).toList()).toEqual(["1", "2"]);
    expect(BoundedList.of(...Array(150).keys()).length).toBe(100);
  });
});

describe("bounds", () => {
  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 25])("capacity %d is refused", (capacity) => {
    expect(() => new BoundedList(capacity)).toThrow(RangeError);
    expect(() => new BoundedList({ capacity })).toThrow("nothing here is unbounded");
    const list = listOf(3, 1);
    expect(() => list.resize(capacity)).toThrow(RangeError);
    expect(list.capacity).toBe(3);
  });

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("bytesMax %d is refused", (bytesMax) => {
    expect(() => new BoundedList({ bytesMax })).toThrow(RangeError);
  });

  test("what is no capacity and no options is refused", () => {
    for (const wrong of [[1, 2], "5", null, new Set()]) {
      expect(() => new BoundedList(wrong as never)).toThrow("takes its capacity or its options first");
    }
    expect(new BoundedList().capacity).toBe(100);
  });

  test("sizes that are none are refused and leave all as it was", () => {
    for (const size of [Number.NaN, -1, Number.POSITIVE_INFINITY, "3" as never]) {
      let next = 1;
      const list = new BoundedList<string>({ bytesMax: 10, sizeOf: () => next });
      list.append("a");
      next = size;
      expect(() => list.append("b")).toThrow(TypeError);
      expect(() => list.sort()).toThrow(TypeError);
      expect(() => {
        list[0] = "c";
      }).toThrow(TypeError);
      expect([list.toList(), list.byteLength, list.evictions]).toEqual([["a"], 1, 0]);
    }
  });

  test("an item that is too large alone is dropped with all before it", () => {
    const list = new BoundedList<number>({ bytesMax: 10, sizeOf: (item) => item });
    list.push(3, 4, 11);
    expect([list.toList(), list.evictions, list.byteLength]).toEqual([[], 3, 0]);
    list.push(5);
    expect(list.toList()).toEqual([5]);
  });

  test("names and readings", () => {
    const list = new BoundedList<number>({ capacity: 2, name: "scores" });
    list.push(1, 2, 3);
    expect([list.name, list.capacity, list.evictions, list.byteLength]).toEqual(["scores", 2, 1, undefined]);
    expect(new BoundedList({ bytesMax: 1_000 }).byteLength).toBe(0);
  });
});

describe("iteration while the list is changed", () => {
  test("visits every item that is still there at its turn, once, in order", () => {
    const appends = fc.array(fc.nat(4), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.nat(8), appends, (capacity, start, plan) => {
        for (const walk of ["for", "forEach"] as const) {
          const list = new BoundedList<number>(capacity);
          let count = 0;
          const append = (times: number) => {
            for (let left = times; left > 0; left--) list.append(count++);
          };
          append(start);
          // An item is its own number, so what must come next is the oldest one that was not visited.
          const [end, visited, expected]: [number, number[], number[]] = [count, [], []];
          let next = Math.max(0, count - capacity);
          let step = 0;
          const visit = (item: number) => {
            visited.push(item);
            expected.push(next);
            append(plan[step++] ?? 0);
            next = Math.max(next + 1, count - capacity);
          };
          if (walk === "for") for (const item of list) visit(item);
          else
            list.forEach((item, index) => {
              expect(list[index]).toBe(item);
              visit(item);
            });
          expect(visited).toEqual(expected);
          expect(next).toBeGreaterThanOrEqual(walk === "for" ? count : Math.min(end, count));
        }
      }),
    );
  });

  test("an iterator that has ended stays so", () => {
    const list = listOf(5, 1);
    const iterator = list[Symbol.iterator]();
    expect([iterator.next().value, iterator.next().done]).toEqual([1, true]);
    list.append(2);
    expect(iterator.next().done).toBe(true);
  });

  test("newest first too", () => {
    const list = listOf(4, 0, 1, 2, 3);
    const seen: number[] = [];
    list.findLast((item) => {
      seen.push(item);
      list.append(10 + item);
      return false;
    });
    expect(seen).toEqual([3, 2]);
  });
});

/** A list that knows what was appended to it, as the one with a database does. */
class Recorded<T> extends BoundedList<T> {
  readonly #log: unknown[];
  #label = "none";

  constructor(capacity: number) {
    const log: unknown[] = [];
    const observer: ListObserver<T> = {
      appended: (item) => log.push(item),
      evicted: (count) => log.push(`evicted ${count}`),
      changed: (isEmpty) => log.push(`changed ${isEmpty}`),
    };
    super({ capacity }, observer);
    this.#log = log;
  }

  get label(): string {
    return this.#label;
  }
  set label(label: string) {
    this.#label = label;
  }
  get log(): readonly unknown[] {
    return this.#log;
  }
  appendTwice(item: T): void {
    this.append(item);
    super.append(item);
  }
}

describe("a subclass", () => {
  test("has methods, accessors and private fields of its own", () => {
    const list = new Recorded<number>(3);
    list.label = "scores";
    list.appendTwice(1);
    list.push(2, 3);
    expect([list.label, list.toList(), Object.keys(list)]).toEqual(["scores", [1, 2, 3], ["0", "1", "2"]]);
    expect(inspect(list)).toBe("Recorded(3) [ 1, 2, 3 ]");
    expect(list.map(String)).not.toBeInstanceOf(BoundedList);
  });

  test("is told of every append before what it evicts, and of other changes", () => {
    const list = new Recorded<number>(2);
    list.push(1, 2, 3);
    list.extend([4]);
    list[0] = 5;
    list[2] = 6;
    list.resize(1);
    list.pop();
    list.splice(0, 1);
    expect(list.log).toEqual([
      1,
      2,
      3,
      "evicted 1",
      4,
      "evicted 1",
      "changed false",
      "evicted 1",
      "changed false",
      "evicted 1",
      "changed true",
    ]);
  });
});

// What makes a BoundedDict a drop-in for a Map or an object, beside what the model compares.
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { BoundedDict, type BoundedDictOptions } from "../../../client/src/containers/index.js";
import { ITERATION_USES_MAX, ITERATION_USES_MAX_BY_HAND } from "../../../client/src/limits.js";

function dictOf(capacity: number, ...keys: string[]): BoundedDict<string, number> {
  return new BoundedDict(
    capacity,
    keys.map((key, index) => [key, index]),
  );
}

const keysOf = (dict: BoundedDict<string, number>) => [...dict.keys()].join("");

describe("a Map to whoever asks", () => {
  test("by every question but the innermost", () => {
    const dict = dictOf(3, "a", "b", "c", "d");
    expect(dict).toBeInstanceOf(Map);
    expect(String(dict)).toBe("[object BoundedDict]");
    expect(new Map(dict)).toEqual(new Map(Object.entries({ b: 1, c: 2, d: 3 })));
    expect(inspect(dict)).toBe("Map(3) { 'b' => 1, 'c' => 2, 'd' => 3 }");
    expect(JSON.stringify({ dict })).toBe('{"dict":{"b":1,"c":2,"d":3}}');
    expect(Object.keys(dict)).toEqual([]);
    expect(Object.prototype.toString.call(dict.keys())).toBe("[object BoundedDict Iterator]");
    expect(() => Map.prototype.get.call(dict, "b")).toThrow(TypeError);
  });

  test("what is no bound is refused", () => {
    for (const capacity of [0, 1.5, Number.POSITIVE_INFINITY, 2 ** 25]) {
      expect(() => new BoundedDict(capacity)).toThrow(RangeError);
      expect(() => dictOf(3).resize(capacity)).toThrow(RangeError);
    }
    expect(() => new BoundedDict([["a", 1]] as never)).toThrow("takes its capacity or its options first");
    expect(() => new BoundedDict({ bytesMax: 10, sizeOf: () => Number.NaN }).set("a", 1)).toThrow(TypeError);
    expect([new BoundedDict().capacity, new BoundedDict({ name: "frames" }).name]).toEqual([100, "frames"]);
  });

  test("an entry that is too large alone is not kept, and the others stay", () => {
    const dict = new BoundedDict<string, number>({ bytesMax: 10, sizeOf: (value) => value });
    dict.set("a", 3).set("b", 4).set("a", 11);
    expect([[...dict], dict.byteLength, dict.evictions]).toEqual([[["b", 4]], 4, 1]);
  });

  test("many keys: grown, shrunk, crossed from a Map to a table of its own and back", () => {
    const dict = new BoundedDict<string, number>(10_000);
    const write = (from: number, to: number) => {
      for (let key = from; key < to; key++) dict.set(`key_${key}`, key);
    };
    const expectRange = (from: number, to: number) => {
      expect([dict.size, dict.peek(`key_${from - 1}`), dict.peek(`key_${from}`), dict.peek(`key_${to - 1}`)]).toEqual([
        to - from,
        undefined,
        from,
        to - 1,
      ]);
      expect([...dict.values()]).toEqual(Array.from({ length: to - from }, (_, index) => from + index));
    };
    write(0, 12_000);
    expectRange(2_000, 12_000);
    dict.resize(70_000);
    expectRange(2_000, 12_000);
    write(12_000, 80_000);
    expectRange(10_000, 80_000);
    dict.resize(9_000);
    expectRange(71_000, 80_000);
  });
});

describe("loops", () => {
  test("end although they read and write what they visit", () => {
    const dict = dictOf(4, "a", "b", "c", "d");
    let steps = 0;
    for (const key of dict.keys()) {
      dict.get(key);
      dict.set(key, 9);
      steps++;
    }
    dict.forEach((_, key) => void dict.get(key));
    expect([steps, keysOf(dict)]).toEqual([4, "abcd"]);
  });

  test.each<[string, (dict: BoundedDict<string, number>) => void]>([
    [
      "break",
      (dict) => {
        for (const _ of dict) break;
      },
    ],
    [
      "return",
      (dict) =>
        void (() => {
          for (const key of dict.keys()) return key;
          return undefined;
        })(),
    ],
    [
      "throw",
      (dict) => {
        try {
          dict.forEach(() => {
            throw new Error("left");
          });
        } catch {
          /* expected */
        }
      },
    ],
    [
      "destructuring",
      (dict) => {
        const [first] = dict.keys();
        expect(first).toBe("a");
      },
    ],
    [
      "a nested loop",
      (dict) => {
        for (const _ of dict) for (const key of dict.keys()) dict.get(key);
      },
    ],
    [
      "clear under it",
      (dict) => {
        for (const _ of dict) {
          dict.clear();
          dict.set("a", 1).set("b", 2).set("c", 3);
          break;
        }
      },
    ],
  ])("left by %s let uses count again", (_, leave) => {
    const dict = dictOf(3, "a", "b", "c");
    leave(dict);
    dict.get("a");
    expect(keysOf(dict)).toBe("bca");
  });

  test("a loop goes on protecting while one inside it ends", () => {
    const dict = dictOf(3, "a", "b", "c");
    for (const key of dict.keys()) {
      for (const _ of dict) break;
      dict.get(key);
    }
    expect(keysOf(dict)).toBe("abc");
  });

  test("one that was abandoned in the middle counts as over after a while, and still ends when it is taken up", () => {
    const dict = dictOf(4, "a", "b", "c", "d");
    function* steps(): Generator<string> {
      for (const key of dict.keys()) yield key;
    }
    const abandoned = steps();
    expect([abandoned.next().value, abandoned.next().value]).toEqual(["a", "b"]);
    for (let use = 1; use < ITERATION_USES_MAX; use++) dict.get("a");
    expect(keysOf(dict)).toBe("abcd");
    dict.get("a");
    dict.get("c");
    dict.get("a");
    expect(keysOf(dict)).toBe("bdca");
    // It had been at b: d is next; what was used meanwhile comes after it, a second time in the case of a.
    expect([...abandoned]).toEqual(["d", "c", "a"]);
    dict.get("b");
    expect(keysOf(dict)).toBe("dcab");
  });

  test("a loop that rests too long at every step ends all the same", () => {
    const dict = dictOf(3, "a", "b", "c");
    const visited: string[] = [];
    for (const key of dict.keys()) {
      visited.push(key);
      for (let use = 0; use < ITERATION_USES_MAX + 5; use++) dict.get(key);
    }
    expect(new Set(visited)).toEqual(new Set(["a", "b", "c"]));
    expect(visited.length).toBeLessThanOrEqual(6);
  });

  test("asking for the oldest key by hand holds uses up for moments only", () => {
    const dict = dictOf(3, "a", "b", "c");
    expect(dict.keys().next().value).toBe("a");
    for (let use = 0; use < ITERATION_USES_MAX_BY_HAND; use++) dict.get("a");
    dict.get("a");
    expect(keysOf(dict)).toBe("bca");
  });

  test("a loop by hand visits each once", () => {
    const dict = dictOf(4, "a", "b", "c", "d");
    const iterator = dict.keys();
    const visited: string[] = [];
    for (let step = iterator.next(); !step.done; step = iterator.next()) {
      dict.get(step.value);
      if (step.value === "b") {
        dict.delete("b");
        dict.delete("c");
      }
      visited.push(step.value);
    }
    expect(visited).toEqual(["a", "b", "d"]);
    expect(iterator.next().done).toBe(true);
  });

  test("a loop is not misled by what an earlier one came to", () => {
    const dict = dictOf(4, "a", "b", "c", "d");
    expect([...dict.keys()].join("")).toBe("abcd");
    dict.get("a");
    dict.get("b");
    const visited: string[] = [];
    for (const key of dict.keys()) {
      visited.push(key);
      if (key !== "c") continue;
      dict.delete("c");
      dict.delete("d");
    }
    expect(visited).toEqual(["c", "a", "b"]);
  });

  test("a resize under a loop changes nothing for it", () => {
    const dict = dictOf(6, "a", "b", "c", "d", "e");
    const visited: string[] = [];
    for (const key of dict.keys()) {
      visited.push(key);
      if (key === "b") dict.resize(100_000);
      if (key === "c") dict.resize(2);
    }
    expect(visited).toEqual(["a", "b", "c", "d", "e"]);
  });
});

/** A dictionary that writes every set down, as the one with a database does. */
class Recorded extends BoundedDict<string, number> {
  readonly #log: string[] = [];

  constructor(options: BoundedDictOptions<string, number>, entries: readonly (readonly [string, number])[]) {
    super(options);
    for (const [key, value] of entries) this.set(key, value);
  }

  get log(): string {
    return this.#log.join(" ");
  }
  override set(key: string, value: number): this {
    super.set(key, value);
    this.#log.push(`${key}=${value}`);
    return this;
  }
  protected override evicted(key: string, value: number): void {
    this.#log.push(`-${key}=${value}`);
  }
}

describe("a subclass", () => {
  test("sees every write and every eviction, whichever way it was made", () => {
    const dict = new Recorded({ capacity: 2 }, [["a", 1]]);
    dict.getOrInsert("b", 2);
    const view = dict.asObject();
    view["c"] = 3;
    Object.assign(view, { d: 4 });
    Object.defineProperty(view, "d", { value: 5 });
    dict.resize(1);
    expect(dict.log).toBe("a=1 b=2 -a=1 c=3 -b=2 d=4 d=5 -c=3");
  });

  test("may set in evicted: all was done before", () => {
    class Chained extends BoundedDict<string, number> {
      protected override evicted(key: string, value: number): void {
        if (value > 0) this.set(`${key}'`, value - 1);
      }
    }
    const dict = new Chained(2);
    dict.set("a", 1).set("b", 1).set("c", 1);
    expect([keysOf(dict), dict.size, dict.evictions]).toEqual(["b'c'", 2, 4]);
  });
});

describe("the view as an object", () => {
  test("is what {} would be", () => {
    const dict = dictOf(3, "a");
    const view = dict.asObject();
    expect(dict.asObject()).toBe(view);
    view["b"] = 7;
    expect([view["a"], view["b"], view["missing"]]).toEqual([0, 7, undefined]);
    expect(["a" in view, "missing" in view, Object.hasOwn(view, "b")]).toEqual([true, false, true]);
    expect(Object.entries(view)).toEqual([
      ["a", 0],
      ["b", 7],
    ]);
    expect({ ...view, c: 1 }).toEqual({ a: 0, b: 7, c: 1 });
    expect(JSON.stringify(view)).toBe('{"a":0,"b":7}');
    expect(inspect(view)).toBe("{ a: 0, b: 7 }");
    const { a, ...others } = view;
    expect([a, others]).toEqual([0, { b: 7 }]);
    expect(delete view["a"]).toBe(true);
    expect(delete view["a"]).toBe(true);
    const keys: string[] = [];
    for (const key in view) keys.push(key);
    expect(keys).toEqual(["b"]);
    expect(Object.getPrototypeOf(view)).toBe(Object.prototype);
    expect(`${String(view)}`).toBe("[object Object]");
  });

  test("drops what was used longest ago", () => {
    const view = dictOf(2).asObject();
    view["a"] = 1;
    view["b"] = 2;
    expect(view["a"]).toBe(1);
    view["c"] = 3;
    expect(Object.keys(view)).toEqual(["a", "c"]);
  });

  test("takes the names of an object's own members as keys", () => {
    const dict = dictOf(5);
    const view = dict.asObject();
    for (const key of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
      view[key] = 1;
      expect([view[key], dict.get(key), Object.hasOwn(view, key)]).toEqual([1, 1, true]);
    }
    expect(Object.getPrototypeOf(dict.toObject())).toBe(Object.prototype);
    expect(Object.keys(dict.toObject())).toEqual(["__proto__", "constructor", "toString", "hasOwnProperty"]);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    dict.clear();
    expect(typeof view["toString"]).toBe("function");
  });

  test("refuses what an entry cannot be", () => {
    const view = dictOf(2, "a").asObject();
    expect(() => Object.freeze(view)).toThrow(TypeError);
    expect(() => Object.defineProperty(view, "a", { get: () => 1 })).toThrow(TypeError);
    expect(() => Object.setPrototypeOf(view, null)).toThrow(TypeError);
  });

  test("shows text keys only", () => {
    const dict = new BoundedDict<unknown, number>(4);
    dict.set(1, 1).set("1", 2).set(Symbol("s"), 3);
    expect(Object.entries(dict.asObject())).toEqual([["1", 2]]);
    expect(dict.toObject()).toEqual({ 1: 2 });
  });
});

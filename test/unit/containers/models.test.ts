// The containers against plain models: an array that drops its oldest, a Map that drops what was used longest ago.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BoundedDict, BoundedList, BoundedRing, type ListObserver } from "../../../client/src/containers/index.js";

type Step = readonly [name: string, a: number, b: number, c: readonly number[]];
const steps = (names: readonly string[]): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.tuple(
      fc.constantFrom(...names),
      fc.integer({ min: -3, max: 12 }),
      fc.integer({ min: 0, max: 9 }),
      fc.array(fc.integer({ min: 0, max: 99 }), { maxLength: 4 }),
    ),
    { maxLength: 40 },
  );

describe("BoundedRing", () => {
  test("is an array that drops its oldest", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        steps(["push", "push", "push", "resize", "clear"]),
        (capacity, all) => {
          const ring = new BoundedRing<number>(capacity);
          let model: number[] = [];
          let bound = capacity;
          for (const [name, a, b] of all) {
            if (name === "push") {
              ring.push(b);
              model = [...model, b].slice(-bound);
            } else if (name === "resize") {
              bound = Math.max(1, a);
              ring.resize(bound);
              model = model.slice(-bound);
            } else {
              ring.clear();
              model = [];
            }
            expect([...ring]).toEqual(model);
            expect(ring.length).toBe(model.length);
            for (let i = -model.length; i < model.length; i++) expect(ring.at(i)).toBe(model.at(i));
          }
        },
      ),
    );
  });
});

describe("BoundedList", () => {
  const names = "append push extend pop shift unshift splice sort reverse fill set setLength resize clear".split(" ");

  test("is an array that drops its oldest, whatever is done to it", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), steps(names), (capacity, all) => {
        const list = new BoundedList<number>(capacity);
        let model: number[] = [];
        let bound = capacity;
        const change = (edit: (copy: number[]) => void): void => {
          edit(model);
          model = model.slice(-bound);
        };
        for (const [name, a, b, c] of all) {
          if (name === "append") {
            list.append(b);
            change((copy) => void copy.push(b));
          } else if (name === "push") {
            expect(list.push(...c)).toBe(Math.min(bound, model.length + c.length));
            change((copy) => void copy.push(...c));
          } else if (name === "extend") {
            list.extend(c);
            change((copy) => void copy.push(...c));
          } else if (name === "pop") {
            expect(list.pop()).toBe(model.pop());
          } else if (name === "shift") {
            expect(list.shift()).toBe(model.shift());
          } else if (name === "unshift") {
            list.unshift(...c);
            change((copy) => void copy.unshift(...c));
          } else if (name === "splice") {
            const expected = model.splice(a, b, ...c);
            expect(list.splice(a, b, ...c)).toEqual(expected);
            model = model.slice(-bound);
          } else if (name === "sort") {
            list.sort((x, y) => x - y);
            model.sort((x, y) => x - y);
          } else if (name === "reverse") {
            list.reverse();
            model.reverse();
          } else if (name === "fill") {
            list.fill(b, a);
            model.fill(b, a);
          } else if (name === "set") {
            const index = Math.max(0, a);
            if (index < model.length) {
              list[index] = b;
              model[index] = b;
            }
          } else if (name === "setLength") {
            if (b < model.length) {
              list.length = b;
              model.length = b;
            }
          } else if (name === "resize") {
            bound = Math.max(1, a);
            list.resize(bound);
            model = model.slice(-bound);
          } else {
            list.clear();
            model = [];
          }
          expect([...list]).toEqual(model);
          expect(list.length).toBe(model.length);
          expect(JSON.stringify(list)).toBe(JSON.stringify(model));
          expect(list.map((item) => item * 2)).toEqual(model.map((item) => item * 2));
          expect(list.slice(a, b)).toEqual(model.slice(a, b));
          expect(list.indexOf(b)).toBe(model.indexOf(b));
          expect(list.at(a)).toBe(model.at(a));
          expect(Object.keys(list)).toEqual(Object.keys(model));
          expect(list.concat([7])).toEqual([...model, 7]);
          expect(list.toReversed()).toEqual(model.toReversed());
        }
        expect(Array.isArray(list)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test("keeps the earlier examples", () => {
    const list = new BoundedList<number>(5);
    for (let n = 0; n < 10; n++) list.append(n);
    expect([...list]).toEqual([5, 6, 7, 8, 9]);
    expect(list.getRecent(2)).toEqual([8, 9]);
    expect([list.at(-1), list[0], list.length, list.includes(7), list.evictions]).toEqual([9, 5, 5, true, 5]);
    const [first, ...rest] = list;
    expect([first, rest]).toEqual([5, [6, 7, 8, 9]]);
    expect(() => new BoundedList(0)).toThrow(RangeError);
  });

  test("keeps to its bound in bytes, and counts them", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 60 }), (sizes) => {
        const list = new BoundedList<number>({ capacity: 10, bytesMax: 100, sizeOf: (item) => item });
        for (const size of sizes) {
          list.append(size);
          const held = [...list].reduce((sum, item) => sum + item, 0);
          expect(list.byteLength).toBe(held);
          expect(held).toBeLessThanOrEqual(100);
          expect(list.length).toBeLessThanOrEqual(10);
        }
      }),
    );
  });

  test("tells its observer what was appended, how much left, and that something else changed", () => {
    const heard: unknown[] = [];
    const observer: ListObserver<number> = {
      appended: (item) => heard.push(["appended", item]),
      evicted: (count) => heard.push(["evicted", count]),
      changed: (isEmpty) => heard.push(["changed", isEmpty]),
    };
    class Own extends BoundedList<number> {
      readonly #own = "kept";
      get own(): string {
        return this.#own;
      }
    }
    const list = new Own({ capacity: 2 }, observer);
    list.append(1);
    list.push(2, 3);
    list.sort();
    list.clear();
    expect(list.own).toBe("kept");
    expect(heard).toEqual([
      ["appended", 1],
      ["appended", 2],
      ["appended", 3],
      ["evicted", 1],
      ["changed", false],
      ["changed", true],
    ]);
  });
});

describe("BoundedDict", () => {
  test("is a Map that drops what was used longest ago", () => {
    const names = "set set set get peek has delete resize clear walk".split(" ");
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), steps(names), (capacity, all) => {
        const dict = new BoundedDict<unknown, number>(capacity);
        const model = new Map<unknown, number>();
        const keys: unknown[] = [0, "a", Number.NaN, -0, undefined, null, "0", 1.5, dict, model];
        let bound = capacity;
        const trim = (): void => {
          for (const key of [...model.keys()].slice(0, Math.max(0, model.size - bound))) model.delete(key);
        };
        const use = (key: unknown): void => {
          if (!model.has(key)) return;
          const value = model.get(key) as number;
          model.delete(key);
          model.set(key, value);
        };
        for (const [name, a, b] of all) {
          const key = keys[b];
          if (name === "set") {
            dict.set(key, a);
            model.delete(key);
            model.set(key, a);
            trim();
          } else if (name === "get") {
            expect(dict.get(key)).toBe(model.get(key));
            use(key);
          } else if (name === "peek") {
            expect(dict.peek(key)).toBe(model.get(key));
          } else if (name === "has") {
            expect(dict.has(key)).toBe(model.has(key));
          } else if (name === "delete") {
            expect(dict.delete(key)).toBe(model.delete(key));
          } else if (name === "resize") {
            bound = Math.max(1, a);
            dict.resize(bound);
            trim();
          } else if (name === "walk") {
            // Reads in a loop change no place, so the loop ends and finds each entry once.
            const walked: unknown[] = [];
            for (const each of dict.keys()) {
              dict.get(each);
              walked.push(each);
            }
            expect(walked).toEqual([...model.keys()]);
          } else {
            dict.clear();
            model.clear();
          }
          expect([...dict]).toEqual([...model]);
          expect(dict.size).toBe(model.size);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("keeps the earlier examples", () => {
    const dict = new BoundedDict<string, number>(3);
    for (let n = 0; n < 5; n++) dict.set(`key_${n}`, n);
    expect([...dict.keys()]).toEqual(["key_2", "key_3", "key_4"]);
    expect(dict.get("key_2")).toBe(2);
    dict.set("key_5", 5);
    expect([...dict.keys()]).toEqual(["key_4", "key_2", "key_5"]);
    expect(dict.toObject()).toEqual({ key_4: 4, key_2: 2, key_5: 5 });
  });

  test("a loop that was left early, or never ended, keeps no entry from being used", () => {
    const dict = new BoundedDict<string, number>(3, Object.entries({ a: 1, b: 2, c: 3 }));
    for (const _ of dict.keys()) break;
    dict.get("a");
    expect([...dict.keys()]).toEqual(["b", "c", "a"]);
  });

  test("shows itself as an object", () => {
    const dict = new BoundedDict<string, number>(2);
    const view = dict.asObject();
    view["a"] = 1;
    view["b"] = 2;
    view["c"] = 3;
    expect({ ...view }).toEqual({ b: 2, c: 3 });
    expect("a" in view).toBe(false);
    delete view["b"];
    expect(dict.size).toBe(1);
    expect(JSON.stringify(view)).toBe('{"c":3}');
  });

  test("keeps to its bound in bytes", () => {
    const dict = new BoundedDict<number, number>({ capacity: 100, bytesMax: 50, sizeOf: (value) => value });
    for (let n = 0; n < 40; n++) dict.set(n % 13, (n % 7) + 1);
    expect([...dict.values()].reduce((sum, value) => sum + value, 0)).toBe(dict.byteLength);
    expect(dict.byteLength).toBeLessThanOrEqual(50);
  });

  test("holds many keys of every kind without losing one", () => {
    const dict = new BoundedDict<unknown, number>(70_000);
    const keys = Array.from({ length: 90_000 }, (_, n) => (n % 3 === 0 ? `key-${n}` : n % 3 === 1 ? n * 0.5 : { n }));
    keys.forEach((key, n) => {
      dict.set(key, n);
    });
    expect(dict.size).toBe(70_000);
    keys.forEach((key, n) => {
      expect(dict.peek(key)).toBe(n < 20_000 ? undefined : n);
    });
  });
});

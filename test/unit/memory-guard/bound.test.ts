import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BoundedDict, BoundedList } from "../../../client/src/containers/index.js";
import { cleanupOldData, timestampMs } from "../../../client/src/memory-guard/age.js";
import { boundDict, boundList, boundSet } from "../../../client/src/memory-guard/bound.js";

describe("boundList", () => {
  test("keeps the newest, in place", () => {
    fc.assert(
      fc.property(fc.array(fc.anything()), fc.nat(50), (items, n) => {
        const list = [...items];
        expect(boundList(list, n)).toBe(list);
        expect(list).toEqual(n === 0 ? [] : items.slice(-n));
      }),
    );
  });

  test("a large list quickly, and a bounded one too", () => {
    const list = boundList(
      Array.from({ length: 1_000_000 }, (_, index) => index),
      3,
    );
    expect(list).toEqual([999_997, 999_998, 999_999]);
    const bounded = new BoundedList<number>({ capacity: 10 });
    bounded.extend([1, 2, 3, 4, 5]);
    boundList(bounded, 2);
    expect([...bounded]).toEqual([4, 5]);
    bounded.append(6);
    expect([...bounded]).toEqual([4, 5, 6]);
  });

  test.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])("refuses %d", (n) => {
    expect(() => boundList([1], n)).toThrow("whole number from 0 on");
    expect(() => boundDict({}, n)).toThrow("whole number from 0 on");
    expect(() => boundSet(new Set(), n)).toThrow("whole number from 0 on");
  });
});

describe("boundDict", () => {
  test("keeps the largest keys by the order of their texts, in place", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.integer()), fc.nat(20), (entries, n) => {
        const kept = Object.keys(entries)
          .sort()
          .slice(-n || Number.POSITIVE_INFINITY);
        const map = new Map(Object.entries(entries));
        expect(boundDict(map, n)).toBe(map);
        expect([...map.keys()].sort()).toEqual(kept);
        const object = { ...entries };
        expect(boundDict(object, n)).toBe(object);
        expect(Object.keys(object).sort()).toEqual(kept);
        for (const key of kept) expect(object[key]).toBe(entries[key]);
      }),
    );
  });

  test("keys that are no strings have texts; of equal ones the newest stay", () => {
    const symbol = Symbol("z");
    const bare = Object.create(null) as object;
    const map = new Map<unknown, number>([
      [10, 1],
      [9, 2],
      ["9", 3],
      [symbol, 4],
      [bare, 5],
    ]);
    expect([...boundDict(map, 3).keys()]).toEqual(["9", symbol].length === 2 ? [9, "9", symbol] : []);
    expect([...boundDict(map, 2).keys()]).toEqual(["9", symbol]);
  });

  test("a property that cannot be deleted stays, and nothing is thrown", () => {
    const object: Record<string, number> = { b: 2, c: 3 };
    Object.defineProperty(object, "a", { value: 1, enumerable: true });
    boundDict(object, 1);
    expect(Object.keys(object).sort()).toEqual(["a", "c"]);
    expect(boundDict(Object.freeze({ a: 1, b: 2 }), 1)).toEqual({ a: 1, b: 2 });
  });

  test("a bounded dictionary, and its object view", () => {
    const dict = new BoundedDict<string, number>({ capacity: 10 });
    for (const key of ["c", "a", "b"]) dict.set(key, 1);
    boundDict(dict as unknown as Map<string, number>, 2);
    expect([...dict.keys()].sort()).toEqual(["b", "c"]);
    expect(Object.keys(boundDict(dict.asObject(), 1))).toEqual(["c"]);
    expect(dict.size).toBe(1);
  });
});

test("boundSet keeps the newest", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer()), fc.nat(20), (members, n) => {
      expect([...boundSet(new Set(members), n)]).toEqual(n === 0 ? [] : members.slice(-n));
    }),
  );
});

describe("cleanupOldData", () => {
  const nowMs = Date.UTC(2025, 8, 7, 13, 0, 0);
  const hour = 3_600_000;
  const forms: [string, (ms: number) => unknown][] = [
    ["epoch seconds", (ms) => ms / 1_000],
    ["milliseconds", (ms) => ms],
    ["microseconds", (ms) => ms * 1_000],
    ["ISO text", (ms) => new Date(ms).toISOString()],
    ["ISO text with microseconds and a zone", (ms) => new Date(ms).toISOString().replace("Z", "456+00:00")],
    ["a Date", (ms) => new Date(ms)],
  ];

  test.each(forms)("drops what is older, by %s", (_form, write) => {
    const young = { timestamp: write(nowMs - 23 * hour), best: 1 };
    const old = { timestamp: write(nowMs - 25 * hour) };
    const object = { young, old };
    expect(cleanupOldData(object, { nowMs })).toBe(object);
    expect(object).toEqual({ young });
    const map = new Map([
      ["young", young],
      ["old", old],
    ]);
    expect([...cleanupOldData(map, { nowMs }).keys()]).toEqual(["young"]);
    expect(cleanupOldData([old, young, old, young], { nowMs })).toEqual([young, young]);
    expect(cleanupOldData({ young }, { nowMs, maxAgeHours: 22 })).toEqual({});
    expect(cleanupOldData({ old }, { nowMs, maxAgeHours: 26 })).toEqual({ old });
  });

  test("a Python time without a zone is local time", () => {
    expect(timestampMs({ timestamp: "2025-09-07T13:01:23.123456" })).toBe(
      new Date(2025, 8, 7, 13, 1, 23, 123).getTime(),
    );
  });

  test("keeps what has no timestamp that can be understood", () => {
    const entries = {
      none: {},
      lastUpdated: { lastUpdated: 1, last_updated: 1 },
      words: { timestamp: "yesterday" },
      nothing: { timestamp: null },
      nan: { timestamp: Number.NaN },
      invalid: { timestamp: new Date(Number.NaN) },
      value: 5,
      text: "1970-01-01",
      null: null,
      throwing: {
        get timestamp(): number {
          throw new Error("no");
        },
      },
    };
    const keys = Object.keys(entries);
    expect(Object.keys(cleanupOldData(entries))).toEqual(keys);
    expect(cleanupOldData([0, null, {}, "x"])).toEqual([0, null, {}, "x"]);
  });

  test("many entries, as a model says", () => {
    const values = fc.oneof(
      fc.record({ timestamp: fc.integer({ min: 0, max: 2 * nowMs }) }),
      fc.record({ timestamp: fc.date({ noInvalidDate: true }).map((date) => date.toISOString()) }),
      fc.anything(),
    );
    fc.assert(
      fc.property(fc.array(values), (list) => {
        const kept = list.filter((value) => (timestampMs(value) ?? nowMs) >= nowMs - 24 * hour);
        expect(cleanupOldData([...list], { nowMs })).toEqual(kept);
        const map = cleanupOldData(new Map(list.map((value, index) => [index, value])), { nowMs });
        expect([...map.values()]).toEqual(kept);
      }),
    );
    const many = Array.from({ length: 200_000 }, (_, index) => ({ timestamp: index % 2 === 0 ? nowMs : 1 }));
    expect(cleanupOldData(many, { nowMs })).toHaveLength(100_000);
  });

  test("refuses an age that is none", () => {
    expect(() => cleanupOldData({}, { maxAgeHours: -1 })).toThrow("maxAgeHours");
  });
});

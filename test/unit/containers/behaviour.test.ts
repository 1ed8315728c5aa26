// What users of the earlier system rely on, by its own examples.
import { describe, expect, test } from "vitest";
import { BoundedDict, BoundedList } from "../../../client/src/containers/index.js";

describe("BoundedList(max_size=100)", () => {
  test("after 0..9 into size 5: 5, 6, 7, 8, 9", () => {
    const list = new BoundedList<number>(5);
    for (let item = 0; item < 10; item++) list.append(item);
    expect(list.toList()).toEqual([5, 6, 7, 8, 9]);
  });

  test("append, extend, len, index get and set (negative too), iteration, in, clear, to_list, get_recent", () => {
    const list = new BoundedList<string>();
    expect(list.capacity).toBe(100);
    list.append("a");
    list.extend(["b", "c"]);
    expect(list.length).toBe(3);
    list[0] = "x";
    list.set(-1, "z");
    expect([list[0], list.at(-1), list.at(-2)]).toEqual(["x", "z", "b"]);
    expect([...list]).toEqual(["x", "b", "z"]);
    expect([list.includes("b"), list.includes("a")]).toEqual([true, false]);
    expect(list.toList()).toEqual(["x", "b", "z"]);
    expect(list.getRecent(2)).toEqual(["b", "z"]);
    list.clear();
    expect(list.length).toBe(0);
  });
});

describe("BoundedDict(max_size=100)", () => {
  test("after key_0..key_4 into size 3: key_2, key_3, key_4", () => {
    const dict = new BoundedDict<string, number>(3);
    for (let key = 0; key < 5; key++) dict.set(`key_${key}`, key);
    expect([...dict.keys()]).toEqual(["key_2", "key_3", "key_4"]);
  });

  test("reading or writing a key makes it the newest; a new key evicts the least recently used", () => {
    const dict = new BoundedDict<string, number>(3);
    dict.set("a", 1).set("b", 2).set("c", 3);
    dict.get("a");
    dict.set("b", 4);
    dict.set("d", 5);
    expect([...dict]).toEqual([
      ["a", 1],
      ["b", 4],
      ["d", 5],
    ]);
  });

  test("item get and set, in, len, iteration, keys, values, items, get with default, clear, to_dict", () => {
    const dict = new BoundedDict<string, number>();
    expect(dict.capacity).toBe(100);
    const items = dict.asObject();
    items["a"] = 1;
    items["b"] = 2;
    expect([items["a"], "a" in items, "c" in items, dict.has("c"), dict.size]).toEqual([1, true, false, false, 2]);
    expect([[...dict.keys()], [...dict.values()], [...dict.entries()]]).toEqual([
      ["b", "a"],
      [2, 1],
      [
        ["b", 2],
        ["a", 1],
      ],
    ]);
    expect([dict.get("c", 7), dict.get("a", 7)]).toEqual([7, 1]);
    expect(dict.toObject()).toEqual({ a: 1, b: 2 });
    dict.clear();
    expect(dict.size).toBe(0);
  });
});

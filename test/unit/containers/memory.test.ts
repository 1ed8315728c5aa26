// What left a container, and a container that nobody holds, is not kept in memory.
import { expect, test } from "vitest";
import { BoundedDict, BoundedList, BoundedRing } from "../../../client/src/containers/index.js";
import { collectGarbage } from "./collect-garbage.js";

interface Item {
  readonly number: number;
}

/** Does something with items, of which the newest is told apart, and lets go of them. */
type Use = (item: (number: number) => Item) => object;

/** How many of the items are alive after a while. */
async function survivors(use: Use): Promise<number[]> {
  const references: WeakRef<Item>[] = [];
  const container = use((number) => {
    const item = { number };
    references.push(new WeakRef(item));
    return item;
  });
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    collectGarbage();
  }
  expect(container).toBeDefined();
  return references.flatMap((reference) => reference.deref()?.number ?? []);
}

const LISTS: [string, () => BoundedList<Item>][] = [
  ["a small list", () => new BoundedList<Item>(3)],
  ["a large list", () => new BoundedList<Item>({ capacity: 100_000, bytesMax: 3, sizeOf: () => 1 })],
];

test.each(LISTS)("%s keeps what is in it", async (_, make) => {
  const use: Use = (item) => {
    const list = make();
    for (let number = 0; number < 10; number++) list.append(item(number));
    list.pop();
    list.shift();
    return list;
  };
  expect(await survivors(use)).toEqual([8]);
});

test("a ring keeps what is in it", async () => {
  const use: Use = (item) => {
    const ring = new BoundedRing<Item>(4);
    for (let number = 0; number < 10; number++) ring.push(item(number));
    ring.pop();
    ring.shift();
    return ring;
  };
  expect(await survivors(use)).toEqual([7, 8]);
});

test("a dictionary keeps what is in it, keys and values", async () => {
  const use: Use = (item) => {
    const dict = new BoundedDict<Item, Item>(3);
    for (let number = 0; number < 10; number++) dict.set(item(number), item(100 + number));
    for (const key of dict.keys()) {
      dict.delete(key);
      break;
    }
    return dict;
  };
  expect((await survivors(use)).sort((a, b) => a - b)).toEqual([8, 9, 108, 109]);
});

test("what was cleared is gone", async () => {
  const use: Use = (item) => {
    const containers = [new BoundedList<Item>(9), new BoundedRing<Item>(9), new BoundedDict<Item, Item>(9)] as const;
    containers[0].append(item(1));
    containers[1].push(item(2));
    containers[2].set(item(3), item(4));
    for (const container of containers) container.clear();
    return containers;
  };
  expect(await survivors(use)).toEqual([]);
});

test("containers are gone with their holder, also in the middle of an iteration", async () => {
  const references: WeakRef<object>[] = [];
  (() => {
    const list = new BoundedList<number>(3);
    list.append(1);
    list[Symbol.iterator]().next();
    const dict = new BoundedDict<string, number>(3);
    dict.set("a", 1).keys().next();
    dict.asObject();
    for (const container of [list, dict]) references.push(new WeakRef(container));
  })();
  await new Promise((resolve) => setTimeout(resolve, 1));
  collectGarbage();
  expect(references.map((reference) => reference.deref())).toEqual([undefined, undefined]);
});

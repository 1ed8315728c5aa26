// The database did what it was asked, and nobody heard of it: nothing is lost, and nothing is done twice.
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { StateStore } from "../../../client/src/state-store/state-store.js";
import { Bench, eventually } from "./bench.js";

let bench: Bench;
let state: StateStore;

beforeEach(async () => {
  bench = await Bench.start();
  state = bench.store({ patienceMs: 300 });
});

afterEach(() => bench.end());

/** Makes a call whose answer is lost after the database has done it, and returns the call's own result. */
async function unheard<Result>(call: () => Promise<Result>, isDone: () => Promise<boolean>): Promise<Result> {
  bench.proxy.deafen();
  const result = await call();
  await eventually(isDone, "the database has done it");
  return result;
}

const settled = () => state.flush({ timeoutMs: 15_000 });

describe("an increment", () => {
  test("counts once", async () => {
    await state.increment("c", "n", 5);
    const { storedIn, value } = await unheard(
      () => state.increment("c", "n", 2),
      async () => JSON.stringify(await bench.raw("c")).includes('"n":7'),
    );
    expect({ storedIn, value }).toEqual({ storedIn: "folder", value: 7 });
    expect(await state.get("c")).toEqual({ n: 7 });
    bench.proxy.heal();
    await settled();
    expect(await bench.raw("c")).toMatchObject({ n: 7 });
  });

  test("counts once although others counted the same since, and the value looks as before", async () => {
    await state.increment("c", "n");
    await unheard(
      () => state.increment("c", "n"),
      async () => JSON.stringify(await bench.raw("c")).includes('"n":2'),
    );
    bench.proxy.heal();
    const other = bench.store();
    for (let index = 0; index < 5; index++) await other.increment("c", "n");
    await other.put("c", { n: 100 });
    await settled();
    expect(await bench.raw("c")).toMatchObject({ n: 100 });
  });

  test("counts once if it never arrived, and another's equal one did", async () => {
    await state.increment("c", "n");
    bench.proxy.leave();
    await state.increment("c", "n");
    await bench.rawPut("c", { n: 2, ...((await bench.raw("c")) as object), $other: 1 });
    bench.proxy.heal();
    await settled();
    expect(await bench.raw("c")).toMatchObject({ n: 2, $other: 1 });
  });

  test("is not repeated, but told and kept, where its trace was wiped out", async () => {
    await state.increment("c", "n");
    await unheard(
      () => state.increment("c", "n"),
      async () => JSON.stringify(await bench.raw("c")).includes('"n":2'),
    );
    await bench.rawPut("c", { n: 3 });
    bench.proxy.heal();
    await settled();
    expect(await bench.raw("c")).toEqual({ n: 3 });
    expect(bench.problems).toMatchObject([{ code: "COUNT_DOUBTFUL", name: "c" }]);
    expect(await bench.files("conflicts")).toHaveLength(1);
  });

  test("counts once although the process that made it is gone", async () => {
    await state.increment("c", "n");
    await unheard(
      () => state.increment("c", "n"),
      async () => JSON.stringify(await bench.raw("c")).includes('"n":2'),
    );
    await state.increment("c", "n", 10);
    await state.close({ timeoutMs: 1 });
    bench.proxy.heal();
    state = bench.store();
    await settled();
    expect(await bench.raw("c")).toMatchObject({ n: 12 });
  });
});

test("increments that are crowded out by other writers are made later", async () => {
  const [hasty, other] = [bench.store({ patienceMs: 4 }), bench.store({ patienceMs: 10_000 })];
  let isOver = false;
  const crowd = (async () => {
    while (!isOver) await other.update<Record<string, number>>("c", (value) => ({ ...value, m: (value?.m ?? 0) + 1 }));
  })();
  for (let index = 0; index < 30; index++) await hasty.increment("c", "n");
  isOver = true;
  await crowd;
  await hasty.flush({ timeoutMs: 15_000 });
  expect(bench.problems).toEqual([]);
  expect(await bench.raw("c")).toMatchObject({ n: 30 });
  expect(bench.conflicts).toEqual([]);
});

describe("a put", () => {
  test("is not mistaken for somebody else's change", async () => {
    await state.put("d", 1);
    const result = await unheard(
      () => state.put("d", { b: 1, a: 2 }),
      async () => (await bench.raw("d")) !== 1,
    );
    expect(result).toEqual({ storedIn: "folder", version: undefined });
    bench.proxy.heal();
    await settled();
    expect(await state.read("d")).toMatchObject({ value: { b: 1, a: 2 }, version: 2 });
    expect(bench.conflicts).toEqual([]);
  });

  test("of another value after it is based on it", async () => {
    await state.put("d", 1);
    await unheard(
      () => state.put("d", 2),
      async () => (await bench.raw("d")) === 2,
    );
    await state.put("d", 3);
    bench.proxy.heal();
    await settled();
    expect(await state.read("d")).toMatchObject({ value: 3, version: 3 });
    expect(bench.conflicts).toEqual([]);
  });

  test("after an increment, a deletion and a first put that were not heard is based on them", async () => {
    await state.increment("c", "n");
    await unheard(
      () => state.increment("c", "n"),
      async () => JSON.stringify(await bench.raw("c")).includes('"n":2'),
    );
    await state.put("c", { n: 50 });
    bench.proxy.heal();
    await settled();
    expect(await bench.raw("c")).toMatchObject({ n: 50 });

    await unheard(
      () => state.delete("c"),
      async () => (await bench.raw("c")) === undefined,
    );
    await state.put("c", "new");
    bench.proxy.heal();
    await settled();
    expect(await bench.raw("c")).toBe("new");

    // Without this it would ask first, and that answer would be the lost one.
    expect(await state.get("first")).toBeUndefined();
    await unheard(
      () => state.put("first", 1),
      async () => (await bench.raw("first")) === 1,
    );
    await state.put("first", 2);
    bench.proxy.heal();
    await settled();
    expect(await state.read("first")).toMatchObject({ value: 2, version: 2 });
    expect(bench.conflicts).toEqual([]);
  });

  test("that somebody else overwrote is a conflict: both are kept", async () => {
    await state.put("d", 1);
    await unheard(
      () => state.put("d", 2),
      async () => (await bench.raw("d")) === 2,
    );
    await bench.rawPut("d", 3);
    bench.proxy.heal();
    await settled();
    expect(await bench.raw("d")).toBe(3);
    expect(bench.conflicts).toMatchObject([{ name: "d", resolution: "theirs", base: 1, ours: 2, theirs: 3 }]);
  });
});

test("whatever the network does, every increment of every store counts once", async () => {
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.record({ store: fc.nat(2), by: fc.integer({ min: 1, max: 1_000 }) }) },
    { weight: 2, arbitrary: fc.constantFrom("deafen", "cut", "leave", "heal", "heal") },
    { weight: 1, arbitrary: fc.record({ reopen: fc.nat(2) }) },
    { weight: 1, arbitrary: fc.record({ waitMs: fc.nat(60) }) },
  );
  let round = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      const name = `c${++round}`;
      bench.proxy.heal();
      const open = () => bench.store({ patienceMs: 40 });
      const stores = [open(), open(), open()];
      const calls: Promise<unknown>[] = [];
      let sum = 0;
      for (const each of steps) {
        if (typeof each === "string") bench.proxy[each as "cut"]();
        else if ("waitMs" in each) await new Promise((resolve) => setTimeout(resolve, each.waitMs));
        else if ("reopen" in each) {
          await stores[each.reopen]?.close({ timeoutMs: 1 });
          stores[each.reopen] = open();
        } else {
          sum += each.by;
          calls.push((stores[each.store] as StateStore).increment(name, "n", each.by));
          if (each.by % 3 === 0) await calls.at(-1);
        }
      }
      await Promise.all(calls);
      bench.proxy.heal();
      await Promise.all(stores.map((store) => store.close({ timeoutMs: 15_000 })));
      // Whatever the closed ones left.
      const last = bench.store({ patienceMs: 5_000 });
      await last.flush({ timeoutMs: 15_000 });
      expect((await last.get<{ n: number }>(name))?.n ?? 0).toBe(sum);
      await last.close();
      expect(bench.problems.filter(({ code }) => code !== "NOT_RECONCILED")).toEqual([]);
    }),
    { numRuns: 12, endOnFailure: true },
  );
}, 120_000);

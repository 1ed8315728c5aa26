// A document that changed here and in the database while they were apart.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { JsonValue } from "../../../client/src/records/training-record.js";
import type { ConflictPolicy } from "../../../client/src/state-store/conflict.js";
import { Bench } from "./bench.js";

let bench: Bench;

beforeEach(async () => {
  bench = await Bench.start();
});

afterEach(() => bench.end());

interface Apart {
  readonly policy?: ConflictPolicy;
  /** Undefined deletes. */
  readonly ours: JsonValue | undefined;
  readonly theirs: JsonValue | undefined;
}

/** Both begin with 1; returns what the database has in the end. */
async function apart({ policy, ours, theirs }: Apart): Promise<JsonValue | undefined> {
  const state = bench.store({ conflict: policy });
  await state.put("d", 1);
  bench.proxy.leave();
  if (ours === undefined) await state.delete("d");
  else await state.put("d", ours);
  if (theirs === undefined) await bench.rawDelete("d");
  else await bench.rawPut("d", theirs);
  bench.proxy.heal();
  await state.flush();
  expect(await state.get("d")).toEqual(await bench.raw("d"));
  return await bench.raw("d");
}

async function keptFile(): Promise<unknown> {
  const [file = ""] = await bench.files("conflicts");
  return JSON.parse(await readFile(join(bench.folder, "conflicts", file), "utf8"));
}

test("theirs stay by default; ours are kept and told", async () => {
  expect(await apart({ ours: { mine: 2 }, theirs: { other: 3 } })).toEqual({ other: 3 });
  const sides = { name: "d", resolution: "theirs", base: 1, ours: { mine: 2 }, theirs: { other: 3 } };
  expect(bench.conflicts).toMatchObject([sides]);
  expect(await keptFile()).toMatchObject(sides);
  expect(bench.conflicts[0]?.file).toBe(join(bench.folder, "conflicts", (await bench.files("conflicts"))[0] ?? ""));
});

test("ours win where that is asked for; theirs are kept and told", async () => {
  expect(await apart({ policy: "ours", ours: { mine: 2 }, theirs: { other: 3 } })).toEqual({ mine: 2 });
  expect(bench.conflicts).toMatchObject([{ resolution: "ours", ours: { mine: 2 }, theirs: { other: 3 } }]);
  expect(await keptFile()).toMatchObject({ theirs: { other: 3 } });
});

test("a function makes one of both, and may change what it gets", async () => {
  const merge: ConflictPolicy = (base, ours, theirs) => {
    (ours as { list: JsonValue[] }).list.push(base ?? null, theirs ?? null);
    return ours;
  };
  expect(await apart({ policy: merge, ours: { list: [] }, theirs: 3 })).toEqual({ list: [1, 3] });
  expect(bench.conflicts).toMatchObject([
    { resolution: "merged", base: 1, ours: { list: [] }, theirs: 3, merged: { list: [1, 3] } },
  ]);
});

test.each<[string, ConflictPolicy]>([
  [
    "throws",
    () => {
      throw new Error("no idea");
    },
  ],
  ["returns what cannot be stored", () => "x".repeat(2 ** 20)],
])("a function that %s leaves theirs, and is told", async (_what, policy) => {
  expect(await apart({ policy, ours: 2, theirs: 3 })).toBe(3);
  expect(bench.problems).toMatchObject([{ code: "MERGE_FAILED", name: "d" }]);
  expect(bench.conflicts).toMatchObject([{ resolution: "theirs", ours: 2 }]);
});

test("a function that returns nothing leaves theirs", async () => {
  expect(await apart({ policy: () => undefined, ours: 2, theirs: 3 })).toBe(3);
  expect(bench.problems).toEqual([]);
});

test.each<[Apart, JsonValue | undefined]>([
  [{ ours: undefined, theirs: 3 }, 3],
  [{ ours: 2, theirs: undefined }, undefined],
  [{ policy: "ours", ours: undefined, theirs: 3 }, undefined],
  [{ policy: "ours", ours: 2, theirs: undefined }, 2],
  [
    { policy: (base, ours, theirs) => [base ?? "-", ours ?? "-", theirs ?? "-"], ours: 2, theirs: undefined },
    [1, 2, "-"],
  ],
])("deletions are changes too: %o", async (both, result) => {
  expect(await apart(both)).toEqual(result);
  expect(bench.conflicts).toHaveLength(1);
});

test.each<Apart>([
  { ours: { a: 1, b: 2 }, theirs: { b: 2, a: 1 } },
  { ours: undefined, theirs: undefined },
])("the same change on both sides is no conflict: %o", async (both) => {
  await apart(both);
  expect(bench.conflicts).toEqual([]);
});

test("a document that was deleted and written up to the same version again is another one", async () => {
  const state = bench.store();
  await state.put("d", "old life");
  bench.proxy.leave();
  await state.put("d", "change of the old life");
  await bench.rawDelete("d");
  expect(await bench.rawPut("d", "new life")).toBe(1);
  bench.proxy.heal();
  await state.flush();
  expect(await bench.raw("d")).toBe("new life");
  expect(bench.conflicts).toMatchObject([{ base: "old life", theirs: "new life" }]);
});

test("a put by somebody who never saw the document does not overwrite it", async () => {
  await bench.rawPut("d", "precious");
  bench.proxy.leave();
  const state = bench.store();
  expect(await state.get("d")).toBeUndefined();
  await state.put("d", "fresh start");
  bench.proxy.heal();
  await state.flush();
  expect(await bench.raw("d")).toBe("precious");
  expect(bench.conflicts).toMatchObject([{ base: undefined, ours: "fresh start", theirs: "precious" }]);
});

test("increments survive a conflict about the put before them", async () => {
  const state = bench.store();
  await state.put("c", { n: 1 });
  bench.proxy.leave();
  await state.put("c", { n: 10 });
  await state.increment("c", "n", 5);
  await bench.rawPut("c", { n: 100 });
  bench.proxy.heal();
  await state.flush();
  expect(await state.get("c")).toEqual({ n: 105 });
  expect(bench.conflicts).toMatchObject([{ ours: { n: 10 }, theirs: { n: 100 } }]);
});

test("increments of a field that is no number any more are kept and told, and hold nothing up", async () => {
  const state = bench.store();
  await state.increment("c", "n");
  bench.proxy.leave();
  await state.increment("c", "n", 5);
  await state.put("other", 1);
  await bench.rawPut("c", { n: "many" });
  bench.proxy.heal();
  await state.flush();
  expect(await state.get("c")).toEqual({ n: "many" });
  expect(await state.get("other")).toBe(1);
  expect(bench.problems).toMatchObject([{ code: "REFUSED", name: "c" }]);
  expect(await keptFile()).toMatchObject({ increments: { n: 5 }, theirs: { n: "many" } });
});

test("increments of many stores that were away add up with what was counted meanwhile", async () => {
  const stores = [bench.store(), bench.store(), bench.store()];
  await stores[0]?.increment("c", "n");
  for (const store of stores) await store.get("c");
  bench.proxy.leave();
  for (const [index, store] of stores.entries()) {
    await store.increment("c", "n", 10 ** (index + 1));
    await store.increment("c", `of ${index}`, 1);
  }
  await bench.rawPut("c", { ...((await bench.raw("c")) as object), n: 5 });
  bench.proxy.heal();
  await Promise.all(stores.map((store) => store.flush()));
  expect(await stores[1]?.get("c")).toEqual({ n: 1115, "of 0": 1, "of 1": 1, "of 2": 1 });
});

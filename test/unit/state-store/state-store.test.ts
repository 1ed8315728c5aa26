// The state store before a real server that answers, is away from the start, or goes away.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { InvalidArgumentError, UnencodableError } from "../../../client/src/errors/errors.js";
import { Bench, eventually } from "./bench.js";

let bench: Bench;

beforeEach(async () => {
  bench = await Bench.start();
});

afterEach(() => bench.end());

describe("with the server there", () => {
  test("documents are put, read, changed, counted in, listed and deleted", async () => {
    const state = bench.store();
    expect(await state.get("learned")).toBeUndefined();
    expect(await state.put("learned", { rate: 0.5, name: "ä" })).toEqual({ storedIn: "database", version: 1 });
    expect(await state.get("learned")).toEqual({ rate: 0.5, name: "ä" });
    expect(await state.update<{ rate: number }>("learned", (value) => ({ rate: (value?.rate ?? 0) * 2 }))).toEqual({
      storedIn: "database",
      version: 2,
      value: { rate: 1 },
    });
    // The first increment of a document writes its marker before.
    expect(await state.increment("counters", "games")).toEqual({ storedIn: "database", version: 2, value: 1 });
    expect(await state.incrementAll("counters", { games: 2, energy: -0.5 })).toEqual({
      storedIn: "database",
      version: 3,
      values: { games: 3, energy: -0.5 },
    });
    expect((await state.list()).map(({ name, version }) => [name, version])).toEqual([
      ["counters", 3],
      ["learned", 2],
    ]);
    expect(await state.read("learned")).toMatchObject({ from: "database", version: 2, isPending: false });
    expect(await state.delete("learned")).toEqual({ storedIn: "database", version: 0 });
    expect(await state.delete("learned")).toEqual({ storedIn: "database", version: 0 });
    expect(await state.get("learned")).toBeUndefined();
    expect(bench.problems).toEqual([]);
    expect(await bench.files("pending")).toEqual([]);
  });

  test("a put replaces what somebody else wrote, and an update sees it", async () => {
    const state = bench.store();
    await state.put("d", 1);
    await bench.rawPut("d", { theirs: 2 });
    expect(await state.put("d", { ours: 3 })).toEqual({ storedIn: "database", version: 3 });
    await bench.rawPut("d", [1]);
    // What it remembers is no list.
    expect(await state.update<number[]>("d", (value) => [...(value ?? []), 2])).toMatchObject({ value: [1, 2] });
    await bench.rawDelete("d");
    expect(await state.update("d", (value) => value ?? "none")).toMatchObject({ version: 1, value: "none" });
  });

  test("what the caller's function throws is thrown, and nothing is changed", async () => {
    const state = bench.store();
    await state.put("d", 1);
    const fail = () => {
      throw new RangeError("no");
    };
    await expect(state.update("d", fail)).rejects.toThrow(RangeError);
    expect(await state.update("d", () => undefined)).toEqual({ storedIn: "database", version: 1, value: undefined });
    expect(await state.read("d")).toMatchObject({ value: 1, version: 1 });
    expect(state.isServerAway).toBe(false);
  });

  test("what cannot be stored is refused, in the same way with the server and without", async () => {
    const state = bench.store();
    await state.put("text", { n: "x" });
    await state.put("list", []);
    const refusals = async () => {
      for (const name of ["", " a", "a ", "a\nb", "a".repeat(257), "\ud800"]) {
        await expect(state.put(name, 1), JSON.stringify(name)).rejects.toThrow(InvalidArgumentError);
      }
      const cycle: { self?: object } = {};
      cycle.self = cycle;
      await expect(state.put("d", cycle as never)).rejects.toThrow(UnencodableError);
      await expect(state.put("d", undefined as never)).rejects.toThrow(UnencodableError);
      await expect(state.put("d", "x".repeat(2 ** 20))).rejects.toThrow(InvalidArgumentError);
      await expect(state.put("d", JSON.parse("[".repeat(65) + "]".repeat(65)))).rejects.toThrow("nested more than 64");
      await expect(state.update("d", (async () => 1) as never)).rejects.toThrow("await it first");
      await expect(state.increment("d", "n", Number.NaN)).rejects.toThrow(InvalidArgumentError);
      await expect(state.increment("d", "$tailkeep")).rejects.toThrow(InvalidArgumentError);
      await expect(state.increment("text", "n")).rejects.toMatchObject({ code: "NOT_A_COUNTER" });
      await expect(state.increment("list", "n")).rejects.toMatchObject({ code: "NOT_A_COUNTER" });
      expect(await state.get("d")).toBeUndefined();
    };
    await refusals();
    bench.proxy.leave();
    await refusals();
    expect(state.isServerAway).toBe(true);
  });

  test("one caller's bad increment does not spoil those that are written with it", async () => {
    const state = bench.store();
    await bench.rawPut("c", 5);
    await state.get("c");
    // What it remembers fits nobody.
    await bench.rawPut("c", { text: "x" });
    const all = await Promise.allSettled([
      state.increment("c", "n"),
      state.increment("c", "text"),
      state.incrementAll("c", { n: 1, text: 1 }),
      state.increment("c", "n", 2),
    ]);
    expect(all.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected", "fulfilled"]);
    expect(await state.get("c")).toEqual({ text: "x", n: 3 });
  });

  test("the trace of increments stays in the database and out of sight", async () => {
    const state = bench.store();
    await state.increment("c", "n", 2);
    expect(await bench.raw("c")).toMatchObject({ n: 2, $tailkeep: { since: 1 } });
    const value = await state.get<Record<string, number>>("c");
    expect(value).toEqual({ n: 2 });
    await state.put("c", { ...value, m: 1, $tailkeep: "mine" });
    expect(await bench.raw("c")).toMatchObject({ n: 2, m: 1, $tailkeep: { since: 1 } });
  });

  test("the names and the meanings of the earlier manager", async () => {
    const state = bench.store({ prefix: "run-7/" });
    await state.globalCounters.increment("total_sessions");
    await state.globalCounters.increment("total_sessions", 2);
    await state.actionIntelligence("ls20").put({ effective_actions: {} });
    await state.learningState.put({ epsilon: 0.1 });
    await state.learningState.update((value) => value ?? null);
    expect(await state.globalCounters.get()).toEqual({ total_sessions: 3 });
    expect((await state.list()).map(({ name }) => name)).toEqual([
      "action_intelligence_ls20",
      "global_counters",
      "learning_state",
    ]);
    expect((await state.list("action")).map(({ name }) => name)).toEqual(["action_intelligence_ls20"]);
    expect(await bench.raw("run-7/learning_state")).toEqual({ epsilon: 0.1 });
    await state.architectEvolution.delete();
    await state.performanceData.put([]);
    expect(await state.performanceData.get()).toEqual([]);
  });

  test("changes of many stores at once all count", async () => {
    const stores = Array.from({ length: 3 }, () => bench.store({ patienceMs: 10_000 }));
    await Promise.all(
      stores.flatMap((store) =>
        Array.from({ length: 10 }, async () => {
          await store.increment("c", "n");
          await store.update<{ n: number }>("u", (value) => ({ n: (value?.n ?? 0) + 1 }));
        }),
      ),
    );
    expect(await stores[0]?.get("c")).toEqual({ n: 30 });
    expect(await stores[0]?.get("u")).toEqual({ n: 30 });
  });

  test("what nobody awaits is written in order, and puts that wait for each other as one", async () => {
    const state = bench.store();
    const puts = Array.from({ length: 2_000 }, (_, index) => state.put("d", index));
    const versions = new Set((await Promise.all(puts)).map(({ version }) => version));
    expect(versions.size).toBeLessThan(10);
    expect(await state.get("d")).toBe(1_999);
    for (const away of [false, true]) {
      if (away) bench.proxy.leave();
      const all: Promise<unknown>[] = [];
      for (let index = 0; index < 50; index++) {
        all.push(state.increment("c", "n", 100), state.put("c", { n: index }), state.increment("c", "n"));
        if (index % 3 === 0) all.push(state.delete("c"), state.increment("c", "n", index));
        if (index % 4 === 0) all.push(state.get("c").then((value) => expect(value).toBeDefined()));
      }
      await Promise.all(all);
      expect(await state.get("c")).toEqual({ n: 50 });
    }
  });

  test("nothing that waits is moved before what lies between", async () => {
    const state = bench.store();
    const all: Promise<unknown>[] = [state.put("d", 1), state.put("d", 2)];
    const between = state.get("d");
    all.push(
      state.put("d", 3),
      state.update<number>("d", (value) => (value ?? 0) * 10),
      state.put("d", 4),
    );
    all.push(state.increment("c", "n"), state.increment("c", "n"));
    all.push(state.update<{ n: number }>("c", (value) => ({ n: (value?.n ?? 0) * 10 })));
    all.push(state.increment("c", "n"));
    await Promise.all(all);
    expect([await between, await state.get("d"), await state.get("c")]).toEqual([2, 4, { n: 21 }]);
  });

  test("values are copies, taken when the call is made", async () => {
    const state = bench.store();
    const value = { list: [1] };
    const put = state.put("d", value);
    value.list.push(2);
    await put;
    expect(await state.get("d")).toEqual({ list: [1] });
    await state.put("odd", { nan: Number.NaN, inf: [Number.NEGATIVE_INFINITY] });
    expect(await state.get("odd")).toEqual({ nan: "NaN", inf: ["-Infinity"] });
  });
});

describe("with the server away", () => {
  const names = ["plain", "../up", "con", "A", "a", "a/b", "語".repeat(200), "x".repeat(256), "a b.json"];

  test("from the start: everything is answered from the folder, and comes into the database later", async () => {
    bench.proxy.leave();
    const state = bench.store();
    for (const name of names) {
      expect(await state.put(name, { name })).toEqual({ storedIn: "folder", version: undefined });
    }
    expect(await state.increment("c", "n", 2)).toEqual({ storedIn: "folder", version: undefined, value: 2 });
    expect(await state.increment("c", "n", 3)).toEqual({ storedIn: "folder", version: undefined, value: 5 });
    expect(await state.update<{ n: number }>("u", (value) => ({ n: (value?.n ?? 0) + 1 }))).toMatchObject({
      storedIn: "folder",
      value: { n: 1 },
    });
    expect(await state.get("a")).toEqual({ name: "a" });
    expect(await state.get("A")).toEqual({ name: "A" });
    expect(await state.read("c")).toEqual({
      value: { n: 5 },
      from: "folder",
      version: 0,
      updatedAtUs: 0,
      isPending: true,
    });
    const all = [...names, "c", "u"].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect((await state.list()).map(({ name }) => name)).toEqual(all);
    expect(await state.get("nothing")).toBeUndefined();
    expect(state.readings()).toMatchObject({ isServerAway: true, pendingDocuments: names.length + 2 });

    bench.proxy.heal();
    await state.flush();
    expect((await state.list()).map(({ name }) => name)).toEqual(all);
    for (const name of names) expect(await bench.raw(name), name).toEqual({ name });
    expect(await state.get("c")).toEqual({ n: 5 });
    expect(await bench.files("pending")).toEqual([]);
    expect(bench.conflicts).toEqual([]);
    expect(bench.problems).toEqual([]);
  });

  test("it comes back by itself", async () => {
    const state = bench.store();
    await state.put("d", 1);
    bench.proxy.leave();
    await state.put("d", 2);
    bench.proxy.heal();
    await eventually(async () => (await bench.raw("d")) === 2, "the put is in the database");
    await eventually(() => !state.isServerAway && state.readings().pendingDocuments === 0, "nothing is pending");
    expect(await state.read("d")).toMatchObject({ value: 2, from: "database" });
  });

  test("what was read before is read on, also by the next process, and under long names too", async () => {
    const state = bench.store();
    for (const name of names) await bench.rawPut(name, { name });
    for (const name of names) await state.get(name);
    bench.proxy.leave();
    for (const name of names) expect((await state.read(name))?.value).toEqual({ name });
    await state.close();
    const next = bench.store();
    for (const name of names)
      expect(await next.read(name)).toMatchObject({ value: { name }, from: "folder", version: 1 });
    expect(await next.list()).toHaveLength(names.length);
    await next.delete("con");
    expect(await next.get("con")).toBeUndefined();
    expect(await next.list()).toHaveLength(names.length - 1);
    bench.proxy.heal();
    await next.flush();
    expect(await bench.raw("con")).toBeUndefined();
    expect(bench.conflicts).toEqual([]);
  });

  test("a server that freezes costs one call its patience, and the next ones nothing", async () => {
    const state = bench.store({ patienceMs: 1_000 });
    await state.put("d", 1);
    bench.proxy.deafen();
    const started = performance.now();
    await state.put("d", 2);
    const first = performance.now() - started;
    expect(first).toBeGreaterThan(900);
    const second = performance.now();
    for (let index = 0; index < 20; index++) await state.put(`d${index}`, index);
    expect(await state.get("d")).toBe(2);
    expect(performance.now() - second).toBeLessThan(first);
  });

  test("increments on top of a put, and a put on top of increments", async () => {
    const state = bench.store();
    await bench.rawPut("c", { n: 100 });
    await state.get("c");
    bench.proxy.leave();
    await state.increment("c", "n");
    await state.increment("c", "n");
    await state.put("c", { n: 5 });
    expect(await state.increment("c", "n", 2)).toMatchObject({ value: 7 });
    bench.proxy.heal();
    await state.flush();
    expect(await state.get("c")).toEqual({ n: 7 });
    expect(bench.conflicts).toEqual([]);
  });

  test("flush says what is missing when the time is up; close does not wait for a server that is away", async () => {
    bench.proxy.leave();
    const state = bench.store();
    await state.put("d", 1);
    await expect(state.flush({ timeoutMs: 300 })).rejects.toThrow("1 documents are not in the database after 300 ms");
    await state.close({ timeoutMs: 60_000 });
    await expect(state.put("d", 2)).rejects.toMatchObject({ code: "STATE_CLOSED" });
    await state.close();
    expect(await bench.files("pending")).toHaveLength(1);
    expect(await bench.files("owners")).toEqual([]);
  });
});

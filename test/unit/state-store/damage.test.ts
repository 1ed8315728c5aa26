// Files that are not what they should be: nothing crashes, nothing wrong is believed, and a person is told.
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sealText } from "../../../client/src/state-store/checked-text.js";
import { Bench, eventually } from "./bench.js";

let bench: Bench;

beforeEach(async () => {
  bench = await Bench.start();
});

afterEach(() => bench.end());

const inFolder = (...parts: string[]) => join(bench.folder, ...parts);

test("a copy that is cut at any byte is set aside, and read anew when the server is back", async () => {
  await bench.rawPut("d", { n: 1 });
  const first = bench.store();
  await first.get("d");
  const whole = await readFile(inFolder("documents", "d.json"));
  bench.proxy.leave();
  expect(await first.get("d")).toEqual({ n: 1 });
  await first.close();
  const store = bench.store();
  for (let bytes = 0; bytes < whole.length; bytes += 7) {
    await writeFile(inFolder("documents", "d.json"), whole.subarray(0, bytes));
    expect(await store.get("d"), `${bytes} bytes`).toBeUndefined();
  }
  const cuts = Math.ceil(whole.length / 7);
  expect(await bench.files("damaged")).toHaveLength(cuts);
  expect(bench.problems.map(({ code }) => code)).toEqual(new Array(cuts).fill("FILE_SET_ASIDE"));
  expect(bench.problems[1]?.message).toMatch(/documents\/d\.json is cut off; it was moved to .*damaged/);
  bench.proxy.heal();
  await eventually(() => !store.isServerAway, "the server is back");
  expect(await store.read("d")).toMatchObject({ value: { n: 1 } });
});

test("a pending file that is cut at any byte is set aside, and those beside it are not", async () => {
  bench.proxy.leave();
  const first = bench.store();
  await first.put("torn", { n: 1 });
  await first.put("whole", { n: 2 });
  await first.close();
  const file = (await bench.files("pending")).find((name) => name.startsWith("torn.")) as string;
  const whole = await readFile(inFolder("pending", file));
  await cp(bench.folder, `${bench.folder}-copy`, { recursive: true });
  try {
    for (let bytes = 0; bytes < whole.length; bytes += 41) {
      await rm(bench.folder, { recursive: true });
      await cp(`${bench.folder}-copy`, bench.folder, { recursive: true });
      await writeFile(inFolder("pending", file), whole.subarray(0, bytes));
      const store = bench.store();
      expect(await store.get("torn"), `${bytes} bytes`).toBeUndefined();
      expect(await store.get("whole")).toEqual({ n: 2 });
      expect(await bench.files("damaged")).toHaveLength(1);
      await store.close();
    }
  } finally {
    await rm(`${bench.folder}-copy`, { recursive: true });
  }
  expect(new Set(bench.problems.map(({ code }) => code))).toEqual(new Set(["FILE_SET_ASIDE"]));
});

test("files of somebody else are left alone, or set aside where they are in the way", async () => {
  await mkdir(inFolder("documents"));
  await mkdir(inFolder("pending"));
  await writeFile(inFolder("global_counters.json"), '{"total_sessions": 3}');
  await writeFile(inFolder("documents", "global_counters.json"), '{"total_sessions": 3}');
  await writeFile(inFolder("documents", "README.txt"), "hello");
  await writeFile(inFolder("documents", "A B.json"), "{}");
  await writeFile(inFolder("pending", "notes.txt"), "hello");
  await writeFile(inFolder("pending", `d.${"a".repeat(16)}.${"b".repeat(16)}.json`), sealText('{"format":1}'));
  await writeFile(inFolder("pending", `d.${"a".repeat(16)}.${"c".repeat(16)}.json`), sealText('{"format":7}'));
  bench.proxy.leave();
  const store = bench.store();
  await store.increment("global_counters", "total_sessions");
  expect(await store.globalCounters.get()).toEqual({ total_sessions: 1 });
  expect(await store.get("d")).toBeUndefined();
  expect((await store.list()).map(({ name }) => name)).toEqual(["global_counters"]);
  expect(await readdir(bench.folder)).toContain("global_counters.json");
  expect(await bench.files("documents")).toEqual(["A B.json", "README.txt"]);
  expect(await bench.files("damaged")).toHaveLength(3);
  expect(bench.problems.map(({ message }) => message).join("\n")).toMatch(/was not written by a state store/);
  expect(bench.problems.map(({ message }) => message).join("\n")).toMatch(/has format 7/);
});

test("what a killed process was writing is cleared away", async () => {
  await mkdir(inFolder("pending"));
  await writeFile(inFolder("pending", `.tmp-${"q".repeat(16)}-1`), '{"sha256":"');
  const store = bench.store();
  await store.get("d");
  expect(await bench.files("pending")).toEqual([]);
  expect(bench.problems).toEqual([]);
});

describe("a folder that cannot be used", () => {
  let unusable: string;

  beforeEach(async () => {
    // A file where the folder should be: also root cannot write there.
    unusable = inFolder("file");
    await writeFile(unusable, "");
  });

  test("does not hurt while the server is there", async () => {
    const store = bench.store({ folder: unusable });
    expect(await store.put("d", 1)).toEqual({ storedIn: "database", version: 1 });
    expect(await store.increment("c", "n")).toMatchObject({ storedIn: "database", value: 1 });
    expect(await store.get("d")).toBe(1);
    expect(bench.problems).toMatchObject([{ code: "FOLDER_FAILED" }]);
    expect(bench.problems[0]?.message).toContain("make the folder writable");
  });

  test("leaves memory, which says so, and is brought into the database in time", async () => {
    const store = bench.store({ folder: unusable });
    await store.put("d", 1);
    bench.proxy.leave();
    expect(await store.put("d", 2)).toEqual({ storedIn: "memory", version: undefined });
    expect(await store.increment("c", "n", 2)).toMatchObject({ storedIn: "memory", value: 2 });
    expect(await store.increment("c", "n", 2)).toMatchObject({ storedIn: "memory", value: 4 });
    expect(await store.get("d")).toBe(2);
    await bench.rawPut("d", "theirs");
    bench.proxy.heal();
    await store.flush();
    expect(await store.get("c")).toEqual({ n: 4 });
    expect(bench.conflicts).toMatchObject([{ ours: 2, theirs: "theirs", file: undefined }]);
  });

  test("is told once more at the end, if something is lost", async () => {
    bench.proxy.leave();
    const store = bench.store({ folder: unusable });
    await store.put("d", 2);
    await store.close();
    expect(bench.problems.at(-1)).toMatchObject({ code: "LOST_AT_CLOSE", name: "d" });
  });

  test("is used again once that is possible", async () => {
    bench.proxy.leave();
    const store = bench.store({ folder: unusable });
    expect(await store.put("d", 2)).toMatchObject({ storedIn: "memory" });
    await rm(unusable);
    expect(await store.put("e", 3)).toMatchObject({ storedIn: "folder" });
    await store.close();
    const next = bench.store({ folder: unusable });
    expect(await next.get("d")).toBe(2);
    expect(await next.get("e")).toBe(3);
    expect(bench.problems.map(({ code }) => code)).toEqual(["FOLDER_FAILED"]);
  });
});

// Several owners of pending files on one folder.
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { STATE_OWNER_SILENCE_MS } from "../../../client/src/limits.js";
import { type Marker, marked, presenceOf } from "../../../client/src/state-store/marker.js";
import { newOwnerId, OwnerWatch, ownRecord } from "../../../client/src/state-store/owner.js";
import { PendingBook } from "../../../client/src/state-store/pending-book.js";
import { StateProblems } from "../../../client/src/state-store/problems.js";
import { StateFolder } from "../../../client/src/state-store/state-folder.js";
import { temporaryFolder } from "../../support/in-process-server.js";
import { Bench } from "./bench.js";

describe("whether an owner lives", () => {
  const id = newOwnerId();
  let nowMs = 0;
  const watch = () => new OwnerWatch(() => nowMs);

  test("on this machine by its process, whatever its file's age", () => {
    const self = ownRecord();
    const watching = watch();
    for (nowMs of [0, 10 * STATE_OWNER_SILENCE_MS]) expect(watching.isAlive(id, self, 0)).toBe(true);
    expect(watching.isAlive(id, { ...self, pid: 2 ** 30 }, 0)).toBe(false);
    if (process.platform === "linux") {
      expect(watching.isAlive(id, { ...self, startedAt: "1" }, 0)).toBe(false);
      expect(watching.isAlive(id, { ...self, pid: 1 }, 0)).toBe(false);
    }
  });

  test.each([undefined, { ...ownRecord(), place: "elsewhere" }])("elsewhere by its beats: %o", (record) => {
    const watching = watch();
    nowMs = 1_000;
    expect(watching.isAlive(id, record, 5)).toBe(true);
    nowMs += STATE_OWNER_SILENCE_MS - 1;
    expect(watching.isAlive(id, record, 5)).toBe(true);
    expect(watching.isAlive(id, record, 4)).toBe(true);
    nowMs += STATE_OWNER_SILENCE_MS - 1;
    expect(watching.isAlive(id, record, 4)).toBe(true);
    nowMs += 1;
    expect(watching.isAlive(id, record, 4)).toBe(false);
  });
});

describe("stores on one folder", () => {
  let bench: Bench;

  beforeEach(async () => {
    bench = await Bench.start();
  });

  afterEach(() => bench.end());

  test("what a closed one left is the next one's, puts and increments and deletions in order", async () => {
    await bench.rawPut("gone", 1);
    await bench.rawPut("changed", { n: 1 });
    bench.proxy.leave();
    const first = bench.store();
    await first.put("d", 1);
    await first.increment("c", "n", 2);
    await first.close();
    const second = bench.store();
    expect(await second.get("d")).toBe(1);
    await second.put("d", 2);
    await second.increment("c", "n", 3);
    await second.increment("d2", "n", 3);
    await second.close();
    const third = bench.store();
    expect(await third.get("d")).toBe(2);
    expect(await third.get("c")).toEqual({ n: 5 });
    await third.put("d2", { n: 100 });
    await third.increment("d2", "n", 1);
    bench.proxy.heal();
    await third.flush();
    expect(await bench.raw("d")).toBe(2);
    expect(await bench.raw("c")).toMatchObject({ n: 5 });
    expect(await bench.raw("d2")).toMatchObject({ n: 101 });
    expect(bench.conflicts).toEqual([]);
    expect(bench.problems).toEqual([]);
    expect(await bench.files("pending")).toEqual([]);
  });

  test("a living one keeps its own; different documents never meet", async () => {
    bench.proxy.leave();
    const stores = [bench.store(), bench.store(), bench.store()];
    for (const [index, store] of stores.entries()) {
      await store.put(`of ${index}`, index);
      await store.increment("all", "n");
    }
    expect(await bench.files("pending")).toHaveLength(6);
    expect(await bench.files("owners")).toHaveLength(3);
    bench.proxy.heal();
    await Promise.all(stores.map((store) => store.flush()));
    for (const index of stores.keys()) expect(await bench.raw(`of ${index}`)).toBe(index);
    expect(await bench.raw("all")).toMatchObject({ n: 3 });
    expect(bench.conflicts).toEqual([]);
  });

  test("the same document in two: one is written, the other is a conflict", async () => {
    await bench.rawPut("d", 0);
    const [a, b] = [bench.store(), bench.store()];
    await a.get("d");
    bench.proxy.leave();
    await a.put("d", "of a");
    await b.put("d", "of b");
    expect([await a.get("d"), await b.get("d")]).toEqual(["of a", "of b"]);
    bench.proxy.heal();
    await Promise.all([a.flush(), b.flush()]);
    const kept = await bench.raw("d");
    expect(["of a", "of b"]).toContain(kept);
    expect(bench.conflicts).toMatchObject([{ ours: kept === "of a" ? "of b" : "of a", theirs: kept }]);
  });

  test("one that was taken for dead goes on, and nothing is lost or doubled", async () => {
    bench.proxy.leave();
    const paused = bench.store();
    await paused.increment("c", "n", 1);
    await paused.put("d", "of paused");
    // As if it had been silent for a minute on another machine.
    for (const file of await bench.files("owners")) {
      const path = join(bench.folder, "owners", file);
      const record = JSON.parse(await readFile(path, "utf8")) as object;
      await writeFile(path, JSON.stringify({ ...record, pid: 2 ** 30 }));
    }
    const heir = bench.store();
    expect(await heir.get("c")).toEqual({ n: 1 });
    await paused.increment("c", "n", 10);
    await heir.increment("c", "n", 100);
    expect(bench.problems).toMatchObject([{ code: "OWNERSHIP_LOST" }]);
    bench.proxy.heal();
    await Promise.all([heir.flush(), paused.flush()]);
    expect(await bench.raw("c")).toMatchObject({ n: 111 });
    expect(await bench.raw("d")).toBe("of paused");
    expect(bench.conflicts).toEqual([]);
    expect(await bench.files("pending")).toEqual([]);
  });

  test("a folder that is emptied under a running store is filled again", async () => {
    bench.proxy.leave();
    const store = bench.store();
    await store.increment("c", "n", 1);
    await store.put("d", 1);
    await rm(bench.folder, { recursive: true });
    expect(await store.increment("c", "n", 2)).toMatchObject({ storedIn: "folder", value: 3 });
    await store.put("e", 1);
    await store.close();
    const next = bench.store();
    bench.proxy.heal();
    await next.flush();
    expect(await bench.raw("c")).toMatchObject({ n: 3 });
    expect(await bench.raw("d")).toBe(1);
    expect(await bench.raw("e")).toBe(1);
  });
});

/** What a document would be after all that these have in hand, as reconciling goes about it. */
async function sumOf(name: string, books: readonly PendingBook[]): Promise<number> {
  let sum = 0;
  let marker: Marker | undefined;
  let version = 0;
  for (const book of books) {
    for (let held = book.head(name); held !== undefined; held = book.head(name)) {
      const { writer, sealed, open } = held.pending;
      for (const batch of [sealed, open]) {
        if (batch === undefined || presenceOf(marker, version, writer, batch.seq, undefined) === "present") continue;
        sum += batch.by.get("n") ?? 0;
        marker = marked(marker, writer, batch.seq, ++version);
      }
      await book.drop(name, held);
    }
  }
  return sum;
}

test.each(["before", "during", "after"])("robbed %s a write, an increment still counts once", async (moment) => {
  const temporary = await temporaryFolder();
  const { path } = temporary;
  const problems = new StateProblems();
  const codes: string[] = [];
  problems.add(({ code }) => codes.push(code));
  const open = () => new PendingBook(new StateFolder(path, problems), problems, () => 0);
  const [book, heir, last] = [open(), open(), open()];
  await book.count("c", new Map([["n", 1]]));
  const rob = async () => {
    for (const file of await readdir(join(path, "owners"))) await rm(join(path, "owners", file));
    await heir.adopt();
  };
  const isWriting = async () => (await readdir(join(path, "pending"))).some((file) => file.startsWith(".tmp"));
  if (moment === "before") await rob();
  const write = book.count("c", new Map([["n", 10]]));
  if (moment === "during") {
    while (!(await isWriting()) && codes.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await rob();
  }
  expect(await write).toBe("folder");
  if (moment === "after") await rob();
  expect(book.view("c", undefined)).toBe('{"n":11}');
  expect(codes).toEqual(moment === "after" ? [] : ["OWNERSHIP_LOST"]);
  for (const each of [book, heir]) await each.release();
  await last.adopt();
  expect(await sumOf("c", [heir, book, last])).toBe(11);
  await temporary.remove();
});

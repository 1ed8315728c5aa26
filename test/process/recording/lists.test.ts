// Lists that record, against a real server: what they store, and how what left memory is read back.
import { setTimeout as sleep } from "node:timers/promises";
import { DatabaseBoundedList, openRecorder, type Recorder, type RecorderOptions } from "@tailkeep/client";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type InProcessServer, startInProcess, temporaryFolder } from "../../support/in-process-server.js";

let folder: { path: string; remove(): Promise<void> };
let server: InProcessServer;
let sessions = 0;
const recorders: Recorder[] = [];

beforeAll(async () => {
  folder = await temporaryFolder();
  server = await startInProcess({ store: `sqlite:${folder.path}/lists.db` });
});

afterEach(async () => {
  await Promise.all(recorders.splice(0).map((recorder) => recorder.close({ timeoutMs: 5_000 })));
});

afterAll(async () => {
  await server.close();
  await folder.remove();
});

function record(options: RecorderOptions = {}): Recorder {
  const recorder = openRecorder({
    server: server.grpcAddr,
    sessionId: `session-${++sessions}`,
    spill: false,
    ...options,
  });
  recorders.push(recorder);
  return recorder;
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const numbers = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

describe("what is recorded", () => {
  test("append, push and extend are recorded; other changes stay in memory", async () => {
    const recorder = record();
    const list = new DatabaseBoundedList("score_history", { capacity: 3, recorder, gameId: "g" });
    list.append(1);
    list.push(2, 3);
    list.extend([4, 5]);
    list.sort((a, b) => Number(b) - Number(a));
    list.pop();
    await list.flush();
    expect([...list]).toEqual([5, 4]);
    const records = await all(recorder.client.history.listRecords({ sessionId: list.sessionId, order: "oldest" }));
    expect(records.map((each) => ("score" in each ? each.score : undefined))).toEqual([1, 2, 3, 4, 5]);
    expect(records.every(({ gameId, type }) => gameId === "g" && type === "score_history")).toBe(true);
  });

  test("an object fills its columns and is kept whole; a missing game is unknown", async () => {
    const recorder = record();
    const list = new DatabaseBoundedList("performance_history", { recorder });
    list.append({ score: 12, winRate: 0.5, loss: 0.25 });
    list.append("a note");
    await list.flush();
    const records = await all(recorder.client.history.listRecords({ sessionId: list.sessionId, order: "oldest" }));
    expect(records).toMatchObject([
      { gameId: "unknown", score: 12, winRate: 0.5, metadata: { score: 12, winRate: 0.5, loss: 0.25 } },
      { gameId: "unknown", metadata: { data: "a note" } },
    ]);
  });

  test("what cannot be recorded stays in memory, is counted, and does not disturb the trainer", async () => {
    const recorder = record();
    recorder.onProblem(() => undefined);
    const list = new DatabaseBoundedList<"performance_history", object>("performance_history", { recorder });
    const circular: Record<string, unknown> = {};
    circular["itself"] = circular;
    const trap = Object.defineProperty({}, "score", {
      enumerable: true,
      get: () => {
        throw new Error("of the trainer");
      },
    });
    for (const item of [circular, { big: 1n }, trap, { score: 1 }]) list.append(item);
    await list.flush();
    expect(list).toHaveLength(4);
    expect(recorder.ledger).toMatchObject({ appended: 4, durable: 1, rejected: 3, pending: 0 });
    expect(await all(list.history({ order: "oldest" }))).toEqual([circular, { big: 1n }, trap, { score: 1 }]);
  });
});

describe("history", () => {
  test.each([
    ["newest", 1],
    ["newest", 7],
    ["oldest", 7],
    ["oldest", 1_000],
  ] as const)("%s first, %s in memory: no gap and no repeat at the seam", async (order, capacity) => {
    const recorder = record();
    const list = new DatabaseBoundedList("score_history", { capacity, recorder });
    for (const n of numbers(1, 2_500)) list.append(n);
    const expected = order === "oldest" ? numbers(1, 2_500) : numbers(1, 2_500).reverse();
    expect(await all(list.history({ order }))).toEqual(expected);
    expect(await all(list.history({ order, limit: 30 }))).toEqual(expected.slice(0, 30));
  });

  test("newest first answers from memory without a server", async () => {
    const recorder = record({ server: "127.0.0.1:1" });
    const list = new DatabaseBoundedList("score_history", { capacity: 10, recorder });
    for (const n of numbers(1, 100)) list.append(n);
    expect(await all(list.history({ limit: 10 }))).toEqual(numbers(91, 100).reverse());
    await expect(all(list.history({ limit: 11, timeoutMs: 50 }))).rejects.toThrow(/100 records pending/);
  });

  test("is a view of the moment, also while the trainer goes on writing", async () => {
    const recorder = record();
    const list = new DatabaseBoundedList("score_history", { capacity: 5, recorder });
    let n = 0;
    let isWriting = true;
    const writing = (async () => {
      while (isWriting) {
        for (let i = 0; i < 20; i++) list.append(++n);
        await sleep(2);
      }
    })();
    for (let round = 0; round < 20; round++) {
      const last = n;
      const order = round % 2 === 0 ? "newest" : "oldest";
      const found = await all(list.history({ order }));
      expect(found, `${order} at ${last}`).toEqual(order === "oldest" ? numbers(1, last) : numbers(1, last).reverse());
    }
    isWriting = false;
    await writing;
    expect(n).toBeGreaterThan(100);
  });

  test("does not mix games, and finds what was written for another game in passing", async () => {
    const recorder = record();
    const options = { capacity: 2, recorder };
    const a = new DatabaseBoundedList("score_history", { ...options, gameId: "a" });
    const b = new DatabaseBoundedList("score_history", { ...options, gameId: "b" });
    for (const n of numbers(1, 10)) {
      a.append({ score: n });
      b.append({ score: -n });
    }
    expect(await all(a.history({ order: "oldest" }))).toEqual(numbers(1, 10).map((score) => ({ score })));
    a.append({ score: 11, gameId: "c" });
    for (const n of [12, 13]) a.append({ score: n });
    const found = await all(a.history({ order: "oldest" }));
    expect(found.slice(9)).toEqual([{ score: 10 }, { score: 11, gameId: "c" }, { score: 12 }, { score: 13 }]);
  });

  test("items with times of their own are in the database's order of time, none twice and none missing", async () => {
    const recorder = record();
    const list = new DatabaseBoundedList("score_history", { capacity: 4, recorder });
    const times = [50, 10, 40, 20, 30, 60, 15, 55];
    for (const second of times) list.append({ score: second, timestamp: 1_700_000_000 + second });
    const found = await all(list.history({ order: "newest" }));
    const scores = found.map((item) => (typeof item === "number" ? item : item.score));
    expect(scores.slice(0, 4)).toEqual([55, 15, 60, 30]);
    expect(scores.slice(4)).toEqual([50, 40, 20, 10]);
  });

  test("between times: from memory and database alike", async () => {
    const recorder = record();
    const list = new DatabaseBoundedList("score_history", { capacity: 3, recorder });
    for (const second of numbers(1, 10)) list.append({ score: second, eventTimeUs: second * 1_000_000 });
    const found = await all(list.history({ order: "oldest", sinceUs: 5_000_000, untilUs: 10_000_000 }));
    expect(found.map((item) => (typeof item === "number" ? item : item.score))).toEqual([5, 6, 7, 8, 9]);
  });

  test("after memory was changed by hand, all is read from the database; cleared, all has left memory", async () => {
    const recorder = record();
    const list = new DatabaseBoundedList("score_history", { capacity: 5, recorder });
    for (const n of numbers(1, 20)) list.append(n);
    list.sort((a, b) => Number(a) - Number(b));
    expect(await all(list.history({ order: "oldest" }))).toEqual(numbers(1, 20));
    list.clear();
    for (const n of numbers(21, 23)) list.append(n);
    expect(await all(list.history({ order: "oldest" }))).toEqual(numbers(1, 23));
    list.resize(1);
    expect(await all(list.history())).toEqual(numbers(1, 23).reverse());
  });

  test("says where records were lost, by the gap that readers see", async () => {
    const recorder = record({ server: "127.0.0.1:1", overflow: "drop-newest", memoryBytesMax: 8 * 1024 * 1024 });
    recorder.onProblem(() => undefined);
    const list = new DatabaseBoundedList("performance_history", { capacity: 3, recorder });
    for (const n of numbers(1, 3_000)) list.append({ score: n, blob: "x".repeat(4_000) });
    const { overflow } = recorder.ledger.dropped;
    expect(overflow).toBeGreaterThan(0);
    expect((await all(list.history({ limit: 3 }))).map((item) => (item as { score: number }).score)).toEqual([
      3_000, 2_999, 2_998,
    ]);
  });
});

describe("reading back", () => {
  test("a new process loads what its predecessor had, and its history goes on from there", async () => {
    const sessionId = `session-${++sessions}`;
    const first = new DatabaseBoundedList("score_history", { capacity: 5, recorder: record(), sessionId });
    for (const n of numbers(1, 50)) first.append(n);
    await first.flush();

    const second = new DatabaseBoundedList("score_history", { capacity: 5, recorder: record(), sessionId });
    second.append(0);
    second.clear();
    expect(await second.loadFromDatabase()).toBe(5);
    expect(second.toList()).toEqual([47, 48, 49, 50, 0]);
    for (const n of numbers(51, 53)) second.append(n);
    expect(second.toList()).toEqual([50, 0, 51, 52, 53]);
    const expected = [...numbers(1, 50), 0, ...numbers(51, 53)];
    expect(await all(second.history({ order: "oldest" }))).toEqual(expected);
    expect(await all(second.history())).toEqual(expected.reverse());
    await second.flush();
    const statistics = await recorders[1]?.client.history.getStatistics({ sessionId });
    expect(statistics?.stored.score_history).toBe(54);
  });

  test("tail and watch show what is stored", async () => {
    const recorder = record();
    const list = new DatabaseBoundedList("score_history", { capacity: 2, recorder });
    for (const n of numbers(1, 10)) list.append(n);
    await list.flush();
    expect(await list.tail(3)).toEqual([8, 9, 10]);
    const watch = list.watch({ snapshotLimit: 2 });
    const seen: unknown[] = [];
    for await (const event of watch) {
      if (event.event === "caughtUp" && seen.length === 2) list.append(11);
      if (event.event === "record" && "score" in event.record) seen.push(event.record.score);
      if (seen.length === 3) break;
    }
    expect(seen).toEqual([9, 10, 11]);
  });
});

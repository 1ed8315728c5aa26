// Dictionaries that record, against a real server: every write, and every key that was evicted.
import { DatabaseBoundedDict, openRecorder, type Recorder, type RecorderOptions } from "@tailkeep/client";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type InProcessServer, startInProcess, temporaryFolder } from "../../support/in-process-server.js";

let folder: { path: string; remove(): Promise<void> };
let server: InProcessServer;
let sessions = 0;
const recorders: Recorder[] = [];

beforeAll(async () => {
  folder = await temporaryFolder();
  server = await startInProcess({ store: `sqlite:${folder.path}/dicts.db` });
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

test("every write is recorded, not only the last value of a key", async () => {
  const recorder = record();
  const dict = new DatabaseBoundedDict("frame_tracking", { capacity: 2, recorder, gameId: "g" });
  for (let n = 1; n <= 5; n++) dict.set("hash", { seen: n });
  dict.set("other", { stagnationDetected: true });
  await dict.flush();
  const records = await all(recorder.client.history.listRecords({ sessionId: dict.sessionId, order: "oldest" }));
  expect(records).toMatchObject([
    ...[1, 2, 3, 4, 5].map((seen) => ({ frameHash: "hash", frameAnalysis: { seen }, gameId: "g" })),
    { frameHash: "other", stagnationDetected: true },
  ]);
  expect([...dict.keys()]).toEqual(["hash", "other"]);
});

describe("an evicted key is found again", () => {
  test("coordinates, of this game and session", async () => {
    const recorder = record();
    const dict = new DatabaseBoundedDict("coordinate_tracking", { capacity: 10, recorder, gameId: "g" });
    const foreign = new DatabaseBoundedDict("coordinate_tracking", { capacity: 10, recorder, gameId: "h" });
    for (let x = 0; x < 100; x++) {
      dict.set(`${x},${-x}`, { success: x % 2 === 0, tries: 1 });
      foreign.set(`${x},${-x}`, { tries: 1_000 });
    }
    dict.set("3,-3", { success: true, tries: 2 });
    for (let x = 200; x < 220; x++) dict.set(`${x},0`, { tries: 1 });
    expect(dict.has("3,-3")).toBe(false);
    expect(await dict.fetch("3,-3")).toEqual({ success: true, tries: 2 });
    expect(await dict.fetch("42,-42")).toEqual({ success: true, tries: 1 });
    expect(await dict.fetch("219,0")).toEqual({ tries: 1 });
    expect(await dict.fetch("7,7")).toBeUndefined();
  });

  test.each([
    ["performance_history", { score: 3, loss: 0.5 }],
    ["session_history", { status: "WIN", win: true }],
    ["action_tracking", { effectiveness: 0.25, tried: [1, 2] }],
    ["frame_tracking", "any value"],
    ["score_history", 17],
  ] as const)("%s", async (type, value) => {
    const recorder = record();
    const dict = new DatabaseBoundedDict<typeof type, unknown>(type, { capacity: 3, recorder });
    dict.set("wanted", value);
    for (let n = 0; n < 300; n++) dict.set(`key-${n}`, type === "score_history" ? n : { score: n });
    expect(dict.has("wanted")).toBe(false);
    expect(await dict.fetch("wanted")).toEqual(value);
    expect(await dict.fetch("key-5")).toEqual(type === "score_history" ? 5 : { score: 5 });
    expect(await dict.fetch("never written")).toBeUndefined();
  });
});

test("a key that its type cannot have is refused, counted and said; memory has it", async () => {
  const recorder = record();
  const problems: string[] = [];
  recorder.onProblem(({ message }) => problems.push(message));
  const dict = new DatabaseBoundedDict("coordinate_tracking", { recorder });
  dict.set("not,coordinates" as "1,2", { tries: 1 });
  expect(dict.get("not,coordinates" as "1,2")).toEqual({ tries: 1 });
  expect(recorder.ledger).toMatchObject({ appended: 1, rejected: 1 });
  expect(problems).toEqual([expect.stringContaining('"x,y"')]);
});

test("history shows all writes, of one key or of all; loading brings the newest keys back", async () => {
  const sessionId = `session-${++sessions}`;
  const first = new DatabaseBoundedDict("score_history", { capacity: 3, recorder: record(), sessionId });
  for (let n = 0; n < 40; n++) first.set(`key-${n % 8}`, n);
  const history = await all(first.history({ key: "key-3", order: "oldest" }));
  expect(history.map(({ key, value }) => [key, value])).toEqual([3, 11, 19, 27, 35].map((n) => ["key-3", n]));
  expect(await all(first.history({ limit: 2 }))).toMatchObject([
    { key: "key-7", value: 39 },
    { key: "key-6", value: 38 },
  ]);

  const recorder = record();
  const second = new DatabaseBoundedDict("score_history", { capacity: 3, recorder, sessionId });
  expect(await second.loadFromDatabase()).toBe(3);
  expect([...second]).toEqual([
    ["key-5", 37],
    ["key-6", 38],
    ["key-7", 39],
  ]);
  expect(recorder.ledger.appended).toBe(0);
});

test("the object-like view records as set does", async () => {
  const recorder = record();
  const view = new DatabaseBoundedDict("frame_tracking", { capacity: 2, recorder }).asObject();
  view["a"] = { seen: 1 };
  view["b"] = { seen: 2 };
  view["c"] = { seen: 3 };
  expect(Object.keys(view)).toEqual(["b", "c"]);
  await recorder.flush();
  expect(recorder.ledger).toMatchObject({ appended: 3, durable: 3 });
});

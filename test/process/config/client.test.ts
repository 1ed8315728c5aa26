// client.config against a real server, and Limits that follow it.
import { join } from "node:path";
import {
  type CentralConfig,
  connect,
  DatabaseBoundedDict,
  DatabaseBoundedList,
  InvalidArgumentError,
  openRecorder,
  SETTING_NAMES,
  type TailkeepClient,
  VersionMismatchError,
} from "@tailkeep/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type InProcessServer, startInProcess, temporaryFolder } from "../../support/in-process-server.js";

let folder: { path: string; remove(): Promise<void> };
let server: InProcessServer;
let client: TailkeepClient;

const store = () => `sqlite:${join(folder.path, "client.db")}`;

beforeAll(async () => {
  folder = await temporaryFolder();
  server = await startInProcess({ store: store(), memoryLimits: { frameHistory: 60 } });
  client = connect({ server: server.grpcAddr });
});
afterAll(async () => {
  await client.close();
  await server.close();
  await folder.remove();
});

const SOON = { timeout: 10_000, interval: 50 };

describe("client.config", () => {
  test("reads values with their sources, changes them, and tells who did", async () => {
    const before = await client.config.get();
    expect(before).toMatchObject({ version: 0, updatedAtUs: 0, memoryLimits: { scoreHistory: 100, frameHistory: 60 } });
    expect(Object.keys(before.sources).sort()).toEqual([...SETTING_NAMES].sort());
    expect(before.sources["memoryLimits.frameHistory"]).toBe("server");
    expect(before.sources["memoryLimits.scoreHistory"]).toBe("default");
    const after = await client.config.update({
      memoryLimits: { scoreHistory: 12 },
      actionLimits: { perGame: 9 },
      expectedVersion: 0,
      author: "ann",
      comment: "less memory",
    });
    expect(after).toMatchObject({ version: 1, memoryLimits: { scoreHistory: 12 }, actionLimits: { perGame: 9 } });
    expect(after.updatedAtUs).toBeGreaterThan(1e15);
    expect(after.sources["memoryLimits.scoreHistory"]).toBe("database");
    expect(Object.isFrozen(after) && Object.isFrozen(after.memoryLimits) && Object.isFrozen(after.sources)).toBe(true);
    await client.config.update({ reset: ["actionLimits.perGame"] });
    const history = [];
    for await (const change of client.config.history({ pageSize: 1 })) history.push(change);
    expect(history).toEqual([
      expect.objectContaining({ version: 2, settings: { "actionLimits.perGame": { before: 9, after: undefined } } }),
      expect.objectContaining({ version: 1, author: "ann", comment: "less memory" }),
    ]);
  });

  test("is refused by name, and by version", async () => {
    const wrong = client.config.update({ memoryLimits: { scoreHistory: 0 } });
    await expect(wrong).rejects.toThrow(InvalidArgumentError);
    await expect(wrong).rejects.toThrow(/memoryLimits\.scoreHistory: is 0; use a whole number from 1 to 100000/);
    await expect(client.config.update({ expectedVersion: 0 })).rejects.toThrow(VersionMismatchError);
  });

  test("a watch begins with what is, tells each change, and ends with its signal", async () => {
    const stop = new AbortController();
    const seen: CentralConfig[] = [];
    const watching = (async () => {
      for await (const config of client.config.watch({ signal: stop.signal })) seen.push(config);
    })();
    await expect.poll(() => seen.length, SOON).toBe(1);
    await client.config.update({ memoryLimits: { dictionaries: 33 } });
    await expect.poll(() => seen.length, SOON).toBe(2);
    expect(seen[1]).toEqual(await client.config.get());
    stop.abort();
    await watching;
    for await (const config of client.config.watch()) {
      expect(config).toEqual(seen[1]);
      break;
    }
  });

  test("a watch goes on over a restart of the server, without repeating itself", async () => {
    const folderOfIts = await temporaryFolder();
    const settings = { store: `sqlite:${join(folderOfIts.path, "t.db")}` };
    let own = await startInProcess(settings);
    const watcher = connect({ server: own.grpcAddr });
    const stop = new AbortController();
    const seen: number[] = [];
    let lost = 0;
    const watching = (async () => {
      const options = { signal: stop.signal, onReconnect: () => lost++ };
      for await (const { version } of watcher.config.watch(options)) seen.push(version);
    })();
    await expect.poll(() => seen, SOON).toEqual([0]);
    await own.close();
    await expect.poll(() => lost, SOON).toBeGreaterThan(0);
    own = await startInProcess({ ...settings, grpcAddr: own.grpcAddr });
    await watcher.config.update({ memoryLimits: { scoreHistory: 5 } });
    await expect.poll(() => seen, { ...SOON, timeout: 20_000 }).toEqual([0, 1]);
    stop.abort();
    await watching;
    await watcher.close();
    await own.close();
    await folderOfIts.remove();
  });
});

describe("containers without a capacity", () => {
  test("follow the server while it runs, and stop when the recorder is closed", async () => {
    const recorder = openRecorder({ server: server.grpcAddr, sessionId: "follow", spill: false });
    const list = new DatabaseBoundedList("action_tracking", { recorder, gameId: "g" });
    const own = new DatabaseBoundedList("action_tracking", { recorder, gameId: "g", capacity: 77 });
    const dict = new DatabaseBoundedDict("frame_tracking", { recorder, gameId: "g" });
    expect([list.capacity, dict.capacity, recorder.limits.current.version]).toEqual([1_000, 500, 0]);
    for (let n = 0; n < 50; n++) list.append({ actionType: `A${n}` });
    await client.config.update({ memoryLimits: { actionHistory: 10, dictionaries: 44 } });
    await expect.poll(() => [list.capacity, dict.capacity, own.capacity], SOON).toEqual([10, 44, 77]);
    expect(list.length).toBe(10);
    expect(recorder.limits.current).toEqual(await client.config.get());
    await list.flush();
    const all = [];
    for await (const item of list.history({ order: "oldest" })) all.push(item);
    expect(all).toHaveLength(50);
    await recorder.close();
    await client.config.update({ memoryLimits: { actionHistory: 20 } });
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(list.capacity).toBe(10);
  });

  test("the server's own caches follow too", async () => {
    const { length } = await tailAfter(3);
    expect(length).toBe(3);
    const before = await server.metrics();
    await client.config.update({ memoryLimits: { performanceHistory: 2 } });
    expect((await tailAfter(1)).length).toBe(3);
    const after = await server.metrics();
    const misses = (samples: Map<string, number>) => samples.get("tailkeep_cache_misses_total") ?? 0;
    expect(misses(after)).toBeGreaterThan(misses(before));
  });
});

/** Writes one more record of a session, and asks for its newest `limit`. */
async function tailAfter(limit: number): Promise<readonly unknown[]> {
  if (limit > 1) {
    const records = [1, 2, 3].map((score) => ({ type: "performance_history" as const, score }));
    await client.writeRecords({ sessionId: "cached", streamId: "s", writerId: "w", firstSeq: 1, records });
  }
  return client.history.tailRecords({ sessionId: "cached", types: ["performance_history"], limit: 3 });
}

// Two servers on one database: what one is told holds on the other within seconds, for askers, watchers and caches.
import { connect, type TailkeepClient, VersionMismatchError } from "@tailkeep/client";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type DatabaseServer, isSkipped, type Skipped, sharedMysqlFamily } from "../../support/databases/index.js";
import { type InProcessServer, startInProcess } from "../../support/in-process-server.js";

let database: DatabaseServer | Skipped;
let servers: InProcessServer[] = [];
let a: TailkeepClient;
let b: TailkeepClient;

beforeAll(async () => {
  database = await sharedMysqlFamily();
  if (isSkipped(database)) return;
  const store = database.url(await database.createDatabase());
  servers = [await startInProcess({ store }), await startInProcess({ store, memoryLimits: { frameHistory: 60 } })];
  [a, b] = servers.map(({ grpcAddr }) => connect({ server: grpcAddr })) as [TailkeepClient, TailkeepClient];
});
beforeEach((context) => {
  if (isSkipped(database)) context.skip(database.skipped);
});
afterAll(async () => {
  await Promise.all([a?.close(), b?.close()]);
  for (const server of servers) await server.close();
  if (!isSkipped(database)) await database.stop();
});

const SOON = { timeout: 5_000, interval: 50 };

test("each sees the other's change; what nobody set is each server's own", async () => {
  for (const client of [a, b]) expect((await client.config.get()).version).toBe(0);
  const changed = await a.config.update({ memoryLimits: { scoreHistory: 7 } });
  await expect.poll(() => b.config.get(), SOON).toMatchObject({ version: 1, memoryLimits: { scoreHistory: 7 } });
  expect((await b.config.get()).memoryLimits.frameHistory).toBe(60);
  expect(changed.memoryLimits.frameHistory).toBe(50);
  await b.config.update({ memoryLimits: { frameHistory: 9 }, expectedVersion: 1 });
  await expect.poll(() => a.config.get(), SOON).toMatchObject({ version: 2, memoryLimits: { frameHistory: 9 } });
});

test("an expected version counts across servers, whatever each has heard of", async () => {
  const { version } = await a.config.update({ actionLimits: { perGame: 1 } });
  // Told to the other server before it can have looked.
  await expect(b.config.update({ actionLimits: { perGame: 2 }, expectedVersion: version - 1 })).rejects.toThrow(
    VersionMismatchError,
  );
  const outcomes = await Promise.allSettled(
    [a, b].map((client, at) => client.config.update({ actionLimits: { perGame: 10 + at }, expectedVersion: version })),
  );
  expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  const all = await Promise.all(
    Array.from({ length: 10 }, (_, at) =>
      (at % 2 === 0 ? a : b).config.update({ actionLimits: { perGame: 100 + at } }),
    ),
  );
  expect(all.map((each) => each.version).sort((x, y) => x - y)).toEqual(
    Array.from({ length: 10 }, (_, at) => version + 2 + at),
  );
});

test("a watcher at one server hears what the other is told", async () => {
  const stop = new AbortController();
  const seen: number[] = [];
  const watching = (async () => {
    for await (const { memoryLimits } of a.config.watch({ signal: stop.signal })) seen.push(memoryLimits.dictionaries);
  })();
  await expect.poll(() => seen.at(-1), SOON).toBe(500);
  await b.config.update({ memoryLimits: { dictionaries: 33 } });
  await expect.poll(() => seen.at(-1), SOON).toBe(33);
  stop.abort();
  await watching;
});

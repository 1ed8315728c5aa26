// Two servers on one database: each answers with what the other has committed, at once, and its watchers hear of it soon.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type DatabaseServer, isSkipped, type Skipped, sharedMysqlFamily } from "../../support/databases/index.js";
import { ids } from "../../support/grpc/one-server.js";
import { Stubs } from "../../support/grpc/stubs.js";
import { type InProcessServer, startInProcess } from "../../support/in-process-server.js";
import { gapEntry, recordEntry, score } from "../../support/records/batches.js";

let database: DatabaseServer | Skipped;
let servers: InProcessServer[] = [];
let a: Stubs;
let b: Stubs;

beforeAll(async () => {
  database = await sharedMysqlFamily();
  if (isSkipped(database)) return;
  const store = database.url(await database.createDatabase());
  servers = [await startInProcess({ store }), await startInProcess({ store })];
  [a, b] = servers.map(({ grpcAddr }) => new Stubs(grpcAddr)) as [Stubs, Stubs];
});
beforeEach((context) => {
  if (isSkipped(database)) context.skip(database.skipped);
});
afterAll(async () => {
  a?.close();
  b?.close();
  for (const server of servers) await server.close();
  if (!isSkipped(database)) await database.stop();
});

const entries = (count: number, first = 0) =>
  Array.from({ length: count }, (_, index) => recordEntry(score(first + index, first + index)));
const scoresOf = async (stubs: Stubs, sessionId: string, limit = 1_000) =>
  (await stubs.call("tailRecords", { sessionId, limit })).records.map(({ record }) =>
    record?.kind?.$case === "scoreHistory" ? record.kind.value.score : undefined,
  );
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

describe("the newest records", () => {
  test("of a session that the other server writes are seen as soon as they are acked", async () => {
    const identity = ids();
    const probe = b.ingest();
    probe.open(identity);
    for (let seq = 1; seq <= 60; seq += 3) {
      probe.batch(seq, entries(3, seq - 1));
      await probe.untilAcked(seq + 2);
      expect(await scoresOf(a, identity.sessionId)).toEqual(upTo(seq + 2));
      expect(await scoresOf(a, identity.sessionId, 2)).toEqual([seq, seq + 1]);
    }
    probe.cancel();
  });

  test("of a session that both write, stream by stream and one stream in turn", async () => {
    const identity = ids();
    for (let seq = 1; seq <= 40; seq += 2) {
      const stubs = seq % 4 === 1 ? a : b;
      await stubs.call("writeRecords", { ...identity, batch: { firstSeq: BigInt(seq), entries: entries(2, seq - 1) } });
      expect(await scoresOf(a, identity.sessionId)).toEqual(upTo(seq + 1));
      expect(await scoresOf(b, identity.sessionId)).toEqual(upTo(seq + 1));
    }
    const other = { ...identity, streamId: "second" };
    await a.call("writeRecords", { ...other, batch: { firstSeq: 1n, entries: entries(5, 100) } });
    expect(await scoresOf(b, identity.sessionId, 5)).toEqual([100, 101, 102, 103, 104]);
  });

  test("are answered from memory where nobody else wrote", async () => {
    const identity = ids();
    await a.call("writeRecords", { ...identity, batch: { firstSeq: 1n, entries: entries(5) } });
    await scoresOf(a, identity.sessionId);
    const before = await servers[0]?.metrics();
    for (let time = 0; time < 5; time++) await scoresOf(a, identity.sessionId);
    const after = await servers[0]?.metrics();
    expect((after?.get("tailkeep_cache_hits_total") ?? 0) - (before?.get("tailkeep_cache_hits_total") ?? 0)).toBe(5);
  });

  test.each([
    ["a stream of another name", "second run", "third run"],
    ["a stream of the same name", "first run", "first run"],
  ])("are none of a run that the other server deleted, also where the next has %s", async (_, second, third) => {
    const { sessionId, writerId } = ids();
    const run = (streamId: string, first: number) =>
      b.call("writeRecords", { sessionId, writerId, streamId, batch: { firstSeq: 1n, entries: entries(5, first) } });
    await run("first run", 0);
    expect(await scoresOf(a, sessionId)).toEqual([0, 1, 2, 3, 4]);
    await b.call("deleteSession", { sessionId, force: true });
    expect(await scoresOf(a, sessionId)).toEqual([]);
    await run(second, 50);
    expect(await scoresOf(a, sessionId)).toEqual([50, 51, 52, 53, 54]);
    await b.call("deleteSession", { sessionId, force: true });
    // As many streams, opens and numbers as before, and nobody asked in between.
    await run(third, 70);
    expect(await scoresOf(a, sessionId)).toEqual([70, 71, 72, 73, 74]);
  });
});

describe("a watcher", () => {
  test("hears what the other server commits, in order, gaps too, beside what its own commits", async () => {
    const { sessionId } = ids();
    const [here, there] = [
      { ...ids(), sessionId },
      { ...ids(), sessionId },
    ];
    const watch = a.watch({ sessionId });
    await watch.untilCaughtUp();
    const [near, far] = [a.ingest(), b.ingest()];
    near.open(here);
    far.open(there);
    await Promise.all([near.untilOpened(), far.untilOpened()]);
    for (let seq = 1; seq <= 200; seq += 10) {
      near.batch(seq, entries(10));
      far.batch(seq, [...entries(4), gapEntry(4), ...entries(2)]);
      if (seq % 50 === 1) await new Promise((resolve) => setTimeout(resolve, 120));
    }
    const numbers = Array.from({ length: 200 }, (_, index) => index + 1);
    for (const { streamId } of [here, there]) {
      await watch.until(() => watch.told.get(streamId)?.at(-1) === 200, `all of ${streamId}`);
      expect(watch.told.get(streamId)).toEqual(numbers);
    }
    near.cancel();
    far.cancel();
    watch.cancel();
  });

  test("goes on while its stream moves from one server to the other", async () => {
    const identity = ids();
    const { sessionId, streamId } = identity;
    const watches = [a.watch({ sessionId, snapshotLimit: 100 }), b.watch({ sessionId, snapshotLimit: 100 })];
    for (const watch of watches) await watch.untilCaughtUp();
    for (let seq = 1; seq <= 60; seq += 5) {
      const probe = (seq % 2 === 1 ? a : b).ingest();
      probe.open(identity);
      await probe.untilOpened();
      probe.batch(seq, entries(5));
      await probe.untilAcked(seq + 4);
    }
    const numbers = Array.from({ length: 60 }, (_, index) => index + 1);
    for (const watch of watches) {
      await watch.until(() => watch.told.get(streamId)?.at(-1) === 60, "everything");
      expect(watch.told.get(streamId)).toEqual(numbers);
      watch.cancel();
    }
  });
});

test("a watcher hears all of a run that took the place of another of the same names, at the other server", async () => {
  const { sessionId, writerId } = ids();
  const run = (count: number, first: number) =>
    b.call("writeRecords", {
      sessionId,
      writerId,
      streamId: "s",
      batch: { firstSeq: 1n, entries: entries(count, first) },
    });
  await run(5, 0);
  const watch = a.watch({ sessionId });
  await watch.untilCaughtUp();
  const numbers: number[] = [];
  for (const count of [5, 3, 8]) {
    await b.call("deleteSession", { sessionId, force: true });
    await run(count, 50);
    for (let seq = 1; seq <= count; seq++) numbers.push(seq);
    await watch.until(() => watch.told.get("s")?.length === numbers.length, `all ${count} of the next run`);
    expect(watch.told.get("s")).toEqual(numbers);
  }
  watch.cancel();
});

test("a session that the other server is writing is not deleted, unless told to", { timeout: 30_000 }, async () => {
  const { sessionId, writerId, streamId } = ids();
  let next = 0;
  const writing = setInterval(() => {
    const batch = { firstSeq: BigInt(++next), entries: entries(1, next) };
    b.call("writeRecords", { sessionId, writerId, streamId, batch }).catch(() => undefined);
  }, 300);
  try {
    // Known from the second look on; before that it may not even exist.
    await expect
      .poll(async () => (await a.call("tailRecords", { sessionId, limit: 100 })).records.length, { timeout: 15_000 })
      .toBeGreaterThan(25);
    expect(await a.ending("deleteSession", { sessionId })).toMatchObject({ code: "SESSION_ACTIVE" });
  } finally {
    clearInterval(writing);
  }
  await a.call("deleteSession", { sessionId, force: true });
});

test("a writer's call on one server ends as superseded when it opens on the other", async () => {
  const identity = ids();
  const older = a.ingest();
  older.open(identity);
  older.batch(1, entries(1));
  await older.untilAcked(1);
  const newer = b.ingest();
  newer.open({ ...identity, ackedSeq: 1n });
  newer.batch(2, entries(1));
  await newer.untilAcked(2);
  // The first server finds out when it tries to commit.
  older.batch(2, entries(1));
  expect(await older.untilEnded()).toMatchObject({ status: "ABORTED", code: "SUPERSEDED" });
  const heir = a.ingest();
  heir.open({ ...identity, writerId: "heir", takeover: true });
  await heir.untilOpened();
  newer.batch(3, entries(1));
  expect(await newer.untilEnded()).toMatchObject({
    status: "FAILED_PRECONDITION",
    code: "FENCED",
    message: expect.stringMatching(/belongs to writer heir/),
  });
});

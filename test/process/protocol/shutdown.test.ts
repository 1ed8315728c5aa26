// The end of a server: what it accepted is committed and acked, everybody is told, and it is over in time.
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { isSkipped, startMysqlFamily } from "../../support/databases/index.js";
import { ids } from "../../support/grpc/one-server.js";
import { Stubs } from "../../support/grpc/stubs.js";
import { startInProcess, temporaryFolder } from "../../support/in-process-server.js";
import { recordEntry, score } from "../../support/records/batches.js";
import { TailkeepServer } from "../../support/tailkeep-server.js";

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

async function folder(): Promise<string> {
  const made = await temporaryFolder();
  cleanUp.push(() => made.remove());
  return made.path;
}

const entries = (count: number) => Array.from({ length: count }, (_, index) => recordEntry(score(index)));

test("SIGTERM commits and acks what was accepted, tells every call, and ends with 0", async () => {
  const store = `sqlite:${join(await folder(), "t.db")}`;
  const server = await TailkeepServer.start({ store });
  cleanUp.push(() => server.kill());
  const stubs = new Stubs(server.grpcAddress);
  cleanUp.push(() => stubs.close());
  const streams = await Promise.all(
    Array.from({ length: 5 }, async () => {
      const identity = ids();
      const probe = stubs.ingest();
      probe.open(identity);
      await probe.untilOpened();
      return { identity, probe };
    }),
  );
  const idle = stubs.ingest();
  idle.open(ids());
  await idle.untilOpened();
  for (const { probe } of streams) for (let seq = 1; seq <= 2_000; seq += 10) probe.batch(seq, entries(10));
  await streams[0]?.probe.untilAcked(1);
  expect(await server.stop()).toBe(0);
  for (const probe of [idle, ...streams.map((each) => each.probe)]) {
    expect(await probe.untilEnded()).toMatchObject({
      status: "UNAVAILABLE",
      code: "SHUTTING_DOWN",
      message: expect.stringMatching(/shutting down.*reconnect/),
    });
  }

  await server.start();
  const again = new Stubs(server.grpcAddress);
  cleanUp.push(() => again.close());
  for (const { identity, probe } of streams) {
    const { counts } = await again.call("getSession", { sessionId: identity.sessionId });
    // Everything durable was said, and nothing was said that is not.
    expect(Number(counts?.stored)).toBe(probe.ackedSeq);
    const resumed = again.ingest();
    resumed.open({ ...identity, ackedSeq: BigInt(probe.ackedSeq) });
    expect(await resumed.untilOpened()).toMatchObject({ committedSeq: BigInt(probe.ackedSeq), regressed: undefined });
    resumed.batch(probe.ackedSeq + 1, entries(1));
    await resumed.untilAcked(probe.ackedSeq + 1);
  }
  again.close();
  expect(await server.stop()).toBe(0);
});

describe("while it ends", () => {
  test("new calls are refused, and the others are told within a moment", async () => {
    const server = await startInProcess({ store: `sqlite:${join(await folder(), "t.db")}` });
    const stubs = new Stubs(server.grpcAddr);
    cleanUp.push(() => stubs.close());
    const probe = stubs.ingest();
    probe.open(ids());
    await probe.untilOpened();
    for (let seq = 1; seq <= 500; seq++) probe.batch(seq, entries(1));
    const startedMs = performance.now();
    const closed = server.close();
    const late = stubs.ingest();
    late.open(ids());
    const [first, second] = await Promise.all([probe.untilEnded(), late.untilEnded()]);
    expect(first).toMatchObject({ status: "UNAVAILABLE", code: "SHUTTING_DOWN" });
    expect(second.status).toBe("UNAVAILABLE");
    await closed;
    expect(performance.now() - startedMs).toBeLessThan(4_000);
  });

  test("a stream that is half-closed ends with OK", async () => {
    const server = await startInProcess({ store: `sqlite:${join(await folder(), "t.db")}` });
    const stubs = new Stubs(server.grpcAddr);
    cleanUp.push(() => stubs.close());
    const probe = stubs.ingest();
    probe.open(ids());
    await probe.untilOpened();
    for (let seq = 1; seq <= 300; seq++) probe.batch(seq, entries(1));
    probe.halfClose();
    while (((await server.metrics()).get("tailkeep_ingest_received_records_total") ?? 0) < 300) await sleep(5);
    // Behind the last batch comes only the half-close itself.
    await sleep(20);
    await server.close();
    expect(await probe.untilEnded()).toMatchObject({ status: "OK" });
    expect(probe.ackedSeq).toBe(300);
  });

  test("a watcher is told too", async () => {
    const server = await startInProcess({ store: `sqlite:${join(await folder(), "t.db")}` });
    const stubs = new Stubs(server.grpcAddr);
    cleanUp.push(() => stubs.close());
    const watch = stubs.watch({ sessionId: "watched" });
    await watch.untilCaughtUp();
    const startedMs = performance.now();
    await server.close();
    expect(await watch.untilEnded()).toMatchObject({ status: "UNAVAILABLE", code: "SHUTTING_DOWN" });
    expect(performance.now() - startedMs).toBeLessThan(4_000);
  });
});

test("a database that stands still does not keep the server from ending in time", async (context) => {
  const database = await startMysqlFamily({ private: true });
  if (isSkipped(database)) return context.skip(database.skipped);
  cleanUp.push(() => database.stop());
  const server = await TailkeepServer.start({
    store: database.url(await database.createDatabase()),
    env: { TAILKEEP_SHUTDOWN_MS: "1000" },
  });
  cleanUp.push(() => server.kill());
  const stubs = new Stubs(server.grpcAddress);
  cleanUp.push(() => stubs.close());
  const probe = stubs.ingest();
  probe.open(ids());
  await probe.untilOpened();
  probe.batch(1, entries(1));
  await probe.untilAcked(1);
  database.pause();
  probe.batch(2, entries(1));
  const asking = stubs.call("listSessions", {}).catch(() => undefined);
  // Longer than the server's own look after its store, so that this one hangs as well.
  await sleep(2_500);
  const startedMs = performance.now();
  expect(await server.stop()).toBe(0);
  expect(performance.now() - startedMs).toBeLessThan(5_000);
  await asking;
  const ending = await probe.untilEnded();
  expect(ending.status).toBe("UNAVAILABLE");
  expect(probe.ackedSeq).toBe(1);
  database.resume();
});

// A store that stands still for longer than anybody waits for it: memory stays bounded, senders are slowed, nothing is
// lost, and all goes on by itself.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "@tailkeep/client";
import {
  BATCH_BYTES_MAX,
  DECODED_FACTOR,
  INGEST_BYTES_MAX_DEFAULT,
  RESIDENT_BYTES_MAX,
  SQLITE_BUSY_TIMEOUT_MS,
} from "@tailkeep/server/dist/limits.js";
import { expect, type TestContext, test } from "vitest";
import { isSkipped } from "../support/databases/index.js";
import { judge } from "./harness/oracle.js";
import { MemorySampler, PressingTrainer } from "./harness/pressure.js";
import { type StoreKind, type SystemUnderTest, startSystem } from "./harness/system.js";

/** Enough that their windows together are all the memory that the server has for ingest. */
const STREAMS = 24;
const RECORD_BYTES = 2_000;
/** Twice what one of so many streams may have unacked, so that credit is what stops it. */
const QUEUE_BYTES_MAX = (2 * INGEST_BYTES_MAX_DEFAULT) / DECODED_FACTOR / STREAMS;
/** Until the first ack: the trainers share two cores with the server and its database. */
const WARM_UP_MS_MAX = 20_000;
const STALL_MS = 8_000;
const GOES_ON_MS_MAX = 10_000;

async function standStill(
  kind: StoreKind,
  context: TestContext,
  stall: (system: SystemUnderTest) => Promise<() => Promise<void>>,
): Promise<void> {
  if (process.platform !== "linux") return context.skip("reads resident memory from /proc");
  const system = await startSystem(kind);
  if (isSkipped(system)) return context.skip(system.skipped);
  const { server } = system;
  const client = connect({ server: server.grpcAddress });
  const memory = new MemorySampler(server.pid as number);
  try {
    const metric = async (name: string) => (await server.metrics()).get(name) ?? Number.NaN;
    const trainers = Array.from(
      { length: STREAMS },
      (_, at) => new PressingTrainer(client, "stalled", `stream-${at}`, RECORD_BYTES, QUEUE_BYTES_MAX),
    );
    const stop = new AbortController();
    const running = Promise.all(trainers.map((trainer) => trainer.run(stop.signal)));
    const acked = () => trainers.reduce((sum, { journal }) => sum + journal.ackedSeq, 0);
    await expect.poll(acked, { timeout: WARM_UP_MS_MAX }).toBeGreaterThan(0);
    await sleep(1_000);

    const release = await stall(system);
    await sleep(STALL_MS / 2);
    const [ackedBefore, receivedBefore] = [acked(), await metric("tailkeep_ingest_received_bytes_total")];
    await sleep(STALL_MS / 2);
    const receivedAfter = await metric("tailkeep_ingest_received_bytes_total");
    const charged = await metric("tailkeep_ingest_memory_bytes");
    const chargedMax = await metric("tailkeep_ingest_memory_limit_bytes");
    // Senders stand: the server takes nothing more, and their queues are full and within their bound.
    expect(acked()).toBe(ackedBefore);
    expect(receivedAfter).toBe(receivedBefore);
    expect(charged).toBeGreaterThan(0);
    expect(charged).toBeLessThanOrEqual(chargedMax);
    for (const { stream, timesFull } of trainers) {
      expect(timesFull).toBeGreaterThan(0);
      expect(stream.pending.bytes).toBeLessThanOrEqual(QUEUE_BYTES_MAX + BATCH_BYTES_MAX);
    }

    await release();
    const releasedMs = performance.now();
    while (acked() === ackedBefore && performance.now() - releasedMs < GOES_ON_MS_MAX) await sleep(10);
    expect(performance.now() - releasedMs).toBeLessThan(GOES_ON_MS_MAX);
    stop.abort();
    await running;
    for (const { stream } of trainers) await stream.close({ timeoutMs: 60_000 });
    const journals = trainers.map((trainer) => trainer.journal);
    expect(await judge(journals, system.store)).toEqual([]);
    expect(await metric("tailkeep_stream_regressions_total")).toBe(0);
    expect(await metric("tailkeep_ingest_memory_bytes")).toBe(0);

    const { bytesMax, samples } = memory.stop();
    expect(samples).toBeGreaterThan(STALL_MS / 200);
    expect(bytesMax).toBeLessThan(RESIDENT_BYTES_MAX);
  } finally {
    memory.stop();
    await client.close({ timeoutMs: 1_000 }).catch(() => {});
    await system.stop();
  }
}

test("a database server that is frozen", async (context) => {
  await standStill("mysql", context, async ({ database }) => {
    database?.pause();
    return async () => database?.resume();
  });
});

test("a SQLite file that another process locks for longer than its busy timeout", async (context) => {
  expect(STALL_MS).toBeGreaterThan(SQLITE_BUSY_TIMEOUT_MS);
  await standStill("sqlite", context, async ({ location }) => {
    const holder = await lockedBy("file" in location ? location.file : "");
    return async () => {
      const gone = once(holder, "exit");
      holder.kill();
      await gone;
    };
  });
});

/** A process that holds the write lock of a database. */
async function lockedBy(file: string): Promise<ChildProcess> {
  const program = `
    const { DatabaseSync } = require("node:sqlite");
    new DatabaseSync(${JSON.stringify(file)}, { timeout: 30_000 }).exec("BEGIN EXCLUSIVE");
    console.log("locked");
    setInterval(() => {}, 1_000);
  `;
  const holder = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  await once(holder.stdout as NonNullable<typeof holder.stdout>, "data");
  return holder;
}

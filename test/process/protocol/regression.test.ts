// A database that forgot what it had acked: restored from an older dump, or cut by hand. Said, stored as a gap, survived.
import { copyFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { connect } from "@tailkeep/client";
import mysql from "mysql2/promise";
import { afterEach, expect, test } from "vitest";
import { isSkipped, sharedMysqlFamily } from "../../support/databases/index.js";
import { ids } from "../../support/grpc/one-server.js";
import { Stubs } from "../../support/grpc/stubs.js";
import { startInProcess, temporaryFolder } from "../../support/in-process-server.js";
import { recordEntry, score } from "../../support/records/batches.js";

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

const entries = (count: number) => Array.from({ length: count }, (_, index) => recordEntry(score(index, index)));

async function running(store: string) {
  const server = await startInProcess({ store });
  const stubs = new Stubs(server.grpcAddr);
  const stop = async () => {
    stubs.close();
    await server.close();
  };
  cleanUp.push(stop);
  return { server, stubs, stop };
}

test("an older copy of the file: the writer is told the range, it is a gap, and writing goes on", async () => {
  const folder = await temporaryFolder();
  cleanUp.push(() => folder.remove());
  const file = join(folder.path, "t.db");
  const identity = ids();
  const { sessionId, streamId } = identity;

  const first = await running(`sqlite:${file}`);
  const early = first.stubs.ingest();
  early.open(identity);
  early.batch(1, entries(500));
  await early.untilAcked(500);
  await first.stop();
  await copyFile(file, join(folder.path, "dump.db"));

  const second = await running(`sqlite:${file}`);
  const late = second.stubs.ingest();
  late.open({ ...identity, ackedSeq: 500n });
  late.batch(501, entries(500));
  await late.untilAcked(1_000);
  await second.stop();
  for (const suffix of ["-wal", "-shm"]) await rm(file + suffix, { force: true });
  await copyFile(join(folder.path, "dump.db"), file);

  const { server, stubs } = await running(`sqlite:${file}`);
  const probe = stubs.ingest();
  probe.open({ ...identity, ackedSeq: 1_000n });
  expect(await probe.untilOpened()).toMatchObject({
    committedSeq: 1_000n,
    regressed: { firstSeq: 501n, lastSeq: 1_000n },
    counts: { stored: 500n, rejected: 0n, gapped: 500n },
  });
  probe.batch(1_001, entries(10));
  await probe.untilAcked(1_010);
  expect((await stubs.call("listGaps", { sessionId })).gaps).toMatchObject([
    { sessionId, streamId, firstSeq: 501n, lastSeq: 1_000n, cause: 5 },
  ]);
  expect((await stubs.call("getSession", { sessionId })).counts).toEqual({ stored: 510n, rejected: 0n, gapped: 500n });
  expect(server.logged.join("\n")).toMatch(/error: the database had forgotten acked records; stored as a gap/);
  expect((await server.metrics()).get("tailkeep_stream_regressions_total")).toBe(1);

  // Said once.
  const again = stubs.ingest();
  again.open({ ...identity, ackedSeq: 1_010n });
  expect(await again.untilOpened()).toMatchObject({ committedSeq: 1_010n, regressed: undefined });
});

test("rows that vanish under an open stream end its call, and reopening tells the truth", async (context) => {
  const database = await sharedMysqlFamily();
  if (isSkipped(database)) return context.skip(database.skipped);
  cleanUp.push(() => database.stop());
  const url = database.url(await database.createDatabase());
  const sql = await mysql.createConnection({ uri: url });
  cleanUp.push(() => sql.destroy());
  const { stubs } = await running(url);
  const identity = ids();
  const probe = stubs.ingest();
  probe.open(identity);
  probe.batch(1, entries(100));
  await probe.untilAcked(100);

  await sql.query("DELETE FROM score_history_rows WHERE seq > 60");
  await sql.query("UPDATE streams SET committed_seq = 60, stored_score_history = 60");
  probe.batch(101, entries(1));
  expect(await probe.untilEnded()).toMatchObject({ status: "ABORTED", code: "SEQUENCE_GAP", expectedSeq: "61" });
  expect(probe.ackedSeq).toBe(100);

  const again = stubs.ingest();
  again.open({ ...identity, ackedSeq: 100n });
  expect(await again.untilOpened()).toMatchObject({ committedSeq: 100n, regressed: { firstSeq: 61n, lastSeq: 100n } });
  again.batch(101, entries(5));
  await again.untilAcked(105);
  const { records } = await stubs.call("tailRecords", { sessionId: identity.sessionId, limit: 1_000 });
  expect(records.map(({ seq }) => Number(seq)).sort((a, b) => a - b)).toEqual([
    ...Array.from({ length: 60 }, (_, index) => index + 1),
    101,
    102,
    103,
    104,
    105,
  ]);
});

test("the SDK's stream gets over it by itself", async (context) => {
  const database = await sharedMysqlFamily();
  if (isSkipped(database)) return context.skip(database.skipped);
  cleanUp.push(() => database.stop());
  const url = database.url(await database.createDatabase());
  const sql = await mysql.createConnection({ uri: url });
  cleanUp.push(() => sql.destroy());
  const { server } = await running(url);
  const client = connect({ server: server.grpcAddr });
  cleanUp.push(() => client.close());
  const stream = client.openStream({ sessionId: "sdk" });
  for (let index = 0; index < 100; index++) stream.append({ type: "score_history", score: index });
  await stream.flush();
  await sql.query("DELETE FROM score_history_rows WHERE seq > 60");
  await sql.query("UPDATE streams SET committed_seq = 60, stored_score_history = 60");
  for (let index = 0; index < 50; index++) stream.append({ type: "score_history", score: index });
  await stream.flush();
  const { counts } = await client.history.getSession("sdk");
  expect(counts).toEqual({ stored: 110, rejected: 0, gapped: 40 });
});

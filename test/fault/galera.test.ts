// Two servers on two nodes of a real Galera cluster: what one commits the other answers with, and a node that is killed
// under load loses and doubles nothing.
import { connect, type TailkeepClient } from "@tailkeep/client";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type GaleraCluster, startGalera } from "../support/databases/galera.js";
import { isSkipped, type Skipped } from "../support/databases/index.js";
import { ids } from "../support/grpc/one-server.js";
import { Stubs } from "../support/grpc/stubs.js";
import { recordEntry, score } from "../support/records/batches.js";
import { TailkeepServer } from "../support/tailkeep-server.js";
import { ackedOf, endlessTrainers } from "./harness/endless-trainers.js";
import { judge } from "./harness/oracle.js";
import { plainMysql } from "./harness/plain-sql.js";
import type { Trainer } from "./harness/trainer.js";

const DATABASE = "tailkeep_galera";
const STREAMS_PER_SERVER = 3;
/** About a second of work for a node. */
const LAG_ROWS = 100_000;
/** Records acked that show that streams go on. */
const PROGRESS = 500;
/** The other nodes take five seconds and more to be sure that one is dead, and commit nothing meanwhile. */
const GOES_ON_MS_MAX = 40_000;
const FINISH_MS_MAX = 60_000;

let cluster: GaleraCluster | Skipped;
let a: TailkeepServer;
let b: TailkeepServer;
let stubsA: Stubs;
let stubsB: Stubs;

beforeAll(async () => {
  cluster = await startGalera();
  if (isSkipped(cluster)) return;
  const [first, second] = cluster.nodes;
  await first.query(`CREATE DATABASE ${DATABASE} CHARACTER SET utf8mb4`);
  // At once, and on an empty database: both find that it has no tables.
  [a, b] = await Promise.all(
    [first, second].map((node) => TailkeepServer.start({ store: node.url(DATABASE) })) as [
      Promise<TailkeepServer>,
      Promise<TailkeepServer>,
    ],
  );
  stubsA = new Stubs(a.grpcAddress);
  stubsB = new Stubs(b.grpcAddress);
});
beforeEach((context) => {
  if (isSkipped(cluster)) context.skip(cluster.skipped);
});
afterAll(async () => {
  stubsA?.close();
  stubsB?.close();
  await Promise.all([a?.stop(), b?.stop()]);
  if (cluster !== undefined && !isSkipped(cluster)) await cluster.stop();
});

const running = () => cluster as GaleraCluster;
const entries = (count: number, first: number) =>
  Array.from({ length: count }, (_, at) => recordEntry(score(first + at, first + at)));
const scoresOf = async (stubs: Stubs, sessionId: string) =>
  (await stubs.call("tailRecords", { sessionId, limit: 1_000 })).records.map(({ record }) =>
    record?.kind?.$case === "scoreHistory" ? record.kind.value.score : undefined,
  );

/**
 * Makes the node of A fall behind: the others' commits become visible there in their order, and the first is a large one.
 * B's node, from which it comes, is done with it.
 */
async function letLag(): Promise<void> {
  const second = running().nodes[1];
  await second.query("CREATE TABLE IF NOT EXISTS bulk (id CHAR(36) NOT NULL PRIMARY KEY, fill TEXT)", DATABASE);
  await second.query(`INSERT INTO bulk SELECT UUID(), REPEAT('x', 200) FROM seq_1_to_${LAG_ROWS}`, DATABASE);
}

const says = (server: TailkeepServer, status: number) =>
  expect.poll(async () => (await fetch(`${server.httpUrl}/readyz`)).status, { timeout: GOES_ON_MS_MAX }).toBe(status);

/** Streams of both servers are of one session, which no server then has for itself. */
function trainersOf(client: TailkeepClient, side: number): Trainer[] {
  const streamIds = Array.from({ length: STREAMS_PER_SERVER }, (_, at) => `side-${side}-${at}`);
  return endlessTrainers(client, "galera", streamIds);
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

test("each migration is made once, whoever of the two makes it", async () => {
  const third = running().nodes[2];
  const versions = await third.query(`SELECT version FROM ${DATABASE}.schema_migrations ORDER BY version`);
  expect(versions.length).toBeGreaterThan(0);
  expect(versions.map((row) => Number(row["version"]))).toEqual(versions.map((_, at) => at + 1));
  const leases = await third.query(`SELECT name FROM ${DATABASE}.leases WHERE name = 'migrations'`);
  expect(leases).toEqual([]);
});

test("every table has a primary key, without which Galera cannot delete", async () => {
  const without = await running().nodes[2].query(
    `SELECT TABLE_NAME AS name FROM information_schema.TABLES t WHERE TABLE_SCHEMA = '${DATABASE}' AND TABLE_TYPE = 'BASE TABLE'
     AND NOT EXISTS (SELECT 1 FROM information_schema.STATISTICS s WHERE s.TABLE_SCHEMA = t.TABLE_SCHEMA
       AND s.TABLE_NAME = t.TABLE_NAME AND s.INDEX_NAME = 'PRIMARY')`,
  );
  expect(without).toEqual([]);
});

test("a server whose node lags answers with what the other has acked, not with what its node has", async () => {
  const identity = ids();
  await stubsB.call("writeRecords", { ...identity, batch: { firstSeq: 1n, entries: entries(3, 0) } });
  expect(await scoresOf(stubsA, identity.sessionId)).toEqual(upTo(3));
  await letLag();
  await stubsB.call("writeRecords", { ...identity, batch: { firstSeq: 4n, entries: entries(3, 3) } });
  expect(await scoresOf(stubsA, identity.sessionId)).toEqual(upTo(6));
});

test("a writer that took a stream over is not refused by a server whose node has not heard of it", async () => {
  const identity = ids();
  await stubsA.call("writeRecords", { ...identity, batch: { firstSeq: 1n, entries: entries(3, 0) } });
  const heir = { ...identity, writerId: "heir" };
  await letLag();
  const taking = stubsB.ingest();
  taking.open({ ...heir, takeover: true });
  await taking.untilOpened();
  taking.cancel();
  const coming = stubsA.ingest();
  coming.open({ ...heir, ackedSeq: 3n });
  expect(Number((await coming.untilOpened()).committedSeq)).toBe(3);
  coming.cancel();
});

test("a stream that changes servers at every batch goes on, and each sees it whole at once", async () => {
  const identity = ids();
  for (let seq = 1; seq <= 40; seq += 2) {
    const [writer, reader] = seq % 4 === 1 ? [stubsA, stubsB] : [stubsB, stubsA];
    await writer.call("writeRecords", { ...identity, batch: { firstSeq: BigInt(seq), entries: entries(2, seq - 1) } });
    expect(await scoresOf(reader, identity.sessionId)).toEqual(upTo(seq + 1));
  }
});

test("a node killed under load: nothing acked is lost or doubled, and both servers go on", async () => {
  const [first, second] = running().nodes;
  const clients = [a, b].map((server) => connect({ server: server.grpcAddress }));
  const [atA, atB] = clients.map((client, side) => trainersOf(client, side)) as [Trainer[], Trainer[]];
  const trainers = [...atA, ...atB];
  const stop = new AbortController();
  const runs = Promise.all(trainers.map((trainer) => trainer.run(stop.signal)));
  const goesOn = (side: Trainer[], from = ackedOf(side)) =>
    expect.poll(() => ackedOf(side), { timeout: GOES_ON_MS_MAX }).toBeGreaterThan(from + PROGRESS);
  try {
    await Promise.all([goesOn(atA), goesOn(atB)]);
    await second.kill();
    await Promise.all([says(b, 503), goesOn(atA)]);
    await says(a, 200);
    // Others may come to A meanwhile, and find that B knows of them when it is back.
    const newcomer = ids();
    await stubsA.call("writeRecords", { ...newcomer, batch: { firstSeq: 1n, entries: entries(5, 0) } });
    const ackedAway = ackedOf(atB);
    await second.start();
    await Promise.all([says(b, 200), goesOn(atB, ackedAway)]);
    expect(await scoresOf(stubsB, newcomer.sessionId)).toEqual(upTo(5));
    stop.abort();
    await runs;
    for (const { stream } of trainers) await stream.close({ timeoutMs: FINISH_MS_MAX });
    for (const node of [first, second]) {
      await node.untilCaughtUp();
      const store = plainMysql(node.url(DATABASE));
      expect(
        await judge(
          trainers.map(({ journal }) => journal),
          store,
        ),
      ).toEqual([]);
      await store.close();
    }
  } finally {
    stop.abort();
    for (const client of clients) await client.close({ timeoutMs: 1_000 }).catch(() => {});
  }
});

test("a node without the majority is not ready, and takes writes again once it is told to go on alone", async () => {
  const [first, second, third] = running().nodes;
  const identity = ids();
  await stubsA.call("writeRecords", { ...identity, batch: { firstSeq: 1n, entries: entries(3, 0) } });
  await Promise.all([second.kill(), third.kill()]);
  await says(a, 503);
  expect(await (await fetch(`${a.httpUrl}/readyz`)).text()).toContain("NODE_CUT_OFF");
  await first.query("SET GLOBAL wsrep_provider_options = 'pc.bootstrap=YES'");
  await says(a, 200);
  await stubsA.call("writeRecords", { ...identity, batch: { firstSeq: 4n, entries: entries(3, 3) } });
  expect(await scoresOf(stubsA, identity.sessionId)).toEqual(upTo(6));
});

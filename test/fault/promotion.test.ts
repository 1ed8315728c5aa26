// A database whose replica is promoted while trainers send: the server follows, although the machine that was demoted
// keeps its connections and answers every question.
import { connect as connectTo, createServer, type Server } from "node:net";
import { connect } from "@tailkeep/client";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { withConnection } from "../support/databases/connection.js";
import { isSkipped, type PrivateDatabaseServer, type Skipped, startMysqlFamily } from "../support/databases/index.js";
import { freePort } from "../support/databases/ports.js";
import { Stubs } from "../support/grpc/stubs.js";
import { TailkeepServer } from "../support/tailkeep-server.js";
import { ackedOf, endlessTrainers } from "./harness/endless-trainers.js";
import { judge } from "./harness/oracle.js";
import { plainMysql } from "./harness/plain-sql.js";

const DATABASE = "tailkeep_promotion";
const STREAMS = 4;
const PROGRESS = 500;
/** More than there are connections for reading. */
const READS = 12;
const GOES_ON_MS_MAX = 30_000;
const FINISH_MS_MAX = 60_000;

let skipped: Skipped | undefined;
const databases: PrivateDatabaseServer[] = [];
let proxy: Server;
let server: TailkeepServer;
/** Where new connections go; those that are there stay where they are. */
let writingPort = 0;

const sql = (database: PrivateDatabaseServer, ...statements: string[]) =>
  withConnection(database.url(), async (connection) => {
    let last: unknown;
    for (const statement of statements) [last] = await connection.query(statement);
    return last as Record<string, unknown>[];
  });

beforeAll(async () => {
  for (const id of [1, 2]) {
    const serverArguments = [`--server-id=${id}`, "--log-bin", "--log-slave-updates=ON", "--sync-binlog=1"];
    const started = await startMysqlFamily({ private: true, serverArguments });
    if (isSkipped(started)) {
      skipped = started;
      return;
    }
    databases.push(started);
    if (started.kind !== "mariadb") {
      skipped = { skipped: "replication is set up in MariaDB's words: install mariadb-server" };
      return;
    }
  }
  const [first, second] = databases as [PrivateDatabaseServer, PrivateDatabaseServer];
  await sql(
    second,
    `CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = ${first.port}, MASTER_USER = 'root',
     MASTER_USE_GTID = slave_pos`,
    "START SLAVE",
  );
  // Not root, whom read_only does not concern.
  await sql(
    first,
    `CREATE DATABASE ${DATABASE} CHARACTER SET utf8mb4`,
    "CREATE USER tailkeep IDENTIFIED BY 'secret'",
    `GRANT ALL ON ${DATABASE}.* TO tailkeep`,
  );
  writingPort = first.port;
  proxy = createServer((near) => {
    const far = connectTo(writingPort, "127.0.0.1");
    near.pipe(far).pipe(near);
    near.on("error", () => far.destroy());
    far.on("error", () => near.destroy());
  });
  const proxyPort = await freePort();
  await new Promise<void>((resolve) => proxy.listen(proxyPort, "127.0.0.1", resolve));
  server = await TailkeepServer.start({ store: `mysql://tailkeep:secret@127.0.0.1:${proxyPort}/${DATABASE}` });
});
beforeEach((context) => {
  if (skipped !== undefined) context.skip(skipped.skipped);
});
afterAll(async () => {
  await server?.stop();
  proxy?.close();
  for (const database of databases) await database.stop();
});

test("streams go on at the replica that was promoted, and nothing is lost or doubled", async () => {
  const [first, second] = databases as [PrivateDatabaseServer, PrivateDatabaseServer];
  const client = connect({ server: server.grpcAddress });
  const stubs = new Stubs(server.grpcAddress);
  const streamIds = Array.from({ length: STREAMS }, (_, at) => `stream-${at}`);
  const trainers = endlessTrainers(client, "promotion", streamIds);
  const acked = () => ackedOf(trainers);
  const goesOn = (from: number) => expect.poll(acked, { timeout: GOES_ON_MS_MAX }).toBeGreaterThan(from + PROGRESS);
  const read = (sessionId: string) => stubs.call("getSession", { sessionId });
  const stop = new AbortController();
  const runs = Promise.all(trainers.map((trainer) => trainer.run(stop.signal)));
  try {
    await goesOn(0);
    await Promise.all(Array.from({ length: READS }, () => read("promotion")));
    const [position] = await sql(first, "SET GLOBAL read_only = 1", "SELECT @@GLOBAL.gtid_binlog_pos AS gtid");
    await sql(second, `SELECT MASTER_GTID_WAIT('${String(position?.["gtid"])}', 20)`, "STOP SLAVE");
    const ackedBefore = acked();
    writingPort = second.port;
    await goesOn(ackedBefore);
    // Reads go there too, also those on connections of before.
    await sql(
      second,
      `INSERT INTO ${DATABASE}.sessions (namespace_id, session_id, name, labels, config, state, started_at_us, last_seen_at_us)
       VALUES ('default', 'only there', '', '{}', '', 'running', 1, 1)`,
    );
    for (let time = 0; time < READS; time++) await read("only there");
    stop.abort();
    await runs;
    for (const { stream } of trainers) await stream.close({ timeoutMs: FINISH_MS_MAX });
    const journals = trainers.map(({ journal }) => journal);
    expect(await judge(journals, plainMysql(second.url(DATABASE)))).toEqual([]);
  } finally {
    stop.abort();
    stubs.close();
    await client.close({ timeoutMs: 1_000 }).catch(() => {});
  }
});

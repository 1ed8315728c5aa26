/**
 * `npm run bench`: every claim about speed as a ratio within one run, against the bare driver doing the same rows into the
 * same tables with the same durability.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { connect, type TailkeepClient } from "@tailkeep/client";
import { RESIDENT_BYTES_MAX } from "@tailkeep/server/dist/limits.js";
import mysql from "mysql2/promise";
import { CommandLine } from "../support/command-line.js";
import { isSkipped, startMysqlFamily } from "../support/databases/index.js";
import { TailkeepServer } from "../support/tailkeep-server.js";
import { benchContainers } from "./containers.js";
import { benchExpiry } from "./expiry.js";
import { child, median, percentile, times } from "./measure.js";
import { benchRecording } from "./recording.js";
import { columnsOf, fullRow, record } from "./rows.js";
import { benchSeries, benchSummingUp } from "./series.js";
import { type Claim, ms, perSecond, printTable } from "./table.js";

const PARTS = ["all", "containers", "sdk", "server", "series", "expiry"] as const;
const STORES = ["all", "sqlite", "mysql"] as const;

const line = new CommandLine(
  "bench",
  "Measures every claim about speed as a ratio within one run; ends with 1 where one does not hold.",
  {
    only: { type: "string", default: "all", value: PARTS.join("|"), says: "this part" },
    store: { type: "string", default: "all", value: STORES.join("|"), says: "of the server" },
    quick: { type: "boolean", says: "a tenth of the rows: good for a look, not for a claim" },
    "due-rows": { type: "string", default: "20000000", value: "N", says: "rows that are to expire beside ingest" },
  },
);
const options = { ...line.values, only: line.oneOf("only", PARTS), store: line.oneOf("store", STORES) };
const SCALE = options.quick ? 0.1 : 1;
const INGEST_ROWS = 600_000 * SCALE;
const ROUNDS = 3;
const STREAMS = 4;
const SMALL_ROWS = 1_000_000 * SCALE;
const LARGE_ROWS = 10_000_000 * SCALE;
/** That are to expire beside ingest. */
const DUE_ROWS = line.whole("due-rows", 1_000) * SCALE;
/** Sent with and without expiry: seconds of load, and all of it before a server that has started begins to expire. */
const EXPIRY_RECORDS = options.quick ? 200_000 : 500_000;
const LONE_RECORDS = 400;

interface Rate {
  perSecond: number;
}

const claims: Claim[] = [];
const say = (text: string) => console.error(`  ${text}`);

function claim(
  name: string,
  store: string,
  ours: string,
  yardstick: string,
  value: number,
  most: boolean,
  bound: number,
): void {
  const holds = most ? value <= bound : value >= bound;
  claims.push({ name, store, ours, yardstick, value, bound: `${most ? "<=" : ">="} ${bound}`, holds });
}

/** A database under test: how to measure it bare, and how to make it empty again. */
interface Subject {
  name: string;
  storeUrl: string;
  bareIngest(rows: number): Promise<number>;
  /** One bare commit of one row. */
  bareCommit(): Promise<number[]>;
}

/** End to end and bare take turns, so that a machine that slows down slows both. */
async function ingest(subject: Subject, server: TailkeepServer): Promise<void> {
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    bare.push(await subject.bareIngest(INGEST_ROWS));
    const session = `ingest-${round}`;
    ours.push((await child<Rate>("load.ts", server.grpcAddress, session, STREAMS, INGEST_ROWS, 256)).perSecond);
    say(`round ${round + 1}: ${perSecond(ours.at(-1) ?? 0)} end to end, ${perSecond(bare.at(-1) ?? 0)} bare`);
  }
  const value = median(ours) / median(bare);
  claim("ingest, 256 a batch", subject.name, perSecond(median(ours)), perSecond(median(bare)), value, false, 0.6);
}

async function oneAMessage(subject: Subject, server: TailkeepServer): Promise<void> {
  const rows = 200_000 * SCALE;
  const { perSecond: rate } = await child<Rate>("load.ts", server.grpcAddress, "single", STREAMS, rows, 1);
  claim("one record a message", subject.name, perSecond(rate), "25,000/s", rate / 25_000, false, 1);
}

async function loneRecord(subject: Subject, client: TailkeepClient): Promise<void> {
  const bare = await subject.bareCommit();
  const stream = client.openStream({ sessionId: "lone" });
  await stream.opened();
  let n = 0;
  const ours = await times(LONE_RECORDS, async () => {
    stream.append(record(n++));
    await stream.flush();
  });
  await stream.close();
  const [a, b] = [percentile(ours, 0.5), percentile(bare, 0.5)];
  claim("lone record, append to ack, ms above bare commit", subject.name, ms(a), ms(b), a - b, true, 3);
}

async function tail(subject: Subject, client: TailkeepClient): Promise<void> {
  const ask = () => client.history.tailRecords({ sessionId: "ingest-0", limit: 100 });
  await times(2_000, ask);
  const found = await times(3_000, ask);
  claim("TailRecords(100) p50, ms", subject.name, ms(percentile(found, 0.5)), "1 ms", percentile(found, 0.5), true, 1);
}

/** Median time of pages of 100 at the beginning, the middle and the end of a session's history. */
async function pageMs(client: TailkeepClient, sessionId: string, rows: number): Promise<number> {
  const { eventTimeUs: first = 0 } = record(0);
  const { eventTimeUs: last = 0 } = record(rows / STREAMS);
  const asks = [0.05, 0.35, 0.65, 0.95].map((share) => {
    const untilUs = Math.round(first + (last - first) * share);
    return () =>
      client.history.listRecords({ sessionId, types: ["score_history"], untilUs, pageSize: 100 }).firstPage();
  });
  const found: number[] = [];
  for (let round = 0; round < 60; round++) for (const ask of asks) found.push(...(await times(1, ask)));
  return median(found.slice(asks.length * 10));
}

/** Now, or the highest since the process began (VmHWM). */
function residentMiB(pid: number, line: "VmRSS" | "VmHWM" = "VmRSS"): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`${line}:\\s+(\\d+)`).exec(status)?.[1]) / 1_024;
}

/** The same history grown from one million to ten: how a page and the server's memory follow. */
async function growth(subject: Subject, server: TailkeepServer, client: TailkeepClient): Promise<void> {
  const pid = server.pid ?? 0;
  const session = "growth";
  const grow = (from: number, to: number) =>
    child<Rate>("load.ts", server.grpcAddress, session, STREAMS, to - from, 256, from / STREAMS);
  const rss = async () => {
    const samples: number[] = [];
    for (let at = 0; at < 20; at++) {
      samples.push(residentMiB(pid));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return median(samples);
  };
  await grow(0, SMALL_ROWS);
  const smallPage = await pageMs(client, session, SMALL_ROWS);
  const smallRss = await rss();
  say(`at ${SMALL_ROWS.toLocaleString("en")} records: page ${ms(smallPage)}, resident ${smallRss.toFixed(0)} MiB`);
  const step = LARGE_ROWS / 10;
  for (let from = SMALL_ROWS; from < LARGE_ROWS; from += step) {
    const { perSecond: rate } = await grow(from, from + step);
    say(
      `${(from + step).toLocaleString("en")} records, ${perSecond(rate)}, resident ${residentMiB(pid).toFixed(0)} MiB`,
    );
  }
  const largePage = await pageMs(client, session, LARGE_ROWS);
  const largeRss = await rss();
  const name = `${LARGE_ROWS / 1_000_000} M against ${SMALL_ROWS / 1_000_000} M`;
  claim(`page of 100, ${name}`, subject.name, ms(largePage), ms(smallPage), largePage / smallPage, true, 1.5);
  claim(
    `resident memory, ${name}`,
    subject.name,
    `${largeRss.toFixed(0)} MiB`,
    `${smallRss.toFixed(0)} MiB`,
    largeRss / smallRss,
    true,
    1.05,
  );
  const highestRss = residentMiB(pid, "VmHWM");
  const statedRss = RESIDENT_BYTES_MAX / 1_048_576;
  claim(
    "resident memory, highest, against the stated cap",
    subject.name,
    `${highestRss.toFixed(0)} MiB`,
    `${statedRss} MiB`,
    highestRss / statedRss,
    true,
    1,
  );
}

async function measure(subject: Subject): Promise<void> {
  console.error(`${subject.name}:`);
  const server = await TailkeepServer.start({ store: subject.storeUrl, env: { TAILKEEP_LOG_LEVEL: "warn" } });
  const client = connect({ server: server.grpcAddress });
  try {
    await ingest(subject, server);
    await oneAMessage(subject, server);
    await loneRecord(subject, client);
    await tail(subject, client);
    await growth(subject, server, client);
  } finally {
    await client.close();
    await server.stop();
  }
}

/** One score after the other, each as a whole row. */
function scoreRows(): () => unknown[] {
  let n = -3;
  return () => {
    n += 6;
    return fullRow(n, 1n, n, "lone").values;
  };
}

async function sqliteSubject(folder: string): Promise<Subject> {
  const file = join(folder, "tailkeep.db");
  let bareFiles = 0;
  /** An empty database with our schema: made by our own server. */
  const bareFile = async () => {
    const path = join(folder, `bare-${bareFiles++}.db`);
    const maker = await TailkeepServer.start({ store: `sqlite:${path}`, env: { TAILKEEP_LOG_LEVEL: "warn" } });
    await maker.stop();
    return path;
  };
  return {
    name: "SQLite",
    storeUrl: `sqlite:${file}`,
    bareIngest: async (rows) => {
      const rates: number[] = [];
      for (const perStatement of [1, 64]) {
        rates.push((await child<Rate>("bare-sqlite.ts", await bareFile(), rows, perStatement)).perSecond);
      }
      return Math.max(...rates);
    },
    bareCommit: async () => {
      const db = new DatabaseSync(await bareFile());
      db.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL");
      const columns = columnsOf("score_history");
      const insert = db.prepare(
        `INSERT INTO score_history_rows (${columns.join(",")}) VALUES (${columns.map(() => "?").join(",")})`,
      );
      const nextRow = scoreRows();
      const found = await times(LONE_RECORDS, () => insert.run(...(nextRow() as never[])));
      db.close();
      return found;
    },
  };
}

async function mysqlSubject(url: (database: string) => string, admin: string, name: string): Promise<Subject> {
  const connection = await mysql.createConnection({ uri: admin });
  let databases = 0;
  const emptyDatabase = async () => {
    const database = `bench_${process.pid}_${databases++}`;
    await connection.query(`CREATE DATABASE ${database}`);
    return database;
  };
  const bareDatabase = async () => {
    const database = await emptyDatabase();
    const maker = await TailkeepServer.start({ store: url(database), env: { TAILKEEP_LOG_LEVEL: "warn" } });
    await maker.stop();
    return database;
  };
  return {
    name,
    storeUrl: url(await emptyDatabase()),
    bareIngest: async (rows) => {
      const rates: number[] = [];
      for (const [perStatement, connections] of [
        [1_000, 1],
        [2_000, 1],
        [1_000, 2],
      ] as const) {
        const database = await bareDatabase();
        rates.push((await child<Rate>("bare-mysql.ts", url(database), rows, perStatement, connections)).perSecond);
        await connection.query(`DROP DATABASE ${database}`);
      }
      return Math.max(...rates);
    },
    bareCommit: async () => {
      const database = await bareDatabase();
      const lone = await mysql.createConnection({ uri: url(database) });
      const nextRow = scoreRows();
      const sql = `INSERT INTO score_history_rows (${columnsOf("score_history").join(",")}) VALUES ?`;
      const found = await times(LONE_RECORDS, () => lone.query(sql, [[nextRow()]]));
      await lone.end();
      return found;
    },
  };
}

function sqliteSizes(file: string): { rollups: number; rows: number } {
  const db = new DatabaseSync(file);
  const pages = Number(Object.values(db.prepare("PRAGMA page_count").get() ?? {})[0]) * 4_096;
  const rollups = Number(Object.values(db.prepare("SELECT SUM(LENGTH(body)) FROM rollup_nodes").get() ?? {})[0]);
  db.close();
  return { rollups, rows: pages - rollups };
}

async function mysqlSizes(url: string): Promise<{ rollups: number; rows: number }> {
  const connection = await mysql.createConnection({ uri: url });
  const size = async (table: string) => {
    await connection.query(`ANALYZE TABLE ${table}`);
    const [rows] = await connection.query(
      `SELECT SUM(DATA_LENGTH + INDEX_LENGTH) AS n FROM information_schema.TABLES
       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '${table}'`,
    );
    return Number((rows as { n: unknown }[])[0]?.n);
  };
  const sizes = { rollups: await size("rollup_nodes"), rows: await size("performance_history_rows") };
  await connection.end();
  return sizes;
}

const folder = mkdtempSync(join(tmpdir(), "tailkeep-bench-"));
try {
  if (options.only === "all" || options.only === "containers") claims.push(...(await benchContainers(options.quick)));
  if (options.only === "all" || options.only === "sdk") claims.push(...(await benchRecording(options.quick)));
  const isServer = options.only === "all" || options.only === "server";
  if (isServer && options.store !== "mysql") await measure(await sqliteSubject(folder));
  const isSeries = options.only === "all" || options.only === "series";
  if (isSeries && options.store !== "mysql") {
    const file = join(folder, "series.db");
    const pair = [`sqlite:${join(folder, "on.db")}`, `sqlite:${join(folder, "off.db")}`] as const;
    claims.push(...(await benchSummingUp("SQLite", pair, INGEST_ROWS)));
    const sizes = () => Promise.resolve(sqliteSizes(file));
    claims.push(...(await benchSeries("SQLite", `sqlite:${file}`, LARGE_ROWS, sizes)));
    rmSync(file);
  }
  if ((options.only === "all" || options.only === "expiry") && options.store !== "mysql") {
    const file = join(folder, "expiry.db");
    claims.push(await benchExpiry(file, DUE_ROWS, EXPIRY_RECORDS));
    rmSync(file);
  }
  if ((isServer || isSeries) && options.store !== "sqlite") {
    const database = await startMysqlFamily({ bufferPoolMegabytes: 1_024 });
    if (isSkipped(database)) console.error(`MySQL is left out: ${database.skipped}`);
    else {
      try {
        const name = `${database.kind} ${database.version}`;
        if (isServer) await measure(await mysqlSubject((each) => database.url(each), database.url(), name));
        if (isSeries) {
          const own = await database.createDatabase();
          const pair = [
            database.url(await database.createDatabase()),
            database.url(await database.createDatabase()),
          ] as const;
          claims.push(...(await benchSummingUp(name, pair, INGEST_ROWS)));
          const sizes = () => mysqlSizes(database.url(own));
          claims.push(...(await benchSeries(name, database.url(own), LARGE_ROWS, sizes)));
        }
      } finally {
        await database.stop();
      }
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
printTable(claims);
if (claims.some((each) => !each.holds)) process.exitCode = 1;

// An installation moves from SQLite to MySQL under trainers that never stop writing, and the move is killed again and again.
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, type TailkeepClient, type TrainingRecord } from "@tailkeep/client";
import { runMigration } from "@tailkeep/server/dist/migrate/index.js";
import mysql from "mysql2/promise";
import { expect, onTestFinished, test } from "vitest";
import { type DatabaseServer, isSkipped, type Skipped, sharedMysqlFamily } from "../../support/databases/index.js";
import { runCommand, startCommand } from "../../support/run-command.js";
import { TailkeepServer } from "../../support/tailkeep-server.js";
import { RECORDS } from "./filled-server.js";

const TABLES = ["performance_history", "session_history", "action_tracking", "score_history", "coordinate_tracking"];
const ROWS_TABLES = [...TABLES, "frame_tracking"].map((name) => `${name}_rows`);
const SIDE_TABLES =
  "sessions streams gaps dead_letters states config_changes api_keys storing_day rollup_streams".split(" ");

const ODD: readonly TrainingRecord[] = [
  ...RECORDS,
  { type: "score_history", gameId: "日本 \u{1f600}'\"\\", score: -1.7976931348623157e308, scoreType: "\\'; DROP" },
  { type: "score_history", gameId: "g", score: 5e-324, eventTimeUs: -1 },
  { type: "score_history", gameId: "g", score: Number.NEGATIVE_INFINITY, eventTimeUs: Number.MAX_SAFE_INTEGER },
  { type: "session_history", gameId: "g", actionsTaken: Number.MAX_SAFE_INTEGER, durationSeconds: -0, win: true },
  { type: "coordinate_tracking", gameId: "g", coordinateX: -2_147_483_648, coordinateY: 2_147_483_647, success: false },
  { type: "action_tracking", gameId: "g", actionSequence: ["a\u0000b", { deep: [[[]]] }], effectiveness: 0.1 },
];

/** Writes to several streams of a session until it is told to stop; says how many records each has. */
function trainer(client: TailkeepClient, sessionId: string, streams: number) {
  let isTraining = true;
  const run = async (streamId: string) => {
    const stream = client.openStream({ sessionId, streamId });
    let n = 0;
    for (; isTraining; n += 20) {
      await stream.write(
        Array.from({ length: 20 }, (_, at) => ({ type: "score_history", gameId: streamId, score: n + at }) as const),
      );
      await sleep(60);
    }
    await stream.close();
    return n;
  };
  const counts = Promise.all(Array.from({ length: streams }, (_, at) => run(`s${at}`)));
  counts.catch(() => {});
  return {
    stop: () => {
      isTraining = false;
      return counts;
    },
  };
}

/** All rows of a table on each side as texts, sorted. */
function sqliteRows(file: string, table: string, columns: readonly string[]): string[] {
  const db = new DatabaseSync(file, { readOnly: true });
  const statement = db.prepare(`SELECT ${columns.join(", ")} FROM ${table}`);
  statement.setReadBigInts(true);
  const rows = statement.all().map((row) => JSON.stringify(columns.map((name) => plain(row[name]))));
  db.close();
  return rows.sort();
}

function columnsOf(file: string, table: string): string[] {
  const db = new DatabaseSync(file, { readOnly: true });
  const names = db.prepare(`SELECT name FROM pragma_table_info('${table}')`).all();
  db.close();
  return names
    .map((row) => String(row["name"]))
    .filter((name) => name !== "id" || table === "storing_day")
    .filter((name) => name !== "between_keys");
}

async function mysqlRows(url: string, table: string, columns: readonly string[]): Promise<string[]> {
  const connection = await mysql.createConnection({
    uri: url,
    dateStrings: true,
    timezone: "Z",
    supportBigNumbers: true,
    bigNumberStrings: true,
    typeCast: (field, next) => (field.type === "DOUBLE" ? doubleOf(field.string()) : next()),
  });
  try {
    const [rows] = await connection.query<mysql.RowDataPacket[]>(`SELECT ${columns.join(", ")} FROM ${table}`);
    return rows.map((row) => JSON.stringify(columns.map((name) => plain(row[name])))).sort();
  } finally {
    connection.destroy();
  }
}

const doubleOf = (text: string | null) => (text === null ? null : Number(text));

function plain(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : String(value);
}

async function ask(url: string, sql: string): Promise<mysql.RowDataPacket[]> {
  const connection = await mysql.createConnection({ uri: url });
  try {
    return (await connection.query<mysql.RowDataPacket[]>(sql))[0];
  } finally {
    connection.destroy();
  }
}

async function emptyDatabase(): Promise<{ database: DatabaseServer; url: string } | Skipped> {
  const database = await sharedMysqlFamily();
  if (isSkipped(database)) return database;
  onTestFinished(() => database.stop());
  return { database, url: database.url(await database.createDatabase()) };
}

async function installation() {
  const folder = await mkdtemp(join(tmpdir(), "tailkeep-migrate-"));
  const file = join(folder, "tailkeep.db");
  const server = await TailkeepServer.start({ store: `sqlite:${file}`, cwd: folder });
  const client = connect({ server: server.grpcAddress });
  onTestFinished(async () => {
    await client.close({ timeoutMs: 1_000 }).catch(() => {});
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });
  return { folder, file, server, client };
}

test("every record arrives once, whenever the move is killed, and trainers go on", {
  timeout: 300_000,
}, async (context) => {
  const made = await emptyDatabase();
  if (isSkipped(made)) return context.skip(made.skipped);
  const { folder, file, server, client } = await installation();
  const odd = client.openStream({ sessionId: "odd", streamId: "only" });
  await odd.write(ODD);
  odd.gap({ count: 3, type: "frame_tracking", cause: "overflow" });
  await odd.close();
  const doomed = client.openStream({ sessionId: "doomed", streamId: "only" });
  await doomed.write(ODD);
  await doomed.close();
  await client.state.put("learned", { weights: [1, 2, 3], text: "é".repeat(100_000) });

  const reborn = async (score: number) => {
    const stream = client.openStream({ sessionId: "reborn", streamId: "only" });
    await stream.write(Array.from({ length: 10 }, (_, at) => ({ type: "score_history", score: score + at }) as const));
    await stream.close();
  };
  await reborn(0);

  const training = trainer(client, "live", 4);
  const env = { TAILKEEP_STORE: `sqlite:${file}`, TAILKEEP_MIGRATE_TO: made.url };
  const wasKilled: boolean[] = [];
  const killSoon = async (delayMs: number) => {
    const child = startCommand(["migrate"], { env });
    const ended = once(child, "exit");
    await sleep(delayMs);
    child.kill("SIGKILL");
    await ended;
    wasKilled.push(child.signalCode === "SIGKILL");
  };
  for (const delayMs of [900, 3_500, 5_000]) await killSoon(delayMs);
  // Behind the copy: rows get another expiry day, and rows go.
  expect(await runCommand(["migrate", "--copy-only"], { env })).toMatchObject({ code: 0, stderr: "" });
  await client.history.updateSession("odd", { pinned: true });
  await client.history.deleteSession("doomed", { force: true });
  await client.history.deleteSession("reborn", { force: true });
  await reborn(1_000);

  // Served by nobody meanwhile: a server on the half-filled database would give numbers twice.
  await expect(TailkeepServer.start({ store: made.url, cwd: folder })).rejects.toThrow("has not finished filling");

  const moving = startCommand(["migrate"], { env });
  let said = "";
  moving.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  const until = async (text: string) => {
    while (!said.includes(text) && moving.exitCode === null) await sleep(5);
    expect(said).toContain(text);
  };
  await until("stop the server");
  await sleep(1_000);
  await server.stop();
  await until("moving the rest");
  await sleep(30);
  moving.kill("SIGKILL");
  await once(moving, "exit");
  for (const delayMs of [200, 500]) {
    const child = startCommand(["migrate"], { env });
    const ended = once(child, "exit");
    await Promise.race([once(child.stderr, "data"), ended]);
    await sleep(delayMs);
    child.kill("SIGKILL");
    await ended;
  }
  expect(wasKilled).toEqual([true, true, true]);

  const last = await runCommand(["migrate", "--json"], { env });
  expect(last).toMatchObject({ code: 0 });
  // On a fast machine one of the killed ones had come to its end.
  expect(JSON.parse(last.stdout)).toMatchObject({ status: expect.stringMatching(/^(was )?finished/) });
  for (const table of [...ROWS_TABLES, ...SIDE_TABLES]) {
    const columns = columnsOf(file, table);
    const rows = await mysqlRows(made.url, table, columns);
    expect(rows, table).toEqual(sqliteRows(file, table, columns));
  }
  const again = await runCommand(["migrate"], { env });
  expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining("nothing was done") });
  await expect(server.start()).rejects.toThrow("has moved this installation");

  const moved = await TailkeepServer.start({
    store: made.url,
    cwd: folder,
    env: { TAILKEEP_GRPC_ADDR: server.grpcAddress },
  });
  onTestFinished(async () => void (await moved.stop()));
  await sleep(1_000);
  const counts = await training.stop();
  for (const [at, count] of counts.entries()) {
    const [row] = await ask(
      made.url,
      `SELECT COUNT(*) AS n, COUNT(DISTINCT score) AS different, MAX(score) AS newest, SUM(seq = score + 1) AS in_order
       FROM score_history_rows WHERE session_id = 'live' AND game_id = 's${at}'`,
    );
    const found = Object.fromEntries(Object.entries(row ?? {}).map(([name, value]) => [name, Number(value)]));
    expect(found).toEqual({ n: count, different: count, newest: count - 1, in_order: count });
  }
  const total = counts.reduce((sum, count) => sum + count, 0);
  expect((await client.history.getSession("live")).counts).toEqual({ stored: total, rejected: 0, gapped: 0 });
  expect(await client.history.getSession("odd")).toMatchObject({ pinned: true, counts: { gapped: 3 } });
  expect(await client.state.get("learned")).toMatchObject({ value: { weights: [1, 2, 3] } });
});

test("says what is wrong with the new store, and keeps its password to itself", {
  timeout: 120_000,
}, async (context) => {
  const made = await emptyDatabase();
  if (isSkipped(made)) return context.skip(made.skipped);
  const { folder, file, client } = await installation();
  await client.state.put("x", 1);
  const env = { TAILKEEP_STORE: `sqlite:${file}` };
  expect(await runCommand(["migrate"], { env })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("TAILKEEP_MIGRATE_TO"),
  });
  const shown = await runCommand(["migrate", "--to", "mysql://root:secret@127.0.0.1/x"], { env });
  expect(shown).toMatchObject({ code: 2, stderr: expect.stringContaining("has a password") });
  expect(shown.stderr).not.toContain("secret");

  const toFile = join(folder, "new-store");
  await writeFile(toFile, `${made.url}\n`);
  const other = await TailkeepServer.start({ store: made.url, cwd: folder });
  const otherClient = connect({ server: other.grpcAddress });
  await otherClient.state.put("somebody's", 1);
  await otherClient.close();
  await other.stop();
  expect(await runCommand(["migrate", "--to-file", toFile], { env })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("has data already (in states)"),
  });
});

/** Sessions of ten rows in a file that no server has any more, and what moves it. */
async function stoppedInstallation(url: string, sessionIds: readonly string[]) {
  const { file, server, client } = await installation();
  for (const sessionId of sessionIds) {
    const stream = client.openStream({ sessionId, streamId: "only" });
    await stream.write(Array.from({ length: 10 }, (_, score) => ({ type: "score_history", score }) as const));
    await stream.close();
  }
  await server.stop();
  const db = new DatabaseSync(file);
  onTestFinished(() => db.close());
  const move = async (finishing: () => void = () => undefined, stop = new AbortController()) => {
    const options = { file, to: url, copyOnly: false, signal: stop.signal };
    return await runMigration(options, { copied: () => undefined, caughtUp: () => undefined, finishing });
  };
  return { db, move };
}

const ROWS_BY_SESSION = "SELECT session_id, COUNT(*) AS n FROM score_history_rows GROUP BY session_id";

test("a deletion that was cut off moves as one", { timeout: 120_000 }, async (context) => {
  const made = await emptyDatabase();
  if (isSkipped(made)) return context.skip(made.skipped);
  const { db, move } = await stoppedInstallation(made.url, ["doomed", "doomed-later", "kept"]);
  // The first step of a deletion, as the store does it.
  const fence = (sessionId: string) => {
    db.prepare("DELETE FROM streams WHERE session_id = ?").run(sessionId);
    db.prepare("UPDATE sessions SET state = 'deleting', ended_at_us = 1 WHERE session_id = ?").run(sessionId);
  };
  fence("doomed");
  // The rows of the other are in the target by then.
  expect(await move(() => fence("doomed-later"))).toMatchObject({ status: "finished", rows: 20 });
  const states = await ask(made.url, "SELECT session_id, state FROM sessions ORDER BY session_id");
  expect(states.map((row) => `${String(row["session_id"])} ${String(row["state"])}`)).toEqual([
    "doomed deleting",
    "doomed-later deleting",
    expect.stringMatching(/^kept /),
  ]);
  expect(await ask(made.url, ROWS_BY_SESSION)).toEqual([{ session_id: "kept", n: 10 }]);
});

test("interrupted while the rest is moved, it says so and keeps what it has", {
  timeout: 120_000,
}, async (context) => {
  const made = await emptyDatabase();
  if (isSkipped(made)) return context.skip(made.skipped);
  const { db, move } = await stoppedInstallation(made.url, ["run"]);
  const stop = new AbortController();
  const interrupted = await move(() => {
    db.exec("UPDATE score_history_rows SET created_at = '2026-01-01 00:00:00.000000' WHERE seq = 5");
    stop.abort();
  }, stop);
  expect(interrupted).toMatchObject({ status: "interrupted", rows: 10 });
  expect(await ask(made.url, ROWS_BY_SESSION)).toEqual([{ session_id: "run", n: 10 }]);
  expect(await move()).toMatchObject({ status: "finished", rows: 10, settled: 1 });
});

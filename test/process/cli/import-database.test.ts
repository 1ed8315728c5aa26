// The earlier system's database, with all that such a file may hold after years of a dynamically typed writer.
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { connect, type HistoryRecord, type TailkeepClient } from "@tailkeep/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCommand } from "../../support/run-command.js";
import { TailkeepServer } from "../../support/tailkeep-server.js";

let folder: string;
let server: TailkeepServer;
let client: TailkeepClient;
let env: Record<string, string>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tailkeep-import-db-"));
  server = await TailkeepServer.start({ store: `sqlite:${join(folder, "tailkeep.db")}`, cwd: folder });
  client = connect({ server: server.grpcAddress });
  env = { TAILKEEP_SERVER: server.grpcAddress };
}, 60_000);

afterAll(async () => {
  await client.close({ timeoutMs: 1_000 }).catch(() => {});
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Summary {
  tables: {
    table: string;
    rows: number;
    newRecords: number;
    knownRecords: number;
    notes: string[];
    otherColumns: string[];
  }[];
  otherTables: string[];
}

async function importFile(file: string, ...more: string[]): Promise<Summary> {
  const { code, stdout, stderr } = await runCommand(["import", file, "--json", ...more], { env });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout) as Summary;
}

function totals({ tables }: Summary): { added: number; known: number } {
  return {
    added: tables.reduce((sum, table) => sum + table.newRecords, 0),
    known: tables.reduce((sum, table) => sum + table.knownRecords, 0),
  };
}

function legacyFile(name: string, fill: (db: DatabaseSync) => void): string {
  const file = join(folder, name);
  const db = new DatabaseSync(file);
  db.exec(`
    CREATE TABLE performance_history (id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL, game_id TEXT,
      score REAL, win_rate REAL, learning_efficiency REAL, timestamp DATETIME DEFAULT CURRENT_TIMESTAMP, metadata TEXT,
      created_at DATETIME DEFAULT CURRENT_TIMESTAMP);
    CREATE TABLE session_history (id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT, game_id TEXT, status TEXT,
      duration_seconds REAL, actions_taken INTEGER, score REAL, win BOOLEAN, timestamp DATETIME, metadata TEXT,
      created_at DATETIME DEFAULT CURRENT_TIMESTAMP);
    CREATE TABLE coordinate_tracking (id INTEGER PRIMARY KEY AUTOINCREMENT, game_id TEXT, coordinate_x, coordinate_y,
      action_type TEXT, success BOOLEAN, context TEXT, timestamp DATETIME);
    CREATE TABLE frame_tracking (game_id TEXT, frame_hash TEXT, frame_analysis TEXT, colour TEXT, timestamp DATETIME);
    CREATE TABLE notes (text TEXT);
    PRAGMA user_version = 3;`);
  fill(db);
  db.close();
  return file;
}

async function recordsOf(sessionId: string, type: HistoryRecord["type"]): Promise<HistoryRecord[]> {
  const found: HistoryRecord[] = [];
  for await (const record of client.history.listRecords({ sessionId, types: [type], order: "oldest" }))
    found.push(record);
  return found;
}

test("odd values become what they mean, or are said to be left out", { timeout: 120_000 }, async () => {
  const file = legacyFile("odd.db", (db) => {
    const insert = db.prepare(
      "INSERT INTO performance_history (session_id, game_id, score, win_rate, timestamp, metadata) VALUES (?, ?, ?, ?, ?, ?)",
    );
    insert.run("odd", "ls20", 1.5, "0.25", "2025-09-01 10:00:00", '{"loss": NaN, "n": 1}');
    insert.run("odd", null, "inf", null, "2025-09-01T10:00:01.123456", "{'single': 'quotes'}");
    insert.run("odd", "ls20", "many", null, 1_756_720_802.5, null);
    insert.run(" \u0007odd ", "x".repeat(200), null, null, 1_756_720_803_000, "");
    db.prepare(
      `INSERT INTO session_history (session_id, status, actions_taken, score, win, timestamp, created_at)
       VALUES (NULL, '', 3.0, 2, 'True', 'yesterday', '2025-09-01 11:00:00'), ('odd', 'WIN', 9223372036854775807, 7, 0, NULL, NULL)`,
    ).run();
    db.prepare(
      "INSERT INTO coordinate_tracking (game_id, coordinate_x, coordinate_y, success) VALUES ('g', '12', 3000000000, 1)",
    ).run();
    db.prepare(
      "INSERT INTO frame_tracking (game_id, frame_hash, frame_analysis, colour) VALUES ('g', x'616263', '[1,2', 'red')",
    ).run();
    db.prepare("INSERT INTO notes VALUES ('mine')").run();
  });
  const dry = await importFile(file, "--dry-run");
  expect(totals(dry)).toEqual({ added: 8, known: 0 });
  expect((await client.history.getStatistics()).counts.stored).toBe(0);

  const summary = await importFile(file);
  expect(totals(summary)).toEqual({ added: 8, known: 0 });
  expect(summary.otherTables).toEqual(["notes"]);
  const notes = summary.tables.flatMap((table) => table.notes).join("\n");
  expect(notes).toContain('performance_history.score: "many" is no number');
  expect(notes).toContain("session_history.actions_taken");
  expect(notes).toContain('coordinate_tracking.coordinate_y: "3000000000" is no int32');
  expect(summary.tables.find(({ table }) => table === "frame_tracking")?.otherColumns).toEqual(["colour"]);

  const performance = await recordsOf("odd", "performance_history");
  expect(performance).toMatchObject([
    { gameId: "ls20", score: 1.5, winRate: 0.25, eventTimeUs: 1_756_720_800_000_000 },
    {
      gameId: "unknown",
      score: Number.POSITIVE_INFINITY,
      eventTimeUs: 1_756_720_801_123_456,
      metadata: "{'single': 'quotes'}",
    },
    { gameId: "ls20", eventTimeUs: 1_756_720_802_500_000 },
    { eventTimeUs: 1_756_720_803_000_000 },
  ]);
  expect(performance[2]).not.toHaveProperty("score", expect.any(Number));
  expect(performance[3]?.gameId).toHaveLength(128);
  expect(await recordsOf("unknown", "session_history")).toMatchObject([
    { actionsTaken: 3, score: 2, win: true, eventTimeUs: 1_756_724_400_000_000 },
  ]);
  expect(await recordsOf("unknown", "coordinate_tracking")).toMatchObject([{ coordinateX: 12, success: true }]);
  expect(await recordsOf("unknown", "frame_tracking")).toMatchObject([{ frameHash: "abc", frameAnalysis: "[1,2" }]);
});

test("repeated, moved, grown and cleaned up, each row is there once", { timeout: 180_000 }, async () => {
  const rows = 9_000;
  const insertAll = (db: DatabaseSync, from: number, count: number) => {
    const insert = db.prepare("INSERT INTO performance_history (session_id, score, timestamp) VALUES (?, ?, ?)");
    db.exec("BEGIN");
    for (let n = from; n < from + count; n++) insert.run(`many-${n % 2}`, n, 1_700_000_000 + n);
    db.exec("COMMIT");
  };
  const file = legacyFile("many.db", (db) => insertAll(db, 0, rows));
  expect(totals(await importFile(file))).toEqual({ added: rows, known: 0 });
  const moved = join(folder, "elsewhere.db");
  await copyFile(file, moved);
  expect(totals(await importFile(moved))).toEqual({ added: 0, known: rows });

  const db = new DatabaseSync(moved);
  insertAll(db, rows, 100);
  db.prepare("DELETE FROM performance_history WHERE score < 3000").run();
  db.close();
  expect(totals(await importFile(moved))).toEqual({ added: 100, known: rows - 3_000 });
  const scores = [
    ...(await recordsOf("many-0", "performance_history")),
    ...(await recordsOf("many-1", "performance_history")),
  ];
  expect(new Set(scores.map((record) => (record as { score?: number }).score)).size).toBe(rows + 100);
  expect(scores).toHaveLength(rows + 100);

  // Another trainer's file has the same sessions and ids, and other rows.
  const other = legacyFile("other.db", (each) => insertAll(each, 100_000, 10));
  expect(totals(await importFile(other))).toEqual({ added: 10, known: 0 });
});

test("what is no database is an error in one line", async () => {
  const file = join(folder, "text.db");
  await writeFile(file, "no database ".repeat(1_000));
  expect(await runCommand(["import", file], { env })).toMatchObject({
    code: 1,
    stdout: "",
    stderr: expect.stringContaining("is it the earlier system's database?"),
  });
  expect(await runCommand(["import", join(folder, "absent.db")], { env })).toMatchObject({ code: 2, stdout: "" });
});

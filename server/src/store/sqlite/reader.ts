/** The reading thread of the SQLite store: runs one query after the other on a connection of its own. */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { workerData } from "node:worker_threads";
import { SQLITE_BUSY_TIMEOUT_MS } from "../../limits.js";
import { serveThread } from "./thread.js";

/** Prepared statements kept; listings have a few dozen shapes. */
const STATEMENTS_MAX = 256;

let db: DatabaseSync | undefined;
const statements = new Map<string, StatementSync>();

function prepare(sql: string): StatementSync {
  db ??= new DatabaseSync((workerData as { file: string }).file, { readOnly: true, timeout: SQLITE_BUSY_TIMEOUT_MS });
  let statement = statements.get(sql);
  if (statement === undefined) {
    if (statements.size >= STATEMENTS_MAX) statements.clear();
    statement = db.prepare(sql);
    statements.set(sql, statement);
  }
  return statement;
}

serveThread({
  all: (sql: string, parameters: (string | number | bigint | null)[]) => prepare(sql).all(...parameters),
  ping: () => void prepare("SELECT 1 AS one FROM sqlite_schema").get(),
  close: () => db?.close(),
});

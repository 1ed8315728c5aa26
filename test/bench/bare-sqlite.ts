/**
 * The yardstick on SQLite: `node:sqlite` in one process, prepared statements, the same rows into the same tables with the
 * same durability. Run as a child: `node bare-sqlite.ts FILE ROWS ROWS_PER_STATEMENT`; prints rows a second.
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { columnsOf, fullRow, TABLES, type TableName } from "./rows.js";

const [file = "", rowsText = "", perStatementText = ""] = process.argv.slice(2);
const rows = Number(rowsText);
const perStatement = Number(perStatementText);
const ROWS_PER_TRANSACTION = 4_096;

/** The columns of each table's key: only the first and the last row of a key in a statement have an entry in its index. */
const KEYS: Record<TableName, readonly string[]> = {
  performance_history: ["game_id"],
  session_history: ["game_id"],
  action_tracking: ["action_type"],
  score_history: ["score_type"],
  coordinate_tracking: ["coordinate_x", "coordinate_y"],
  frame_tracking: ["frame_hash"],
};

const db = new DatabaseSync(file);
db.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536; PRAGMA wal_autocheckpoint=4000");

function statement(table: TableName, count: number): StatementSync {
  const columns = [...columnsOf(table), "between_keys"];
  const tuple = `(${columns.map(() => "?").join(",")})`;
  return db.prepare(
    `INSERT INTO ${table}_rows (${columns.join(",")}) VALUES ${new Array(count).fill(tuple).join(",")}`,
  );
}

const one = Object.fromEntries(TABLES.map((table) => [table, statement(table, 1)])) as Record<TableName, StatementSync>;
const many = Object.fromEntries(TABLES.map((table) => [table, statement(table, perStatement)])) as Record<
  TableName,
  StatementSync
>;

/** Marks the rows that lie between two of the same stream and key. */
function marked(table: TableName, args: unknown[]): unknown[] {
  const columns = columnsOf(table);
  const width = columns.length + 1;
  const places = ["stream", ...KEYS[table]].map((column) => columns.indexOf(column));
  const last = new Map<string, number>();
  const isFirst = new Set<number>();
  for (let at = 0; at < args.length; at += width) {
    const key = places.map((place) => String(args[at + place])).join();
    const before = last.get(key);
    if (before === undefined) isFirst.add(at);
    else if (!isFirst.has(before)) args[before + width - 1] = 1;
    last.set(key, at);
  }
  return args;
}

const startedMs = performance.now();
for (let n = 0; n < rows; ) {
  db.exec("BEGIN IMMEDIATE");
  const waiting = Object.fromEntries(TABLES.map((table) => [table, [] as unknown[]])) as Record<TableName, unknown[]>;
  for (let at = 0; at < ROWS_PER_TRANSACTION && n < rows; at++, n++) {
    const { table, values } = fullRow(
      n,
      BigInt(7_000_000_000 + (n % 4)),
      Math.floor(n / 4) + 1,
      `bare-session-${n % 4}`,
    );
    const width = values.length + 1;
    if (perStatement === 1) one[table].run(...(values as never[]), null);
    else {
      const args = waiting[table];
      for (const value of values) args.push(value);
      args.push(null);
      if (args.length === perStatement * width) many[table].run(...(marked(table, args.splice(0)) as never[]));
    }
  }
  for (const table of TABLES) {
    const width = columnsOf(table).length + 1;
    for (let args = waiting[table]; args.length > 0; args = args.slice(width))
      one[table].run(...(args.slice(0, width) as never[]));
  }
  db.exec("COMMIT");
}
console.log(JSON.stringify({ perSecond: rows / ((performance.now() - startedMs) / 1_000) }));
db.close();

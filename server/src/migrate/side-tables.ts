/**
 * Everything but the six tables: moved as a whole once nobody writes the source any more, and again by each run that
 * gets that far. Until the end no server takes the target, so nobody sees it half full.
 */
import { INSERT_CHARS_MAX, MIGRATION_STATEMENT_MS_MAX } from "../limits.js";
import { insertInParts } from "../store/mysql/side-rows.js";
import { ROLLUP_TABLES } from "../store/rollups.js";
import type { Cell, Source } from "./source.js";
import { cellLiteral, charsOf, isSame, type Target } from "./target.js";

/** In the order in which they are moved. `leases` belongs to a database, and `schema_migrations` to a schema. */
const SIDE_TABLES: readonly string[] = [
  "storing_day",
  "sessions",
  "gaps",
  "dead_letters",
  "states",
  "config_changes",
  "api_keys",
  "expiry_runs",
  ...ROLLUP_TABLES,
  "streams",
];

const STAYS_BEHIND = ["schema_migrations", "leases"];

/** In one transaction, whichever is reached first; a state document has up to 1 MiB. */
const ROWS_A_SLICE = 500;
const CHARS_A_SLICE = 2 * INSERT_CHARS_MAX;

/** Rows by table. */
export async function moveSideTables(source: Source, target: Target): Promise<Record<string, number>> {
  refuseUnknownTables(source);
  const moved: Record<string, number> = {};
  for (const table of SIDE_TABLES) moved[table] = await moveTable(source, target, table);
  await compareStreams(source, target);
  return moved;
}

/** A table of a later schema must not be forgotten silently. */
function refuseUnknownTables(source: Source): void {
  const tables = source.all("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
  const unknown = tables
    .map((row) => String(row["name"]))
    .filter((name) => !SIDE_TABLES.includes(name) && !STAYS_BEHIND.includes(name) && !name.endsWith("_rows"));
  if (unknown.length > 0) {
    throw new Error(`the store has tables that are none of Tailkeep's (${unknown.join(", ")}); move them away first`);
  }
}

async function moveTable(source: Source, target: Target, table: string): Promise<number> {
  const columns = source.columnsOf(table);
  await target.query(`DELETE FROM ${table}`);
  const head = `INSERT INTO ${table} (${columns.join(",")}) VALUES `;
  let count = 0;
  let slice: Cell[][] = [];
  let chars = 0;
  const flush = async () => {
    const tuples = slice.map((row) => `(${row.map(cellLiteral).join(",")})`);
    slice = [];
    chars = 0;
    await target.lanes.transaction((session) => insertInParts(session, head, tuples));
  };
  for (const row of source.rows(table, columns)) {
    slice.push(row);
    count++;
    chars += row.reduce<number>((sum, cell) => sum + charsOf(cell), 0);
    if (slice.length === ROWS_A_SLICE || chars >= CHARS_A_SLICE) await flush();
  }
  if (slice.length > 0) await flush();
  const [found] = await target.lanes.direct((session) =>
    session.query(`SELECT COUNT(*) AS n FROM ${table}`, MIGRATION_STATEMENT_MS_MAX),
  );
  if (Number(found?.["n"]) !== count)
    throw new Error(`${table}: ${count} rows were moved, ${String(found?.["n"])} are there`);
  return count;
}

/** The watermarks decide what is stored and what is not: they are compared value by value. */
async function compareStreams(source: Source, target: Target): Promise<void> {
  const columns = source.columnsOf("streams");
  const at = columns.indexOf("stream");
  const rows = await target.query(`SELECT ${columns.join(",")} FROM streams`);
  const found = new Map(rows.map((row) => [String(row["stream"]), row]));
  for (const stream of source.rows("streams", columns)) {
    const other = found.get(String(stream[at]));
    const wrong = columns.find((column, place) => !isSame(stream[place] as Cell, other?.[column]));
    if (wrong !== undefined) throw new Error(`streams.${wrong} of ${String(stream[at])} does not come back as written`);
  }
}

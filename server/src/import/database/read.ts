/** Reads the earlier system's database file, which is opened for reading alone. */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { RECORD_TYPE_NAMES, type RecordTypeName } from "@tailkeep/client";
import { knownColumns, type LegacyRow } from "./legacy-tables.js";

export interface LegacyTable {
  readonly name: RecordTypeName;
  readonly rowCount: number;
  /** Columns that are there and not understood. */
  readonly otherColumns: readonly string[];
  /** Columns that are understood and not there. */
  readonly missingColumns: readonly string[];
}

export interface IdentifiedRow {
  readonly id: bigint;
  readonly row: LegacyRow;
}

/** Newer than the earlier system knew, and possible in any SQLite file: numbers that doubles cannot hold. */
const BIG_INTS = true;

export class LegacyDatabase {
  readonly tables: readonly LegacyTable[];
  /** Tables that are there and are none of the six. */
  readonly otherTables: readonly string[];
  readonly #db: DatabaseSync;
  readonly #byId = new Map<string, StatementSync>();

  /** @throws Error where it is no SQLite database */
  constructor(file: string) {
    this.#db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
    try {
      const names = this.#db.prepare("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')").all();
      const present = names.map((row) => String(row["name"])).filter((name) => !name.startsWith("sqlite_"));
      this.tables = RECORD_TYPE_NAMES.filter((name) => present.includes(name)).map((name) => this.#describe(name));
      this.otherTables = present.filter((name) => !RECORD_TYPE_NAMES.some((known) => known === name));
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  #describe(name: RecordTypeName): LegacyTable {
    const columns = this.#db.prepare("SELECT name FROM pragma_table_info(?)").all(name);
    const present = columns.map((row) => String(row["name"]));
    const known = knownColumns(name);
    const expected = known.filter((column) => column !== "id" && column !== "created_at");
    return {
      name,
      rowCount: Number(Object.values(this.#db.prepare(`SELECT COUNT(*) FROM ${name}`).get() ?? {})[0]),
      otherColumns: present.filter((column) => !known.includes(column)),
      missingColumns: expected.filter((column) => !present.includes(column) && !isOptional(name, column)),
    };
  }

  /** In the order in which they were written. */
  *rows(table: RecordTypeName): Generator<IdentifiedRow> {
    const statement = this.#db.prepare(`SELECT rowid AS "tailkeep row", * FROM ${table} ORDER BY rowid`);
    statement.setReadBigInts(BIG_INTS);
    for (const row of statement.iterate()) yield identified(row as LegacyRow);
  }

  row(table: RecordTypeName, id: bigint): IdentifiedRow | undefined {
    let statement = this.#byId.get(table);
    if (statement === undefined) {
      statement = this.#db.prepare(`SELECT rowid AS "tailkeep row", * FROM ${table} WHERE rowid = ?`);
      statement.setReadBigInts(BIG_INTS);
      this.#byId.set(table, statement);
    }
    const row = statement.get(id);
    return row === undefined ? undefined : identified(row as LegacyRow);
  }

  close(): void {
    this.#db.close();
  }
}

/** Half of the tables know no session. */
function isOptional(table: RecordTypeName, column: string): boolean {
  const withSession: readonly string[] = ["performance_history", "session_history", "score_history"];
  return column === "session_id" && !withSession.includes(table);
}

function identified(all: LegacyRow): IdentifiedRow {
  const { "tailkeep row": id, ...row } = all;
  return { id: id as bigint, row };
}

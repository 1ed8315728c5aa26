/** The SQLite store that is moved: read beside its server, each question a short look at one moment. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Table } from "../record/tables.js";
import { nowUs, timestampText } from "../record/time.js";
import { MOVED_AWAY, MOVED_VERSION } from "../store/moved.js";
import { NEVER_EXPIRES_ON, rowsTable, STORED_COLUMNS, writtenColumns } from "../store/schema.js";

/** Whole numbers are bigints, so that none is rounded; every other number is a double. */
export type Cell = string | number | bigint | null | Uint8Array;

export interface SourceStream {
  readonly key: bigint;
  readonly committedSeq: bigint;
  /** Whether it ever stored a row, by table index. */
  readonly has: readonly boolean[];
}

/** Rows of one stream that expire on one day. */
export interface Group {
  readonly stream: string;
  readonly day: string;
  /**
   * Number, smallest and largest of their numbers, a sum that a changed number changes, and when the first and the last
   * was stored: a stream that was deleted and written again has the same numbers.
   */
  readonly print: string;
}

/** What a group's numbers come to, on both sides: the sum stays far below 2^63. */
export const GROUP_PRINT =
  "COUNT(*) AS n, MIN(seq) AS first, MAX(seq) AS last, SUM(seq % 1000003) AS sum, " +
  "MIN(created_at) AS oldest, MAX(created_at) AS newest";

export class Source {
  readonly file: string;
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(file: string) {
    if (!existsSync(file)) throw new Error(`${file}: no such file; name the store to move with --store sqlite:FILE`);
    this.file = file;
    this.#db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
  }

  /** Tells this installation from any other, and stays the same for its life. */
  identity(): string {
    const [row] = this.all("SELECT applied_at FROM schema_migrations WHERE version = 1");
    if (row === undefined) throw new Error(`${this.file} has no records yet: start the server on the new store`);
    return createHash("sha256").update(String(row["applied_at"])).digest("hex").slice(0, 32);
  }

  /** Newest version of its schema, without the mark of a migration. */
  schemaVersion(): number {
    const [row] = this.all("SELECT MAX(version) AS version FROM schema_migrations WHERE version < ?", MOVED_VERSION);
    return Number(row?.["version"]);
  }

  storingDay(): string {
    return String(this.all("SELECT day FROM storing_day WHERE id = 1")[0]?.["day"]);
  }

  /** The last day on which a row of it expires; undefined where none does. */
  lastExpiryDay(table: Table): string | undefined {
    const [row] = this.all(
      `SELECT MAX(expires_on) AS day FROM ${rowsTable(table)} WHERE expires_on < ?`,
      NEVER_EXPIRES_ON,
    );
    return typeof row?.["day"] === "string" ? row["day"] : undefined;
  }

  /** The next streams above a key, in key order. */
  streamsAbove(key: bigint, limit: number): SourceStream[] {
    const columns = ["stream", "committed_seq", ...STORED_COLUMNS].join(", ");
    const rows = this.all(`SELECT ${columns} FROM streams WHERE stream > ? ORDER BY stream LIMIT ?`, key, limit);
    return rows.map((row) => ({
      key: row["stream"] as bigint,
      committedSeq: row["committed_seq"] as bigint,
      has: STORED_COLUMNS.map((column) => (row[column] as bigint) > 0n),
    }));
  }

  /** Rows of a stream behind a number, in the order of `writtenColumns`. A loop over them may end early. */
  *rowsBehind(table: Table, key: bigint, seq: bigint): Generator<Cell[]> {
    const columns = writtenColumns(table);
    const sql = `SELECT ${columns.join(", ")} FROM ${rowsTable(table)} WHERE stream = ? AND seq > ? ORDER BY seq`;
    for (const row of this.#statement(sql).iterate(key, seq)) {
      yield columns.map((column) => (row as Record<string, Cell>)[column] as Cell);
    }
  }

  /**
   * Of streams that exist, as they are what is copied. A deletion that its server did not live to finish leaves rows
   * without a stream; its session moves as one that is being deleted, and the new server ends it.
   */
  groups(table: Table, from: bigint, to: bigint): Group[] {
    const sql = `SELECT stream, expires_on AS day, ${GROUP_PRINT} FROM ${rowsTable(table)} AS r
      WHERE stream BETWEEN ? AND ? AND EXISTS (SELECT 1 FROM streams s WHERE s.stream = r.stream)
      GROUP BY stream, expires_on`;
    return this.all(sql, from, to).map(groupOf);
  }

  /** Names of a table's columns; empty where there is no such table. */
  columnsOf(table: string): string[] {
    return this.all("SELECT name FROM pragma_table_info(?)", table).map((row) => String(row["name"]));
  }

  /** All rows of a table, a few at a time. */
  *rows(table: string, columns: readonly string[]): Generator<Cell[]> {
    const statement = this.#statement(`SELECT ${columns.join(", ")} FROM ${table}`);
    for (const row of statement.iterate()) yield columns.map((column) => (row as Record<string, Cell>)[column] as Cell);
  }

  /** No server takes it from now on. Its server must not run. */
  markMoved(): void {
    const db = new DatabaseSync(this.file);
    try {
      db.exec("PRAGMA synchronous=FULL");
      db.prepare("INSERT OR IGNORE INTO schema_migrations (version, name, applied_at) VALUES (?, ?, ?)").run(
        MOVED_VERSION,
        MOVED_AWAY,
        timestampText(nowUs()),
      );
    } finally {
      db.close();
    }
  }

  all(sql: string, ...args: Cell[]): Record<string, Cell>[] {
    return this.#statement(sql).all(...args) as Record<string, Cell>[];
  }

  close(): void {
    this.#db.close();
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      statement.setReadBigInts(true);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

export function groupOf(row: Record<string, unknown>): Group {
  const print = ["n", "first", "last", "sum", "oldest", "newest"].map((name) => String(row[name])).join("/");
  return { stream: String(row["stream"]), day: String(row["day"]), print };
}

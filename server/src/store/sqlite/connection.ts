/** The connection that writes: it has its file for itself, keeps its statements, and makes transactions of what is to be written. */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { SQLITE_BUSY_TIMEOUT_MS } from "../../limits.js";
import { type FileLock, lockFile, lockOfServer } from "./file-lock.js";

export type Row = Record<string, string | number | null>;
type Parameter = string | number | bigint | null | Uint8Array;

/**
 * - `auto_vacuum`, which only a new file takes: what expires can be given back.
 * - `synchronous=FULL`: a commit is on disk when it returns.
 * - A larger page cache keeps the hot ends of the indexes in memory.
 * - A checkpoint every 4,000 pages (16 MB) instead of every 1,000 writes a page that changed often only once.
 */
const PRAGMAS =
  "PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=OFF; " +
  "PRAGMA cache_size=-65536; PRAGMA wal_autocheckpoint=4000; PRAGMA journal_size_limit=67108864";

export class Connection {
  readonly db: DatabaseSync;
  /** Held for life: SQLite's own file locks are released by any kind of death. */
  readonly #lock: FileLock;
  readonly #statements = new Map<string, StatementSync>();
  readonly #rolledBack: (() => void)[] = [];

  /** Throws a StoreError where another server has the file. */
  constructor(file: string) {
    this.#lock = lockFile(
      lockOfServer(file),
      `another server has ${file} open; end it, or give this one its own file with TAILKEEP_STORE`,
    );
    let db: DatabaseSync | undefined;
    try {
      db = new DatabaseSync(file, { timeout: SQLITE_BUSY_TIMEOUT_MS });
      db.exec(PRAGMAS);
    } catch (error) {
      // Else the next try would take this one for another server.
      db?.close();
      this.#lock.release();
      throw error;
    }
    this.db = db;
  }

  /** Calls `listener` after every transaction that did not happen. */
  onRollback(listener: () => void): void {
    this.#rolledBack.push(listener);
  }

  transaction<Result>(work: () => Result): Result {
    this.db.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.db.exec("COMMIT");
      return result;
    } catch (error) {
      if (this.db.isTransaction) this.db.exec("ROLLBACK");
      for (const listener of this.#rolledBack) listener();
      throw error;
    }
  }

  get(sql: string, args: Parameter[] = []): Row | undefined {
    return this.#statement(sql).get(...args) as Row | undefined;
  }

  /** How many rows it changed. */
  run(sql: string, args: Parameter[] = []): number {
    return Number(this.#statement(sql).run(...args).changes);
  }

  close(): void {
    this.db.exec("PRAGMA optimize");
    this.db.close();
    this.#lock.release();
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

/** API keys on SQLite: in the writer's thread, or beside a server that is running, for a key that only the file's owner can make. */
import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { SQLITE_BUSY_TIMEOUT_MS } from "../../limits.js";
import type { KeyRotation, KeyRow } from "../api-keys.js";
import { StoreError } from "../errors.js";
import { otherSchema } from "../moved.js";
import { KEY_COLUMNS, keyValues } from "../reads/api-keys.js";
import { SCHEMA_VERSION } from "../schema.js";
import { sqliteError } from "./errors.js";

/** Runs one statement as a transaction of its own; returns the rows that it changed. */
type Run = (sql: string, args: (string | number | null)[]) => number;

const INSERT = `INSERT INTO api_keys (${KEY_COLUMNS.join(", ")}, changes) VALUES (${KEY_COLUMNS.map(() => "?").join(", ")}, 1)`;

export class SqliteKeys {
  readonly #run: Run;

  constructor(run: Run) {
    this.#run = run;
  }

  insert(row: KeyRow): void {
    this.#run(INSERT, keyValues(row));
  }

  rotate(namespace: string, keyId: string, { secretHash, previousUntilUs, nowUs }: KeyRotation): boolean {
    const changed = this.#run(
      `UPDATE api_keys SET previous_hash = CASE WHEN ? IS NULL THEN NULL ELSE secret_hash END, previous_until_us = ?,
         secret_hash = ?, changes = changes + 1
       WHERE key_id = ? AND namespace_id = ? AND revoked_at_us IS NULL
       AND (expires_at_us IS NULL OR expires_at_us > ?)`,
      [previousUntilUs, previousUntilUs, secretHash, keyId, namespace, nowUs],
    );
    return changed > 0;
  }

  revoke(namespace: string, keyId: string, nowUs: number): boolean {
    const changed = this.#run(
      `UPDATE api_keys SET revoked_at_us = COALESCE(revoked_at_us, ?), changes = changes + 1
       WHERE key_id = ? AND namespace_id = ?`,
      [nowUs, keyId, namespace],
    );
    return changed > 0;
  }
}

/**
 * Inserts a key into a file that a running server has open. Readers and other writers of the file are not disturbed:
 * that is one small transaction in the write-ahead log, and the server waits for such as SQLite does.
 * @throws StoreError
 */
export function insertKeyBeside(file: string, row: KeyRow): void {
  if (!existsSync(file)) throw new StoreError("misconfigured", `${file}: no such file`, "ENOENT");
  const db = new DatabaseSync(file, { timeout: SQLITE_BUSY_TIMEOUT_MS });
  try {
    const found = Number(Object.values(db.prepare("SELECT MAX(version) FROM schema_migrations").get() ?? {})[0]);
    if (found !== SCHEMA_VERSION) throw otherSchema(file, found);
    db.exec("PRAGMA synchronous=FULL");
    new SqliteKeys((sql, args) => Number(db.prepare(sql).run(...args).changes)).insert(row);
  } catch (error) {
    throw error instanceof StoreError ? error : sqliteError(error);
  } finally {
    db.close();
  }
}

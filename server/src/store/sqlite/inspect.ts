/** Looks at a SQLite file that may be another server's. */
import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { StoreError } from "../errors.js";
import type { Inspection } from "../inspection.js";
import { auditSqlite } from "./audit.js";
import { sqliteError } from "./errors.js";

/** @throws StoreError where it cannot be read */
export function inspectSqlite(file: string): Inspection {
  if (!existsSync(file)) return { kind: "absent", where: file };
  if (isHeld(file)) return { kind: "held", where: file };
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file, { readOnly: true });
    const one = (sql: string) => Object.values(db?.prepare(sql).get() ?? {})[0];
    const has = (table: string) => one(`SELECT COUNT(*) FROM sqlite_master WHERE name = '${table}'`) === 1;
    const day = has("storing_day") ? one("SELECT day FROM storing_day WHERE id = 1") : undefined;
    return {
      kind: "inspected",
      engine: auditSqlite(db).engine,
      // Whether commits are synced is a setting of the server's own connection, not of the file.
      findings: auditSqlite(db).findings.filter(({ setting }) => setting !== "synchronous"),
      schemaVersion: has("schema_migrations")
        ? Number(one("SELECT COALESCE(MAX(version), 0) FROM schema_migrations"))
        : 0,
      clockAheadMs: undefined,
      storingDay: day === undefined ? undefined : String(day),
    };
  } catch (error) {
    throw sqliteError(error);
  } finally {
    db?.close();
  }
}

/** A server holds the lock beside its file for as long as it lives. */
function isHeld(file: string): boolean {
  const lockFile = `${file}-lock`;
  if (!existsSync(lockFile)) return false;
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(lockFile, { readOnly: true });
    lock.prepare("SELECT COUNT(*) FROM sqlite_master").get();
    return false;
  } catch (error) {
    const problem = sqliteError(error);
    if (problem.code === "SQLITE_BUSY" || problem.code === "SQLITE_LOCKED") return true;
    throw new StoreError(problem.kind, `${lockFile}: ${problem.message}`, problem.code, { cause: error });
  } finally {
    lock?.close();
  }
}

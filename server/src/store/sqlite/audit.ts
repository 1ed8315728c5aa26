/** Looks at what makes a commit durable in SQLite. */
import type { DatabaseSync } from "node:sqlite";
import type { Audit, AuditFinding } from "../store.js";

function pragma(db: DatabaseSync, name: string): string {
  const row = db.prepare(`PRAGMA ${name}`).get() as Record<string, unknown> | undefined;
  return String(Object.values(row ?? {})[0]);
}

export function auditSqlite(db: DatabaseSync): Audit {
  const version = String((db.prepare("SELECT sqlite_version() AS version").get() as { version: string }).version);
  const journal = pragma(db, "journal_mode");
  const synchronous = pragma(db, "synchronous");
  const findings: AuditFinding[] = [
    {
      level: journal === "wal" ? "ok" : "warning",
      setting: "journal_mode",
      found: journal,
      advice:
        journal === "wal" ? "" : "the file system does not support WAL; reading will block writing: use a local disk",
    },
    {
      level: Number(synchronous) >= 2 ? "ok" : "error",
      setting: "synchronous",
      found: synchronous,
      advice: Number(synchronous) >= 2 ? "" : "commits do not survive a power loss; synchronous=FULL was not accepted",
    },
  ];
  return { engine: `SQLite ${version}`, durable: findings.every((each) => each.level !== "error"), findings };
}

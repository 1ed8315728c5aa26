/** Brings the schema up to date, in one transaction. */
import { dayOfMs, nowUs, timestampText } from "../../record/time.js";
import { refuseOtherSchema } from "../moved.js";
import { bootstrapStatements, MIGRATIONS } from "../schema.js";
import type { Connection } from "./connection.js";

export function migrate(connection: Connection): void {
  for (const statement of bootstrapStatements("sqlite")) connection.db.exec(statement);
  connection.transaction(() => {
    const newest = connection.get("SELECT COALESCE(MAX(version), 0) AS version FROM schema_migrations");
    const applied = Number(newest?.["version"]);
    refuseOtherSchema(applied, {
      hint: "tailkeep migrate has moved this installation to another database; name that one with TAILKEEP_STORE",
    });
    for (const migration of MIGRATIONS) {
      const { version, name } = migration;
      if (version <= applied) continue;
      for (const statement of migration.statements("sqlite", dayOfMs(Date.now()))) execOnce(connection, statement);
      connection.run("INSERT INTO schema_migrations (version, name, applied_at) VALUES (?, ?, ?)", [
        version,
        name,
        timestampText(nowUs()),
      ]);
    }
  });
}

/** A statement of a migration, which may have run before: what it makes is there then. */
function execOnce({ db }: Connection, statement: string): void {
  try {
    db.exec(statement);
  } catch (error) {
    if (!/duplicate column name|already exists/.test(String(error))) throw error;
  }
}

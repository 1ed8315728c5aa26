/** Brings the schema up to date; several servers may do so at once: one holds the lease, the others wait for it. */
import type { Clock } from "../../base/clock.js";
import { MIGRATION_LEASE_MS } from "../../limits.js";
import { dayOfMs } from "../../record/time.js";
import { StoreError } from "../errors.js";
import { bootstrapStatements, MIGRATIONS, SCHEMA_VERSION } from "../schema.js";
import type { Lanes } from "./lane.js";
import { releaseLease, takeLease } from "./lease.js";
import { textLiteral } from "./literal.js";

const LEASE_NAME = "migrations";
const LEASE_WAIT_MS = 200;

async function appliedVersion(lanes: Lanes): Promise<number> {
  return lanes.transaction(async (session) => {
    const [row] = await session.query("SELECT COALESCE(MAX(version), 0) AS version FROM schema_migrations");
    return Number(row?.["version"]);
  });
}

export async function migrate(lanes: Lanes, holder: string, clock: Clock): Promise<void> {
  await lanes.direct(async (session) => {
    for (const statement of bootstrapStatements("mysql")) await session.query(statement);
  });
  while ((await appliedVersion(lanes)) < SCHEMA_VERSION) {
    if (await takeLease(lanes, LEASE_NAME, holder, MIGRATION_LEASE_MS)) {
      await applyMissing(lanes, holder);
      await releaseLease(lanes, LEASE_NAME, holder);
    } else await clock.sleep(LEASE_WAIT_MS);
  }
  const applied = await appliedVersion(lanes);
  if (applied > SCHEMA_VERSION) {
    throw new StoreError(
      "misconfigured",
      `the database has schema ${applied}, this server knows ${SCHEMA_VERSION}; run a newer Tailkeep`,
      "NEWER_SCHEMA",
    );
  }
}

/** Each statement may run twice: DDL is not undone by a crash in the middle of a migration. */
async function applyMissing(lanes: Lanes, holder: string): Promise<void> {
  for (const migration of MIGRATIONS) {
    if (migration.version <= (await appliedVersion(lanes))) continue;
    for (const statement of migration.statements("mysql", dayOfMs(Date.now()))) {
      await lanes.direct((session) => session.query(statement));
      await takeLease(lanes, LEASE_NAME, holder, MIGRATION_LEASE_MS);
    }
    await lanes.transaction(async (session) => {
      await session.query(
        `INSERT INTO schema_migrations (version, name, applied_at)
         VALUES (${migration.version}, ${textLiteral(migration.name)}, NOW(6))`,
      );
    });
  }
}

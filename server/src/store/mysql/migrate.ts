/** Brings the schema up to date; several servers may do so at once: one holds the lease, the others wait for it. */
import type { Clock } from "../../base/clock.js";
import { MIGRATION_LEASE_MS, MIGRATION_STATEMENT_MS_MAX } from "../../limits.js";
import { dayOfMs } from "../../record/time.js";
import { StoreError } from "../errors.js";
import { refuseOtherSchema } from "../moved.js";
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
      await applyMissing(lanes, holder, clock);
      await releaseLease(lanes, LEASE_NAME, holder);
    } else await clock.sleep(LEASE_WAIT_MS);
  }
  refuseOtherSchema(await appliedVersion(lanes), {
    hint: "tailkeep migrate has not finished filling this database; run it again, or name the old store meanwhile",
  });
}

/** An index or a column that is there already, from a migration that was cut off. MySQL has no IF NOT EXISTS for it. */
const DONE_BEFORE: readonly string[] = ["ER_DUP_KEYNAME", "ER_DUP_FIELDNAME"];

/** Each statement may run twice: DDL is not undone by a crash in the middle of a migration. */
async function applyMissing(lanes: Lanes, holder: string, clock: Clock): Promise<void> {
  for (const migration of MIGRATIONS) {
    if (migration.version <= (await appliedVersion(lanes))) continue;
    for (const statement of migration.statements("mysql", dayOfMs(Date.now()))) {
      await whileRenewing(lanes, holder, clock, () =>
        lanes
          .direct((session) => session.query(statement, MIGRATION_STATEMENT_MS_MAX))
          .catch((error: unknown) => {
            if (!(error instanceof StoreError && DONE_BEFORE.includes(error.code))) throw error;
          }),
      );
    }
    await lanes.transaction(async (session) => {
      await session.query(
        `INSERT INTO schema_migrations (version, name, applied_at)
         VALUES (${migration.version}, ${textLiteral(migration.name)}, NOW(6))`,
      );
    });
  }
}

/** Keeps the lease, however long the work takes: an index of a large table is made in minutes. */
async function whileRenewing(lanes: Lanes, holder: string, clock: Clock, work: () => Promise<unknown>): Promise<void> {
  const done = new AbortController();
  const renew = async () => {
    while (!done.signal.aborted) {
      // Where it cannot be renewed another server may run the same statement, which does no harm.
      await takeLease(lanes, LEASE_NAME, holder, MIGRATION_LEASE_MS).catch(() => false);
      await clock.sleep(MIGRATION_LEASE_MS / 3, done.signal);
    }
  };
  const renewing = renew();
  try {
    await work();
  } finally {
    done.abort();
    await renewing;
  }
}

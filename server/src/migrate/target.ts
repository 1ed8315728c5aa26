/** The database that an installation is moved to, and what it knows of the move. */
import { randomUUID } from "node:crypto";
import { systemClock } from "../base/clock.js";
import { parseMysqlUrl } from "../base/mysql-url.js";
import { MIGRATION_STATEMENT_MS_MAX } from "../limits.js";
import { TABLES } from "../record/tables.js";
import { dayNumber } from "../record/time.js";
import { EXPIRING_TABLES } from "../store/expiry.js";
import { BEING_FILLED, MOVED_VERSION } from "../store/moved.js";
import type { Session } from "../store/mysql/connection.js";
import { Lanes } from "../store/mysql/lane.js";
import { blobLiteral, textLiteral } from "../store/mysql/literal.js";
import { addPartitions } from "../store/mysql/maintain.js";
import { migrate } from "../store/mysql/migrate.js";
import { SCHEMA_VERSION } from "../store/schema.js";
import type { Cell, Source } from "./source.js";

/** Tables that must be empty in a database that is to be filled. */
const CONTENT_TABLES = ["sessions", "streams", "states", "config_changes", "api_keys", ...EXPIRING_TABLES];

export type TargetState = "ready" | "finished";

export class Target {
  readonly lanes: Lanes;

  constructor(url: string) {
    this.lanes = new Lanes(parseMysqlUrl(url), 1);
  }

  /**
   * Makes the schema and marks the database as being filled from this source, or finds that mark.
   * @throws Error where it has data of its own, or of another migration
   */
  async prepare(source: Source, identity: string): Promise<TargetState> {
    const found = await this.#moveUnderWay();
    if (found !== undefined && found.source !== identity) {
      throw new Error("the database was filled from another store; name an empty one");
    }
    if (found?.finished === true) return "finished";
    if (found === undefined) {
      await migrate(this.lanes, randomUUID(), systemClock);
      for (const table of CONTENT_TABLES) {
        const rows = await this.query(`SELECT 1 FROM ${table} LIMIT 1`);
        if (rows.length > 0) throw new Error(`the database has data already (in ${table}); name an empty one`);
      }
      await this.lanes.transaction(async (session) => {
        await session.query(
          `INSERT INTO schema_migrations (version, name, applied_at) VALUES (${MOVED_VERSION}, '${BEING_FILLED}', NOW(6))`,
        );
        await session.query(`INSERT INTO migrated_from (source, is_finished) VALUES (${textLiteral(identity)}, 0)`);
      });
    }
    const version = await this.#newestVersion();
    if (version !== SCHEMA_VERSION || source.schemaVersion() !== SCHEMA_VERSION) {
      throw new Error(
        `both stores need schema ${SCHEMA_VERSION}; the file has ${source.schemaVersion()}, the database ${version}: ` +
          "start this version's server once on the file; where the database is older, drop and make it again",
      );
    }
    await this.addPartitions(source);
    return "ready";
  }

  /** For every day on which a row of the source expires. */
  async addPartitions(source: Source): Promise<void> {
    const today = dayNumber(source.storingDay());
    for (const table of TABLES) {
      const last = source.lastExpiryDay(table);
      if (last !== undefined) await addPartitions(this.lanes, table, today, Math.max(0, dayNumber(last) - today));
    }
  }

  /** From now on a server may serve it. */
  async finish(identity: string): Promise<void> {
    await this.lanes.transaction(async (session) => {
      await session.query(`UPDATE migrated_from SET is_finished = 1 WHERE source = ${textLiteral(identity)}`);
      await session.query(`DELETE FROM schema_migrations WHERE version = ${MOVED_VERSION}`);
    });
  }

  query(sql: string): Promise<Record<string, unknown>[]> {
    return this.lanes.transaction((session) => session.query(sql, MIGRATION_STATEMENT_MS_MAX));
  }

  close(): void {
    this.lanes.close();
  }

  async #moveUnderWay(): Promise<{ source: string; finished: boolean } | undefined> {
    await this.lanes.direct((session: Session) =>
      session.query(
        `CREATE TABLE IF NOT EXISTS migrated_from (source VARCHAR(64) NOT NULL PRIMARY KEY, is_finished INT NOT NULL)
         ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin`,
      ),
    );
    const [row] = await this.query("SELECT source, is_finished FROM migrated_from");
    return row === undefined
      ? undefined
      : { source: String(row["source"]), finished: Number(row["is_finished"]) === 1 };
  }

  async #newestVersion(): Promise<number> {
    const [row] = await this.query(`SELECT MAX(version) AS n FROM schema_migrations WHERE version < ${MOVED_VERSION}`);
    return Number(row?.["n"]);
  }
}

export function cellLiteral(cell: Cell): string {
  if (cell === null) return "NULL";
  if (typeof cell === "string") return textLiteral(cell);
  return cell instanceof Uint8Array ? blobLiteral(cell) : String(cell);
}

/** What it adds to a statement, roughly. */
export function charsOf(cell: Cell): number {
  if (typeof cell === "string") return cell.length + 2;
  return cell instanceof Uint8Array ? 2 * cell.length : 8;
}

/** Whether the database gives a value back as it was written: whole numbers come as numbers or texts. */
export function isSame(written: Cell, read: unknown): boolean {
  if (written === null || read === null || read === undefined) return written === null && read === null;
  if (written instanceof Uint8Array) return read instanceof Uint8Array && Buffer.compare(written, read) === 0;
  if (typeof written === "number") return Number(read) === written;
  return String(read) === String(written);
}

/** Looks at a MySQL or MariaDB database by reading alone. */

import type { MysqlTarget } from "../../base/mysql-url.js";
import type { Inspection } from "../inspection.js";
import { auditMysql } from "./audit.js";
import type { Session } from "./connection.js";
import { Lanes } from "./lane.js";

/** @throws StoreError where it cannot be reached or read */
export async function inspectMysql(target: MysqlTarget): Promise<Inspection> {
  const lanes = new Lanes(target, 1);
  try {
    const { engine, findings } = await auditMysql(lanes);
    return await lanes.transaction(async (session) => {
      const asked = Date.now();
      const [clock] = await session.query("SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED) AS ms");
      // The answer is from somewhere between the question and its arrival.
      const hostMs = (asked + Date.now()) / 2;
      return {
        kind: "inspected",
        engine,
        findings,
        schemaVersion: Number((await value(session, "schema_migrations", "MAX(version)")) ?? 0),
        clockAheadMs: Number(clock?.["ms"]) - hostMs,
        storingDay: await value(session, "storing_day", "MAX(day)"),
      };
    });
  } finally {
    lanes.close();
  }
}

/** An aggregate over a table that may not exist yet. */
async function value(session: Session, table: string, aggregate: string): Promise<string | undefined> {
  const found = await session.query(
    `SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = '${table}'`,
  );
  if (found.length === 0) return undefined;
  const [row] = await session.query(`SELECT ${aggregate} AS value FROM ${table}`);
  const text = row?.["value"];
  return text === null || text === undefined ? undefined : String(text);
}

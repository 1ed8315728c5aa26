/** Expiry on MySQL: partitions whose day has passed are dropped, which costs the same however many rows they have. */
import type { Clock } from "../../base/clock.js";
import { DELETE_SLICE_ROWS, EXPIRY_REST_IDLE, EXPIRY_RUNS_KEPT } from "../../limits.js";
import { TABLES } from "../../record/tables.js";
import { dayNumber, dayText } from "../../record/time.js";
import { type ExpiredTable, type ExpiryReport, inSlices } from "../expiry.js";
import { BEING_UNPINNED, type PinWork, UNPINNED } from "../pins.js";
import { rowsTable } from "../schema.js";
import type { Lanes } from "./lane.js";
import { textLiteral } from "./literal.js";
import { ownedBy } from "./sessions.js";

interface DuePartition {
  table: string;
  name: string;
  /** The database's estimate. */
  rows: number;
}

/** Partitions of days before `storingDay`, oldest first. */
export async function duePartitions(lanes: Lanes, storingDay: number): Promise<DuePartition[]> {
  const tables = TABLES.map((table) => `'${rowsTable(table)}'`).join(", ");
  const rows = await lanes.transaction((session) =>
    session.query(
      `SELECT TABLE_NAME AS name, PARTITION_NAME AS part, TABLE_ROWS AS n FROM information_schema.PARTITIONS
       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN (${tables}) ORDER BY TABLE_NAME, PARTITION_ORDINAL_POSITION`,
    ),
  );
  return rows.flatMap((row) => {
    const [, year, month, day] = /^p(\d{4})(\d{2})(\d{2})$/.exec(String(row["part"])) ?? [];
    if (year === undefined || dayNumber(`${year}-${month}-${day}`) >= storingDay) return [];
    return [{ table: String(row["name"]), name: String(row["part"]), rows: Number(row["n"]) }];
  });
}

/** One statement, and with it one metadata lock, a table. Waits a second for somebody's long query, then throws. */
export async function dropPartitions(lanes: Lanes, table: string, due: readonly DuePartition[]): Promise<void> {
  const names = due.map(({ name }) => name).join(", ");
  await lanes.direct((session) => session.query(`ALTER TABLE ${table} DROP PARTITION ${names}`));
}

/** Rows by table, in the order of the tables. */
export function rowsByTable(due: readonly DuePartition[]): ExpiredTable[] {
  const sums = new Map<string, number>();
  for (const { table, rows } of due) sums.set(table, (sums.get(table) ?? 0) + rows);
  return [...sums].filter(([, rows]) => rows > 0).map(([table, rows]) => ({ table, rows }));
}

/** Rows of a table without partitions that expire before the day. */
export async function countExpired(lanes: Lanes, table: string, storingDay: number): Promise<number> {
  const [row] = await lanes.transaction((session) =>
    session.query(`SELECT COUNT(*) AS n FROM ${table} WHERE expires_on < '${dayText(storingDay)}'`),
  );
  return Number(row?.["n"]);
}

/** Deletes them; returns how many. */
export async function deleteExpired(
  lanes: Lanes,
  clock: Clock,
  table: string,
  storingDay: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const some =
    `DELETE FROM ${table} WHERE expires_on < '${dayText(storingDay)}' ` +
    `ORDER BY expires_on LIMIT ${DELETE_SLICE_ROWS}`;
  return await changeInSlices(lanes, clock, some, signal);
}

/** Repeats a statement until it changes nothing, with rests; returns how many rows it changed. */
async function changeInSlices(
  lanes: Lanes,
  clock: Clock,
  some: string,
  signal: AbortSignal | undefined,
): Promise<number> {
  let changed = 0;
  const slice = async () => {
    const startedMs = clock.monotonicMs();
    const result = await lanes.transaction((session) => session.query(some));
    const { affectedRows } = result as unknown as { affectedRows: number };
    changed += affectedRows;
    return { isLast: affectedRows === 0, workedMs: clock.monotonicMs() - startedMs };
  };
  await inSlices(clock, () => EXPIRY_REST_IDLE, slice, signal);
  return changed;
}

/** How the rows of pinned sessions get another day. */
export function pinWork(lanes: Lanes, clock: Clock, signal: AbortSignal | undefined): PinWork {
  return {
    move: async (move) => {
      const some =
        `UPDATE ${move.table} SET expires_on = '${move.to}' WHERE ${ownedBy(move)} AND ${move.where} ` +
        `LIMIT ${DELETE_SLICE_ROWS}`;
      await changeInSlices(lanes, clock, some, signal);
    },
    unpinned: async (pin) => {
      const set = `UPDATE sessions SET pinned = ${UNPINNED} WHERE ${ownedBy(pin)} AND pinned = ${BEING_UNPINNED}`;
      await lanes.transaction((session) => session.query(set));
    },
  };
}

/** Keeps what was done, and forgets the oldest of it. */
export async function recordExpiry(lanes: Lanes, nowUs: number, report: ExpiryReport): Promise<void> {
  await lanes.transaction(async (session) => {
    await session.query(
      `INSERT INTO expiry_runs (ended_at_us, storing_day, report)
       VALUES (${nowUs}, '${report.storingDay}', ${textLiteral(JSON.stringify(report))})
       ON DUPLICATE KEY UPDATE report = VALUES(report)`,
    );
    const [oldest] = await session.query(
      `SELECT ended_at_us AS us FROM expiry_runs ORDER BY ended_at_us DESC LIMIT 1 OFFSET ${EXPIRY_RUNS_KEPT}`,
    );
    if (oldest !== undefined)
      await session.query(`DELETE FROM expiry_runs WHERE ended_at_us <= ${String(oldest["us"])}`);
  });
}

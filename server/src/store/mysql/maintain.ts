/**
 * The storing day and the partitions that wait for it. One server does it: the holder of the lease.
 *
 * A row expires on the storing day plus its retention, and lies in the partition of that day. Partitions are made a week
 * ahead by splitting `ahead`, which is empty and therefore cheap to split.
 */
import { LEASE_MS } from "../../limits.js";
import type { Table } from "../../record/tables.js";
import { dayNumber, dayOfMs, dayText } from "../../record/time.js";
import { agreeOn, type Days, nextStoringDay } from "../expiry.js";
import { LAST_PARTITIONS, partitionClause, partitionDays, partitionName, rowsTable } from "../schema.js";
import type { Session } from "./connection.js";
import type { Lanes } from "./lane.js";
import { takeLease } from "./lease.js";

const LEASE_NAME = "maintenance";

async function daysNow(session: Session): Promise<Days> {
  const [row] = await session.query(
    "SELECT day, FLOOR(UNIX_TIMESTAMP() / 86400) AS today FROM storing_day WHERE id = 1 FOR UPDATE",
  );
  return {
    host: dayOfMs(Date.now()),
    database: Number(row?.["today"]),
    storing: dayNumber(String(row?.["day"])),
  };
}

async function setStoringDay(session: Session, day: number): Promise<void> {
  await session.query(`UPDATE storing_day SET day = '${dayText(day)}' WHERE id = 1`);
}

/** What the clocks and the storing day say; the first server ever sets that. */
export async function readDays(lanes: Lanes): Promise<Days> {
  return lanes.transaction(async (session) => {
    await session.query(
      `INSERT INTO storing_day (id, day) VALUES (1, '${dayText(dayOfMs(Date.now()))}') ON DUPLICATE KEY UPDATE day = day`,
    );
    return await daysNow(session);
  });
}

/** Moves the storing day where it is its time; returns what is then. */
export async function advanceStoringDay(lanes: Lanes): Promise<Days> {
  await readDays(lanes);
  return lanes.transaction(async (session) => {
    const days = await daysNow(session);
    const storing = nextStoringDay(days);
    if (storing !== days.storing) await setStoringDay(session, storing);
    return { ...days, storing };
  });
}

/** Sets the storing day to the one that an operator says it is, unless a clock says otherwise; returns what is then. */
export async function confirmStoringDay(lanes: Lanes, day: number): Promise<Days> {
  await readDays(lanes);
  return lanes.transaction(async (session) => {
    const days = await daysNow(session);
    if (!agreeOn(day, days)) return days;
    await setStoringDay(session, day);
    return { ...days, storing: day };
  });
}

/** False where another server looks after the database. */
export function takeMaintenance(lanes: Lanes, holder: string): Promise<boolean> {
  return takeLease(lanes, LEASE_NAME, holder, LEASE_MS);
}

/** The partitions that a table lacks for the days to come. */
export async function addPartitions(
  lanes: Lanes,
  table: Table,
  storingDay: number,
  retentionDaysMax: number,
): Promise<void> {
  const { first, last } = partitionDays(storingDay, retentionDaysMax);
  await lanes.direct(async (session) => {
    const rows = await session.query(
      `SELECT PARTITION_NAME AS name FROM information_schema.PARTITIONS
       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '${rowsTable(table)}' ORDER BY PARTITION_ORDINAL_POSITION`,
    );
    const names = rows.map((row) => String(row["name"]));
    const days = names.filter((name) => name.startsWith("p"));
    const newest =
      days.length === 0 ? first - 1 : dayNumber((days.at(-1) as string).replace(/^p(....)(..)(..)$/, "$1-$2-$3"));
    const missing: string[] = [];
    for (let day = Math.max(first, newest + 1); day <= last; day++) {
      if (!names.includes(partitionName(day))) missing.push(partitionClause(day));
    }
    if (missing.length === 0) return;
    await session.query(
      `ALTER TABLE ${rowsTable(table)} REORGANIZE PARTITION ahead INTO (${[...missing, LAST_PARTITIONS[0]].join(", ")})`,
    );
  });
}

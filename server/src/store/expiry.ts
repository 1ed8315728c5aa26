/**
 * Expiry: rows leave when the storing day has passed the day that was written on them when they were stored.
 *
 * MySQL drops the partitions of such days; SQLite deletes in slices, between which others write. Watermarks and counts
 * are in `streams` and stay: what has expired is never taken for missing, and its numbers are never given again.
 */
import type { Clock } from "../base/clock.js";
import { CLOCKS_APART_DAYS_MAX, STORING_DAY_CATCH_UP_DAYS_MAX } from "../limits.js";
import { TABLES } from "../record/tables.js";
import { dayText } from "../record/time.js";
import { ROLLUP_TABLES } from "./rollups.js";
import { rowsTable } from "./schema.js";

/** Every table whose rows expire. */
export const EXPIRING_TABLES: readonly string[] = [...TABLES.map(rowsTable), "gaps", "dead_letters", ...ROLLUP_TABLES];

export interface ExpireOptions {
  /** Only say what would go. */
  dryRun: boolean;
  /** Begins nothing new once aborted. */
  signal?: AbortSignal | undefined;
}

export interface ExpiredTable {
  table: string;
  /** On MySQL the database's own estimate for a partition. */
  rows: number;
}

export interface ExpiryReport {
  /** Rows that expire before this day go. */
  storingDay: string;
  /** Why nothing goes now; undefined where it may. */
  heldBecause: string | undefined;
  /** What went, or would; tables without any are left out. */
  tables: ExpiredTable[];
}

/** Days since 1970 by each of the clocks that have a say. */
export interface Days {
  host: number;
  database: number;
  storing: number;
}

/** The day that both clocks have reached: where one of them has gone ahead, the other counts. */
const reached = ({ host, database }: Days): number => Math.min(host, database);

/**
 * The storing day after a look at the clocks. It only goes forward, one day a run, and only where it is a few days behind: a
 * clock gone mad must not expire everything.
 */
export function nextStoringDay(days: Days): number {
  const behind = reached(days) - days.storing;
  return behind > 0 && behind <= STORING_DAY_CATCH_UP_DAYS_MAX ? days.storing + 1 : days.storing;
}

/**
 * The day that rows stored now count their days from. While the storing day is behind, as after weeks without a server, that
 * is today: counted from the storing day they would have had their days as soon as it has caught up.
 */
export function stampDay(days: Days): number {
  return Math.max(days.storing, reached(days));
}

/** Whether both clocks say that it is this day, or one beside it. */
export function agreeOn(day: number, { host, database }: Pick<Days, "host" | "database">): boolean {
  return [host, database].every((each) => Math.abs(each - day) <= CLOCKS_APART_DAYS_MAX);
}

/** A clock that is days off must not delete anything: undefined where all agree. */
export function heldBecause(days: Days): string | undefined {
  const { host, database, storing } = days;
  const all = [host, database, storing];
  if (Math.max(...all) - Math.min(...all) <= CLOCKS_APART_DAYS_MAX) return undefined;
  const follows = nextStoringDay(days) !== storing;
  return (
    `this host's clock says ${dayText(host)}, the database's ${dayText(database)}, and the storing day is ` +
    `${dayText(storing)}: nothing expires while they are more than ${CLOCKS_APART_DAYS_MAX} day apart; set the clocks ` +
    (follows
      ? "right (the storing day follows by one day a minute)"
      : "right, and say which day it is: tailkeep retention --confirm-day YYYY-MM-DD")
  );
}

/** A slice of work that has been done. */
export interface Slice {
  /** Whether nothing is left. */
  readonly isLast: boolean;
  /** How long it worked; that it waited for others is no work. */
  readonly workedMs: number;
}

/**
 * Works in slices until the last, and rests after each for `rest` times as long as it worked: so it has at most one part in
 * `rest + 1` of what it works with.
 */
export async function inSlices(
  clock: Clock,
  rest: () => number,
  slice: () => Promise<Slice>,
  signal?: AbortSignal,
): Promise<void> {
  while (!signal?.aborted) {
    const { isLast, workedMs } = await slice();
    if (isLast) return;
    await clock.sleep(workedMs * rest(), signal);
  }
}

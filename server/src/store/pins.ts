/**
 * Pinned sessions: their rows never expire. Ingest knows nothing of it: rows are stored with a day as any others, and
 * each run of expiry first moves those of pinned sessions that it would come to soon to a day that never comes.
 */
import { PIN_AHEAD_DAYS } from "../limits.js";
import { dayText } from "../record/time.js";
import { type Days, EXPIRING_TABLES, stampDay } from "./expiry.js";
import { NEVER_EXPIRES_ON } from "./schema.js";

/** In `sessions.pinned`. */
export const UNPINNED = 0;
export const PINNED = 1;
/** Was pinned, and its rows have still to be given a day that comes. */
export const BEING_UNPINNED = 2;

/** The state after a change; undefined changes nothing. */
export function pinState(before: number, pinned: boolean | undefined): number {
  if (pinned === undefined) return before;
  if (pinned) return PINNED;
  return before === UNPINNED ? UNPINNED : BEING_UNPINNED;
}

export interface Pin {
  namespace: string;
  sessionId: string;
  state: number;
}

/** Rows of a session whose day is changed. */
export interface Move {
  namespace: string;
  sessionId: string;
  table: string;
  /** A condition on `expires_on`. */
  where: string;
  to: string;
}

export interface PinWork {
  /** Gives all these rows the other day, slice by slice, with rests. */
  move(move: Move): Promise<void>;
  /** Marks the session unpinned, unless it was pinned again. */
  unpinned(pin: Pin): Promise<void>;
}

/** Does for every pin what has to be done before rows expire. */
export async function settlePins(
  pins: readonly Pin[],
  days: Days,
  daysOfTables: (namespace: string) => readonly number[],
  work: PinWork,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const pin of pins) {
    const { namespace, sessionId, state } = pin;
    for (const [index, table] of EXPIRING_TABLES.entries()) {
      const kept = daysOfTables(namespace)[index] as number;
      const change =
        state === PINNED
          ? { where: `expires_on < '${dayText(days.storing + PIN_AHEAD_DAYS)}'`, to: NEVER_EXPIRES_ON }
          : { where: `expires_on = '${NEVER_EXPIRES_ON}'`, to: dayText(stampDay(days) + kept) };
      await work.move({ namespace, sessionId, table, ...change });
      // What was broken off is not done: a session marked unpinned now would keep rows that never expire.
      if (signal?.aborted) return;
    }
    if (state === BEING_UNPINNED) await work.unpinned(pin);
  }
}

/**
 * Where every record went that a recorder was handed:
 *
 *   appended = durable + pending + rejected + the sum of dropped
 *
 * It holds at every moment. What a killed process had neither sent nor synced is in nobody's ledger: it is unknowable.
 */

/** Why records are lost for good. All but `closed` are declared as gaps in the history, where readers see them. */
export type DropCause =
  /** The policy of its type gave it up: memory, quota or disk were full. */
  | "overflow"
  /** Another writer owns the stream, or its session was deleted under it. */
  | "fenced"
  /** The server could not decode it. */
  | "invalid"
  /** What was spilled came back damaged. */
  | "spill_corrupt"
  /** The server's database was restored to a time before it. */
  | "store_regressed"
  /** The process ended before it was durable, and it could not be spilled. */
  | "closed";

export const DROP_CAUSES: readonly DropCause[] = Object.freeze([
  "overflow",
  "fenced",
  "invalid",
  "spill_corrupt",
  "store_regressed",
  "closed",
] as const);

/** Where records went: appended = durable + pending + rejected + the sum of dropped. */
export interface Ledger {
  /** Records handed over. */
  readonly appended: number;
  /** In their tables. */
  readonly durable: number;
  /** In memory or spilled, not known to be durable. */
  readonly pending: number;
  /** Refused with a reason: by the encoder (never sent), or by the server (in the dead letters). */
  readonly rejected: number;
  /** Lost, by cause. */
  readonly dropped: Readonly<Record<DropCause, number>>;
}

export function emptyDrops(): Record<DropCause, number> {
  return { overflow: 0, fenced: 0, invalid: 0, spill_corrupt: 0, store_regressed: 0, closed: 0 };
}

export function droppedTotal(dropped: Readonly<Record<DropCause, number>>): number {
  let total = 0;
  for (const cause of DROP_CAUSES) total += dropped[cause];
  return total;
}

/** The sum of several; frozen, a moment's view. */
export function sumLedgers(ledgers: Iterable<Ledger>): Ledger {
  const sum = { appended: 0, durable: 0, pending: 0, rejected: 0 };
  const dropped = emptyDrops();
  for (const ledger of ledgers) {
    sum.appended += ledger.appended;
    sum.durable += ledger.durable;
    sum.pending += ledger.pending;
    sum.rejected += ledger.rejected;
    for (const cause of DROP_CAUSES) dropped[cause] += ledger.dropped[cause];
  }
  return Object.freeze({ ...sum, dropped: Object.freeze(dropped) });
}

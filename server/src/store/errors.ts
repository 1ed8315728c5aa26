/** What can go wrong in a store, as decisions. Which driver error is which stands in mysql/errors.ts and sqlite/errors.ts. */

export type StoreErrorKind =
  /** Cannot be reached, or went away: reconnect and try again. */
  | "unavailable"
  /** The connection or the answer was lost while a transaction was on its way: it may have been committed. */
  | "unknownOutcome"
  /** Gave way to another transaction; nothing was done. */
  | "contention"
  /** Disk full, read-only, a missing partition, ...: an operator can mend it, so it is tried again. */
  | "refused"
  /** A row above the watermark exists already. */
  | "duplicate"
  /** An assertion failed: a bug, and the stream it happened in must stop. */
  | "broken"
  /** Bad data in a row; found alone it becomes a dead letter. */
  | "poison"
  /** Wrong credentials, unknown database, a newer schema: no retry helps while the process lives. */
  | "misconfigured";

export class StoreError extends Error {
  override readonly name = "StoreError";
  constructor(
    readonly kind: StoreErrorKind,
    message: string,
    /** The database's own code: `ER_DUP_ENTRY`, `SQLITE_FULL`. */
    readonly code: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** Whether the same transaction may succeed later. */
  get retryable(): boolean {
    return !["poison", "duplicate", "broken", "misconfigured"].includes(this.kind);
  }
}

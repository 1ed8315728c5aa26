/** What a state store answers. */

import type { StatePlace } from "./places.js";

/** What became of a write. */
export interface StateWriteResult {
  /**
   * Where it is: `database`, durable there; `folder`, durable in a file, for the database once the server is back;
   * `memory`, where the folder cannot be written either (a problem is reported): it is lost if the process ends first.
   */
  readonly storedIn: StatePlace;
  /** The document's version in the database, 0 if it is deleted; undefined while it is not there yet. */
  readonly version: number | undefined;
}

/** What became of an update. */
export interface StateUpdateResult<Value> extends StateWriteResult {
  /** What the function returned, or what there was if it returned undefined. */
  readonly value: Value | undefined;
}

/** What became of an increment. */
export interface StateCountResult extends StateWriteResult {
  /** The field's value after this increment; while the server is away, as far as this process knows it. */
  readonly value: number;
}

/** A document as this process sees it. */
export interface StateReading<Value> {
  readonly value: Value;
  /** Whether it comes from the database, or, while the server is away, from the folder. */
  readonly from: "database" | "folder";
  /** The database's version that it is or is based on; 0: there is none that is known. */
  readonly version: number;
  /** When that was written: microseconds since 1970; 0 without a version. */
  readonly updatedAtUs: number;
  /** Whether it has changes that are not in the database yet. */
  readonly isPending: boolean;
}

/** A line of a listing. */
export interface StateListEntry extends Omit<StateReading<never>, "value" | "from"> {
  /** Without the store's prefix. */
  readonly name: string;
}

/** For metrics. */
export interface StateStoreReadings {
  readonly isServerAway: boolean;
  /** Documents with changes that are not in the database. */
  readonly pendingDocuments: number;
  /** Their size in memory, about, in bytes. */
  readonly pendingBytes: number;
  /** Conflicts that were resolved since the store was made. */
  readonly conflicts: number;
}

/** Where a change can be. */

import type { LocalPlace } from "./pending-book.js";

/** Where a change is: durable in the database, durable in the folder, or only in memory. */
export type StatePlace = "database" | LocalPlace;

/** What became of a write. */
export interface EngineWrite {
  readonly place: StatePlace;
  /** Of the database; undefined where it is not there yet. */
  readonly version: number | undefined;
}

/** What the parts of a spill folder share. */

import type { Clock } from "../clock.js";
import type { Disk } from "./disk.js";
import type { DiskBudget } from "./disk-budget.js";
import type { Lane } from "./lane.js";
import type { SpillProblems } from "./problems.js";
import type { SyncPolicy, SyncSchedule } from "./sync-schedule.js";

export interface SpillShared {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly problems: SpillProblems;
  readonly budget: DiskBudget;
  readonly syncPolicy: SyncPolicy;
  readonly syncs: SyncSchedule;
  /** Writes, and the opening of files for them. */
  readonly writes: Lane;
}

/** Where a log puts its files. */
export interface SegmentPlace {
  /** A name that no file has. */
  newPath(firstSeq: number): string;
  /** Makes the names of new files durable. */
  sync(): Promise<void>;
  syncNow(): void;
}

/** Spilling to disk what cannot be sent, and taking up again what a process that died had spilled (docs/spill.md). */

export type { NumberRange } from "./number-ranges.js";
export type { SpillProblem, SpillProblemCode } from "./problems.js";
export type { StreamIdentity } from "./segment-format.js";
export { type OrphanLog, SpillFolder, type SpillOptions } from "./spill-folder.js";
export type { SpillLog } from "./spill-log.js";
export type { SyncPolicy } from "./sync-schedule.js";

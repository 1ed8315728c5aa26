/** All faults, in the order of the project's list. */
import type { FaultKind } from "../fault.js";
import { databaseClockSet, serverClockSet } from "./clocks.js";
import {
  commitAnswerLost,
  connectionsKilled,
  fileLocked,
  fileLockedByProcess,
  readOnly,
  rowsLocked,
  tooManyConnections,
} from "./database.js";
import { storeDiskFull, storePowerLost, storeSyncFails } from "./disks.js";
import { storeRestored, streamsPruned } from "./forgetting.js";
import { connectionCut, halfOpen, partitioned, slowLink, twoServers } from "./network.js";
import { databaseFrozen, databaseKilled, diskFrozen, serverKilled } from "./processes.js";
import {
  spillDamaged,
  spillDiskFull,
  spillPowerLost,
  spillSyncFails,
  trainerClockSet,
  trainerKilled,
  trainerPartitioned,
} from "./trainers.js";
import { secondServerRefused, zombieWriter } from "./writers.js";

export const FAULTS: readonly FaultKind[] = [
  serverKilled,
  trainerKilled,
  databaseKilled,
  databaseFrozen,
  diskFrozen,
  commitAnswerLost,
  rowsLocked,
  fileLocked,
  connectionsKilled,
  readOnly,
  tooManyConnections,
  fileLockedByProcess,
  connectionCut,
  partitioned,
  slowLink,
  halfOpen,
  trainerPartitioned,
  storePowerLost,
  spillPowerLost,
  spillDamaged,
  storeDiskFull,
  storeSyncFails,
  spillDiskFull,
  spillSyncFails,
  serverClockSet,
  databaseClockSet,
  trainerClockSet,
  zombieWriter,
  twoServers,
  secondServerRefused,
  storeRestored,
  streamsPruned,
];

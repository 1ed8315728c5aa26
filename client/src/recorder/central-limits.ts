/** The central limits that containers begin with and follow, as a recorder sees them. */

import { type CentralConfig, DEFAULT_CONFIG, type MemoryLimits } from "../limits-feed/central-config.js";
import type { RecordTypeName } from "../records/training-record.js";

/** Where containers ask for their capacity. */
export interface CentralLimits {
  /**
   * All of the central configuration, frozen; the defaults before the server was reached. It is followed once a container
   * without a capacity was made, or somebody called `onChange` or `start`.
   */
  readonly current: CentralConfig;
  /** Items of a type, or keys of a dictionary, that stay in memory. */
  capacityOf(type: RecordTypeName | "dictionary"): number;
  /** Calls `listener` after every change. Returns what removes it. */
  onChange(listener: () => void): () => void;
  /** Begins to follow the server; harmless when it has begun. */
  start(): void;
}

const LIMIT_OF: Readonly<Record<RecordTypeName | "dictionary", keyof MemoryLimits>> = Object.freeze({
  performance_history: "performanceHistory",
  session_history: "sessionHistory",
  action_tracking: "actionHistory",
  score_history: "scoreHistory",
  coordinate_tracking: "coordinateAttempts",
  frame_tracking: "frameHistory",
  dictionary: "dictionaries",
});

/** What a configuration says of a container. */
export function capacityIn(config: CentralConfig, type: RecordTypeName | "dictionary"): number {
  return config.memoryLimits[LIMIT_OF[type]];
}

/** Limits that never change. */
export const FIXED_LIMITS: CentralLimits = Object.freeze({
  current: DEFAULT_CONFIG,
  capacityOf: (type: RecordTypeName | "dictionary") => capacityIn(DEFAULT_CONFIG, type),
  onChange: () => () => undefined,
  start: () => undefined,
});

/** The central limits that containers begin with and follow, as a recorder sees them. */

import type { RecordTypeName } from "../records/training-record.js";

/** Where containers ask for their capacity. */
export interface CentralLimits {
  /** Items of a type, or keys of a dictionary, that stay in memory. */
  capacityOf(type: RecordTypeName | "dictionary"): number;
  /** Calls `listener` after every change. Returns what removes it. */
  onChange(listener: () => void): () => void;
}

/** What holds until a server has said otherwise: the earlier system's values. */
const CAPACITIES: Readonly<Record<RecordTypeName | "dictionary", number>> = Object.freeze({
  performance_history: 100,
  session_history: 100,
  action_tracking: 1_000,
  score_history: 100,
  coordinate_tracking: 500,
  frame_tracking: 50,
  dictionary: 500,
});

/** Limits that never change. */
export const FIXED_LIMITS: CentralLimits = Object.freeze({
  capacityOf: (type: RecordTypeName | "dictionary") => CAPACITIES[type],
  onChange: () => () => undefined,
});

import type { Rejection } from "@tailkeep/proto";
import { type RejectionReasonName, rejectionReasonName } from "./names.js";
import { safeNumber } from "./safe-number.js";

/** A record that the server refused; it is in the dead letters. */
export interface AckedRejection {
  readonly seq: number;
  readonly reason: RejectionReasonName;
  /** The field as a path: `score_history.score_type`. */
  readonly field: string;
  readonly message: string;
}

export function rejectionOf(rejection: Rejection): AckedRejection {
  return {
    seq: safeNumber(rejection.seq, "rejection.seq"),
    reason: rejectionReasonName(rejection.reason),
    field: rejection.field,
    message: rejection.message,
  };
}

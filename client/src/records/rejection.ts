import type { Rejection } from "@tailkeep/proto";
import type { AckedRejection } from "../transport/ingest-transport.js";
import { rejectionReasonName } from "./names.js";
import { safeNumber } from "./safe-number.js";

export function rejectionOf(rejection: Rejection): AckedRejection {
  return {
    seq: safeNumber(rejection.seq, "rejection.seq"),
    reason: rejectionReasonName(rejection.reason),
    field: rejection.field,
    message: rejection.message,
  };
}

import type { StreamCounts } from "@tailkeep/proto";
import type { StreamTotals } from "../transport/ingest-transport.js";
import { safeNumber } from "./safe-number.js";

export function streamTotals(counts: StreamCounts | undefined): StreamTotals {
  return {
    stored: safeNumber(counts?.stored ?? 0n, "counts.stored"),
    rejected: safeNumber(counts?.rejected ?? 0n, "counts.rejected"),
    gapped: safeNumber(counts?.gapped ?? 0n, "counts.gapped"),
  };
}

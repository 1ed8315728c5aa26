import type { StreamCounts } from "@tailkeep/proto";
import { safeNumber } from "./safe-number.js";

/** What became of the numbers 1 to `committedSeq` of a stream; their sum. */
export interface StreamTotals {
  /** In their tables. */
  readonly stored: number;
  /** In the dead letters. */
  readonly rejected: number;
  /** Declared as gaps. */
  readonly gapped: number;
}

export function streamTotals(counts: StreamCounts | undefined): StreamTotals {
  return {
    stored: safeNumber(counts?.stored ?? 0n, "counts.stored"),
    rejected: safeNumber(counts?.rejected ?? 0n, "counts.rejected"),
    gapped: safeNumber(counts?.gapped ?? 0n, "counts.gapped"),
  };
}

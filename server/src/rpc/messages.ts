/** Answers that several services give. */
import type { StreamCounts as CountsMessage, StoredGap } from "@tailkeep/proto";
import type { StreamCounts } from "../store/model.js";
import type { GapRow } from "../store/reads/reads.js";

export function countsMessage({ stored, rejected, gapped }: StreamCounts): CountsMessage {
  return { stored: BigInt(stored), rejected: BigInt(rejected), gapped: BigInt(gapped) };
}

export function gapMessage(gap: GapRow): StoredGap {
  return {
    sessionId: gap.sessionId,
    streamId: gap.streamId,
    firstSeq: BigInt(gap.firstSeq),
    lastSeq: BigInt(gap.lastSeq),
    type: gap.type as StoredGap["type"],
    cause: gap.cause as StoredGap["cause"],
    createdAtUs: BigInt(gap.createdAtUs),
  };
}

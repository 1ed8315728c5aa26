/** Answers that several services give. */
import type { StoredGap, StreamCounts as CountsMessage } from "@tailkeep/proto";
import type { GapRow } from "../store/reads/reads.js";
import type { StreamCounts } from "../store/store.js";

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

/** What the protocol of a stream needs and tells: its driver is IngestStream, or a simulator. */

import type { EncodedBatch } from "../encode/encoded-batch.js";
import type { AckedRejection } from "../records/rejection.js";
import type { StreamTotals } from "../records/totals.js";
import type { OpenRequest, StreamInfo } from "../transport/ingest-transport.js";
import type { RetryBudget } from "../transport/retry-budget.js";
import type { StreamState } from "./stream-state.js";

/** A record that is lost for good, as the machine reports it. */
export type StreamRejection =
  | (AckedRejection & { readonly by: "server" })
  | { readonly by: "decoder"; readonly seq: number; readonly message: string; readonly entry: Uint8Array };

export type StreamTimer = "reopen" | "openTimeout" | "idle";

/** What the machine asks of its driver. No method may call back into the machine before it returns. */
export interface StreamPort {
  startCall(call: number, request: OpenRequest): void;
  /** False: taken, but send nothing more before `drained`. */
  send(call: number, batch: EncodedBatch): boolean;
  halfClose(call: number): void;
  cancel(call: number): void;
  /** One timer a name; setting it again replaces it. */
  setTimer(name: StreamTimer, delayMs: number): void;
  clearTimer(name: StreamTimer): void;
  nowMs(): number;
}

/** What the machine tells its driver. These may call back into the machine. */
export interface StreamObserver {
  /** ackedSeq grew, or memory became free. */
  progressed(): void;
  /**
   * `before`: what was known to have become of 1 to ackedSeq until now. `ownGaps`: numbers of gaps that were sent and
   * whose ack was lost. Whatever else is a gap since is the server's own: its database had forgotten what it once acked.
   */
  opened(info: StreamInfo, before: StreamTotals, ownGaps: number): void;
  rejected(rejections: readonly StreamRejection[]): void;
  stateChanged(state: StreamState): void;
  /** Everything not yet sent moved up by `shift`, because the stream already existed. */
  renumbered(shift: number): void;
}

export interface StreamMachineConfig {
  readonly sessionId: string;
  readonly streamId: string;
  readonly writerId: string;
  readonly ackedSeq: number;
  /** Highest number that an earlier machine of this stream may have sent. @default ackedSeq */
  readonly sentSeq?: number | undefined;
  readonly takeover: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** Whether what was queued before the first open is new, or a resend of what the server may have. */
  readonly numbering: "continue" | "resend";
  readonly openTimeoutMs: number;
  readonly idleCloseMs: number;
  readonly random: () => number;
  /** Shared by all streams of a process. @default none: each stream waits by itself */
  readonly retryBudget?: RetryBudget | undefined;
}

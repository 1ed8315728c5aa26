/**
 * What the protocol needs of a network: one ordered call in each direction. The real one is grpc-js; a simulator may put
 * its own in place.
 *
 * Rules an implementation keeps: handlers are never called from within `open`, `send`, `halfClose` or `cancel`; nothing is
 * called after `onEnd`; `onEnd` comes exactly once, also after `cancel`.
 */

import type { EncodedBatch } from "../encode/encoded-batch.js";
import type { CallStatus } from "../errors/from-status.js";
import type { AckedRejection } from "../records/rejection.js";
import type { StreamTotals } from "../records/totals.js";

/** The first message of a call. */
export interface OpenRequest {
  readonly sessionId: string;
  readonly streamId: string;
  readonly writerId: string;
  readonly ackedSeq: number;
  readonly takeover: boolean;
  readonly labels: Readonly<Record<string, string>>;
}

/** The truth about a stream, as the server read it from its database. */
export interface StreamInfo {
  /** Number of this open; grows by one with each. */
  readonly epoch: number;
  /** Everything up to here is durable. */
  readonly committedSeq: number;
  readonly counts: StreamTotals;
  /** Bytes that may be sent, counted from this open. */
  readonly creditBytes: number;
  /** Set if the database had forgotten what it once acked; the range is stored as a gap. */
  readonly regressed?: { readonly firstSeq: number; readonly lastSeq: number } | undefined;
  /** False if an ack survives a crash of the server but not of its machine. */
  readonly durable: boolean;
  readonly serverVersion: string;
}

/** What comes back. */
export interface IngestCallHandlers {
  onOpened(info: StreamInfo): void;
  onAck(committedSeq: number, rejected: readonly AckedRejection[]): void;
  onCredit(creditBytes: number): void;
  /** More may be sent after `send` returned false. */
  onDrain(): void;
  onEnd(end: CallStatus): void;
}

/** One call. */
export interface IngestCall {
  /** False: the batch is taken, but wait for onDrain before the next. */
  send(batch: EncodedBatch): boolean;
  halfClose(): void;
  cancel(): void;
}

/** Makes calls. */
export interface IngestTransport {
  /** Starts a call and sends `request` as its first message. */
  open(request: OpenRequest, handlers: IngestCallHandlers): IngestCall;
  /** Calls `listener` each time the network has come back; returns what removes it. Without it, waits run their length. */
  onConnected?(listener: () => void): () => void;
}

/**
 * The numbers of a stream. Each only grows, and acked <= sent <= appended, except that a stream which is resent from its
 * beginning may learn that the server has more than was appended yet.
 */

import { FencedError, ProtocolError, type TailkeepError } from "../errors/errors.js";
import type { StreamTotals } from "../records/totals.js";
import type { StreamInfo } from "../transport/ingest-transport.js";

export class StreamProgress {
  #appendedSeq: number;
  #ackedSeq: number;
  /** Highest number sent in any call. */
  #sentSeq: number;
  #rejected = 0;
  #gapped = 0;

  /** `sentSeq`: what an earlier machine of the same stream may have sent. */
  constructor(ackedSeq: number, sentSeq = ackedSeq) {
    this.#appendedSeq = ackedSeq;
    this.#ackedSeq = ackedSeq;
    this.#sentSeq = Math.max(ackedSeq, sentSeq);
  }

  get appendedSeq(): number {
    return this.#appendedSeq;
  }
  get ackedSeq(): number {
    return this.#ackedSeq;
  }
  get sentSeq(): number {
    return this.#sentSeq;
  }
  /** What became of 1 to ackedSeq. */
  get totals(): StreamTotals {
    return { stored: this.#ackedSeq - this.#rejected - this.#gapped, rejected: this.#rejected, gapped: this.#gapped };
  }

  append(firstSeq: number, lastSeq: number): TailkeepError | undefined {
    if (firstSeq !== this.#appendedSeq + 1) return broken(`batch ${firstSeq} does not follow ${this.#appendedSeq}`);
    this.#appendedSeq = lastSeq;
    return undefined;
  }

  send(lastSeq: number): void {
    if (lastSeq > this.#sentSeq) this.#sentSeq = lastSeq;
  }

  /** What was appended before the first open moved up. */
  shift(by: number): void {
    this.#appendedSeq += by;
  }

  /** An ack of the current call. Returns why it cannot be true. */
  checkAck(committedSeq: number): TailkeepError | undefined {
    if (committedSeq <= Math.max(this.#sentSeq, this.#ackedSeq)) return undefined;
    return broken(`the server acked ${committedSeq}, but only ${this.#sentSeq} was sent`);
  }

  /** Takes a checked ack over; `gapped` numbers of those newly acked are gaps. True if anything is new. */
  ack(committedSeq: number, rejected: number, gapped: number): boolean {
    this.#rejected += rejected;
    this.#gapped += gapped;
    if (committedSeq <= this.#ackedSeq) return false;
    this.#ackedSeq = committedSeq;
    return true;
  }

  /** What the server says at an open. Returns why it cannot be true. */
  checkOpened(info: StreamInfo, isFirst: boolean): TailkeepError | undefined {
    if (info.committedSeq < this.#ackedSeq) {
      return broken(`the server says ${info.committedSeq} is durable, but had acked ${this.#ackedSeq}`);
    }
    if (!isFirst && info.committedSeq > Math.max(this.#sentSeq, this.#ackedSeq)) {
      return new FencedError(
        `the server has ${info.committedSeq}, but this writer sent only ${this.#sentSeq}: ` +
          "another process uses the same writer_id",
        { code: "SUPERSEDED", retryable: false },
      );
    }
    return undefined;
  }

  /** Takes a checked open over. The counts are the truth of the database: an ack that got lost cannot make them wrong. */
  opened(info: StreamInfo): void {
    this.#ackedSeq = info.committedSeq;
    this.#sentSeq = Math.max(this.#sentSeq, info.committedSeq);
    this.#rejected = info.counts.rejected;
    this.#gapped = info.counts.gapped;
  }
}

/** A broken invariant, ours or the server's. */
export function broken(what: string): ProtocolError {
  return new ProtocolError(`${what}: please report this`, { code: "INVARIANT_BROKEN", retryable: false });
}

/**
 * Tells a writer what is durable and how much more it may send: cumulative, coalesced, never going back.
 *
 * While the writer does not read, nothing piles up here: the next ack says the newest number.
 */
import type { IngestResponse } from "@tailkeep/proto";
import type { RejectedEntry } from "../record/batch.js";

export interface ProgressSink {
  /** False: the connection is full, `writable` must be called before anything more is sent. */
  send(response: IngestResponse): boolean;
  /** Runs `work` soon, together with whatever else happens now. */
  defer(work: () => void): void;
}

export class ProgressWriter {
  readonly #sink: ProgressSink;
  #committedSeq: number;
  #sentSeq: number;
  #rejected: RejectedEntry[] = [];
  #creditBytes: number;
  #sentCreditBytes: number;
  #blocked = false;
  #deferred = false;
  #ended = false;

  /** Begins with what StreamOpened said. */
  constructor(sink: ProgressSink, committedSeq: number, creditBytes: number) {
    this.#sink = sink;
    this.#committedSeq = committedSeq;
    this.#sentSeq = committedSeq;
    this.#creditBytes = creditBytes;
    this.#sentCreditBytes = creditBytes;
  }

  committed(seq: number, rejected: readonly RejectedEntry[]): void {
    if (seq > this.#committedSeq) this.#committedSeq = seq;
    for (const each of rejected) this.#rejected.push(each);
    this.#defer();
  }

  credit(bytes: number): void {
    if (bytes > this.#creditBytes) this.#creditBytes = bytes;
    this.#defer();
  }

  /** The connection takes more. */
  writable(): void {
    this.#blocked = false;
    this.flush();
  }

  /** Sends what is new; returns false while the connection is full. */
  flush(): boolean {
    if (this.#ended) return true;
    if (!this.#blocked && (this.#committedSeq > this.#sentSeq || this.#rejected.length > 0)) {
      const rejected = this.#rejected.splice(0).map(({ seq, reason, field, message }) => {
        return { seq: BigInt(seq), reason, field, message };
      });
      this.#sentSeq = this.#committedSeq;
      this.#send({ message: { $case: "ack", value: { committedSeq: BigInt(this.#sentSeq), rejected } } });
    }
    if (!this.#blocked && this.#creditBytes > this.#sentCreditBytes) {
      this.#sentCreditBytes = this.#creditBytes;
      this.#send({ message: { $case: "credit", value: { creditBytes: BigInt(this.#sentCreditBytes) } } });
    }
    return !this.#blocked;
  }

  /** Before the call ends: also into a full connection, which holds this one message more. */
  flushLast(): void {
    this.#blocked = false;
    this.flush();
  }

  end(): void {
    this.#ended = true;
  }

  #send(response: IngestResponse): void {
    if (!this.#sink.send(response)) this.#blocked = true;
  }

  #defer(): void {
    if (this.#deferred || this.#ended) return;
    this.#deferred = true;
    this.#sink.defer(() => {
      this.#deferred = false;
      this.flush();
    });
  }
}

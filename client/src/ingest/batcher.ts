/**
 * Decides when the records appended so far leave as a batch: at a number of records, at a number of bytes, when nothing is
 * under way and the turn of the event loop is done, or after a short delay while something is.
 */

import type { Clock } from "../clock.js";
import type { EncodedBatch } from "../encode/encoded-batch.js";
import { OpenBatch } from "../encode/open-batch.js";
import { TailkeepError, UnencodableError } from "../errors/errors.js";
import type { TrainingRecord } from "../records/training-record.js";

export interface BatcherOptions {
  readonly flushRecords: number;
  readonly flushBytes: number;
  readonly flushDelayMs: number;
}

/** Where batches go. */
export interface BatchTaker {
  /** Number of the next batch's first record. */
  nextSeq(): number;
  take(batch: EncodedBatch): void;
  /** Nothing is under way, so waiting for company would gain nothing. */
  isIdle(): boolean;
  /** Whether a batch that is not full had better leave after the delay: not while it could go nowhere. */
  wantsAfterDelay(): boolean;
}

export class Batcher {
  readonly #options: BatcherOptions;
  readonly #clock: Clock;
  readonly #taker: BatchTaker;
  readonly #open = new OpenBatch();
  #isScheduled = false;
  readonly #onSoon = (): void => {
    this.#isScheduled = false;
    this.seal();
  };
  readonly #onDelay = (): void => {
    this.#isScheduled = false;
    // What stays is looked at again by `wake`.
    if (this.#taker.wantsAfterDelay()) this.seal();
  };

  constructor(options: BatcherOptions, clock: Clock, taker: BatchTaker) {
    this.#options = options;
    this.#clock = clock;
    this.#taker = taker;
  }

  /** Records in the open batch. */
  get count(): number {
    return this.#open.count;
  }

  /** Their bytes. */
  get byteLength(): number {
    return this.#open.byteLength;
  }

  /** Encodes a record into the open batch. Throws UnencodableError; everything is then as before. */
  append(record: TrainingRecord): void {
    const open = this.#open;
    const overflow = open.append(record);
    if (overflow >= 0) this.#taker.take(open.sealBefore(overflow, this.#taker.nextSeq()));
    if (open.count >= this.#options.flushRecords || open.byteLength >= this.#options.flushBytes) this.seal();
    else if (!this.#isScheduled) this.#schedule();
  }

  /** Hands the open batch over, if there is anything in it. */
  seal(): void {
    if (this.#open.count > 0) this.#taker.take(this.#open.seal(this.#taker.nextSeq()));
  }

  /** Something has become free: looks again whether the open batch should leave. */
  wake(): void {
    if (this.#open.count === 0) return;
    if (this.#taker.isIdle()) this.seal();
    else if (!this.#isScheduled) this.#schedule();
  }

  #schedule(): void {
    this.#isScheduled = true;
    if (this.#taker.isIdle()) this.#clock.soon(this.#onSoon);
    else this.#clock.after(this.#options.flushDelayMs, this.#onDelay);
  }
}

/** Whatever reading or encoding a record threw, as an error that says so. */
export function asUnencodable(error: unknown): TailkeepError {
  if (error instanceof TailkeepError) return error;
  return new UnencodableError(`the record cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
    code: "UNREADABLE",
    retryable: false,
    cause: error,
  });
}

/**
 * How fast batches become durable, and how much may therefore wait: what a queue holds beyond a second of the store's work
 * makes every ack late and nothing faster. Measured only while something waits all the time, for an idle store says
 * nothing about what it could do.
 */
import type { Clock } from "../base/clock.js";
import { PACE_SAMPLE_MS, QUEUE_MS_TARGET } from "../limits.js";

/** Weight of the newest sample: a store that slows down is noticed within a few. */
const NEWEST_WEIGHT = 0.4;

export class Pace {
  readonly #clock: Clock;
  #waitingBytes = 0;
  #busyStreams = 0;
  /** Since when something has been waiting without a break, and what became durable since. */
  #sampleSinceMs = Number.NaN;
  #sampleBytes = 0;
  #bytesPerMs = Number.NaN;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Streams that wait for something. */
  get busyStreams(): number {
    return this.#busyStreams;
  }

  /** `bytes` of a stream's batches wait; `first`: nothing of this stream did. */
  took(bytes: number, first: boolean): void {
    if (first) this.#busyStreams++;
    if (this.#waitingBytes === 0) {
      this.#sampleSinceMs = this.#clock.monotonicMs();
      this.#sampleBytes = 0;
    }
    this.#waitingBytes += bytes;
  }

  /** They wait no longer; `durable`: because they are. `last`: nothing of this stream waits any more. */
  released(bytes: number, durable: boolean, last: boolean): void {
    if (last) this.#busyStreams--;
    this.#waitingBytes -= bytes;
    if (!durable) return;
    this.#sampleBytes += bytes;
    const ms = this.#clock.monotonicMs() - this.#sampleSinceMs;
    if (ms < PACE_SAMPLE_MS) return;
    const sample = this.#sampleBytes / ms;
    const before = Number.isNaN(this.#bytesPerMs) ? sample : this.#bytesPerMs;
    this.#bytesPerMs = before + (sample - before) * NEWEST_WEIGHT;
    this.#sampleSinceMs += ms;
    this.#sampleBytes = 0;
  }

  /** Bytes that should wait at most, over all streams; infinite until the store has shown what it can do. */
  get queueBytes(): number {
    return Number.isNaN(this.#bytesPerMs) ? Number.POSITIVE_INFINITY : this.#bytesPerMs * QUEUE_MS_TARGET;
  }
}

/**
 * Looks for streams that nobody goes on with: a page of them at a time, in the order of their keys. One question about all
 * of a large database would take longer than a read may, and would fail each time.
 */
import type { Clock } from "../base/clock.js";
import {
  ROLLUP_SWEEP_FIRST_MS,
  ROLLUP_SWEEP_MS,
  ROLLUP_SWEEP_SILENT_MS,
  ROLLUP_SWEEP_STREAMS_PER_READ,
} from "../limits.js";
import type { LaggingStream, Reads } from "../store/reads/reads.js";

export class Sweep {
  readonly #reads: Reads;
  readonly #clock: Clock;
  #atMs: number;
  /** The last one that was looked at. */
  #after = -1n;

  constructor(reads: Reads, clock: Clock) {
    this.#reads = reads;
    this.#clock = clock;
    this.#atMs = clock.monotonicMs() + ROLLUP_SWEEP_FIRST_MS;
  }

  /** Those of the next page, where it is time for one. */
  async next(): Promise<LaggingStream[]> {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < this.#atMs) return [];
    // Also where it fails: what is summed up here must not wait for it again and again.
    this.#atMs = nowMs + ROLLUP_SWEEP_MS;
    const silentSinceUs = this.#clock.nowUs() - ROLLUP_SWEEP_SILENT_MS * 1_000;
    const { streams, upTo } = await this.#reads.laggingStreams(
      this.#after,
      silentSinceUs,
      ROLLUP_SWEEP_STREAMS_PER_READ,
    );
    this.#after = upTo ?? -1n;
    if (upTo !== undefined) this.#atMs = nowMs;
    return streams;
  }
}

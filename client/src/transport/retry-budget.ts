import { RETRIES_BURST_MAX, RETRIES_PER_SECOND_MAX } from "../limits.js";

/**
 * How often all streams of one process together try again. Each waits by its own jittered backoff; a process with hundreds
 * of them would still greet a server that comes back with hundreds of calls at once, so their attempts take turns.
 */
export class RetryBudget {
  readonly #nowMs: () => number;
  /** When the bucket would be full again if nobody tried. */
  #fullAtMs = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Takes a turn at or after `delayMs` from now; returns how long to wait for it. */
  reserve(delayMs: number): number {
    const nowMs = this.#nowMs();
    const turnMs = 1_000 / RETRIES_PER_SECOND_MAX;
    const earliestMs = this.#fullAtMs - (RETRIES_BURST_MAX - 1) * turnMs;
    const atMs = Math.max(nowMs + delayMs, earliestMs);
    this.#fullAtMs = Math.max(this.#fullAtMs, nowMs) + turnMs;
    return atMs - nowMs;
  }
}

import { BACKOFF_CEILING_MS_FIRST, BACKOFF_CEILING_MS_LAST } from "../limits.js";
import type { RetryBudget } from "./retry-budget.js";

/**
 * Waits between attempts: full jitter, a uniform draw below a ceiling that doubles. A thousand trainers that lose one
 * server then come back spread out, which a fixed or slightly jittered wait would not do.
 */
export class Backoff {
  readonly #random: () => number;
  readonly #budget: RetryBudget | undefined;
  #attempts = 0;

  constructor(random: () => number, budget?: RetryBudget) {
    this.#random = random;
    this.#budget = budget;
  }

  /** Milliseconds to wait now. Never less than the server asked for, and then spread over the ceiling on top of it. */
  nextMs(retryAfterMs = 0): number {
    const ceiling = Math.min(BACKOFF_CEILING_MS_LAST, BACKOFF_CEILING_MS_FIRST * 2 ** Math.min(this.#attempts, 30));
    this.#attempts++;
    const delayMs = retryAfterMs + this.#random() * ceiling;
    return this.#budget === undefined ? delayMs : this.#budget.reserve(delayMs);
  }

  /** Progress was made. */
  reset(): void {
    this.#attempts = 0;
  }
}

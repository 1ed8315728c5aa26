/** Promises that wait for a condition of a stream, each with a deadline and a signal. */

import type { Clock } from "../clock.js";
import { abortedBy } from "../errors/aborted-by.js";
import { TailkeepError } from "../errors/errors.js";

/** How long somebody is willing to wait. */
export interface WaitOptions {
  /** Milliseconds; Infinity waits for ever. */
  readonly timeoutMs?: number | undefined;
  /** Stops waiting; rejects with AbortedBySignalError. */
  readonly signal?: AbortSignal | undefined;
}

/** True: done. An error: it cannot happen any more. False: not yet. */
export type WaitResult = boolean | TailkeepError;

interface Waiter {
  check(): void;
}

export class Waiters {
  readonly #clock: Clock;
  readonly #waiting = new Set<Waiter>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  /** Something changed: looks at every condition again. */
  check(): void {
    for (const waiter of this.#waiting) waiter.check();
  }

  until(
    condition: () => WaitResult,
    options: WaitOptions,
    onTimeout: (timeoutMs: number) => TailkeepError,
  ): Promise<void> {
    const first = condition();
    if (first === true) return Promise.resolve();
    if (first instanceof TailkeepError) return Promise.reject(first);
    const { timeoutMs = Number.POSITIVE_INFINITY, signal } = options;
    if (signal?.aborted) return Promise.reject(abortedBy(signal));
    return new Promise((resolve, reject) => {
      const settle = (error: TailkeepError | undefined): void => {
        this.#waiting.delete(waiter);
        stopTimer();
        signal?.removeEventListener("abort", onAbort);
        if (error === undefined) resolve();
        else reject(error);
      };
      const waiter: Waiter = {
        check: () => {
          const result = condition();
          if (result !== false) settle(result === true ? undefined : result);
        },
      };
      const onAbort = (): void => settle(abortedBy(signal));
      const onTimer = (): void => {
        if (timeoutMs === Number.POSITIVE_INFINITY) stopTimer = this.#clock.afterKeepingAlive(timeoutMs, onTimer);
        else settle(onTimeout(timeoutMs));
      };
      let stopTimer = this.#clock.afterKeepingAlive(timeoutMs, onTimer);
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#waiting.add(waiter);
    });
  }
}

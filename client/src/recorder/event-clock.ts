import { EVENT_CLOCK_CHECK_MS, EVENT_CLOCK_SKEW_MS_MAX } from "../limits.js";

/**
 * When an event happened, in microseconds since 1970: the wall clock's day with the steps of the monotonic one, so that a
 * clock that is corrected by a little never makes a later event older. A jump (a machine that slept, an operator who set
 * the clock) is taken over; order never depends on it, only the time that people read.
 */
export class EventClock {
  #originMs = performance.timeOrigin;
  #checkAtMs = 0;

  nowUs(): number {
    const monotonicMs = performance.now();
    if (monotonicMs >= this.#checkAtMs) this.#check(monotonicMs);
    return Math.round((this.#originMs + monotonicMs) * 1_000);
  }

  #check(monotonicMs: number): void {
    this.#checkAtMs = monotonicMs + EVENT_CLOCK_CHECK_MS;
    const skewMs = Date.now() - (this.#originMs + monotonicMs);
    if (Math.abs(skewMs) > EVENT_CLOCK_SKEW_MS_MAX) this.#originMs += skewMs;
  }
}

/** When the garbage collector stopped this process: it falls into whatever happens to be measured. */
import { PerformanceObserver } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";

/** On the clock of `performance.now()`. */
export interface Span {
  readonly beganMs: number;
  readonly endedMs: number;
}

export class CollectorPauses {
  /** In order of time. */
  readonly #pauses: Span[] = [];

  constructor() {
    new PerformanceObserver((list) => {
      for (const { startTime, duration } of list.getEntries()) {
        this.#pauses.push({ beganMs: startTime, endedMs: startTime + duration });
      }
    }).observe({ entryTypes: ["gc"] });
  }

  /** The observer hears of the last pauses in a later turn. */
  async allHeard(): Promise<void> {
    await sleep(1);
  }

  /** Of spans in order of time, those that no pause fell into. */
  calm<S extends Span>(spans: readonly S[]): S[] {
    let next = 0;
    return spans.filter(({ beganMs, endedMs }) => {
      while ((this.#pauses[next]?.endedMs ?? Number.POSITIVE_INFINITY) < beganMs) next++;
      return (this.#pauses[next]?.beganMs ?? Number.POSITIVE_INFINITY) > endedMs;
    });
  }

  longestMs(sinceMs: number): number {
    return this.#pauses
      .filter(({ beganMs }) => beganMs >= sinceMs)
      .reduce((most, { beganMs, endedMs }) => Math.max(most, endedMs - beganMs), 0);
  }
}

/** A clock that stands still until it is moved. */
import type { Clock } from "@tailkeep/server/dist/base/clock.js";

export class FakeClock implements Clock {
  #ms = 0;
  #sleepers: { untilMs: number; wake: () => void }[] = [];
  #deferred: (() => void)[] = [];
  random: () => number = () => 0.5;

  nowUs(): number {
    return 1_700_000_000_000_000 + this.#ms * 1_000;
  }

  monotonicMs(): number {
    return this.#ms;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.#sleepers.push({ untilMs: this.#ms + ms, wake: resolve });
      signal?.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  defer(work: () => void): void {
    this.#deferred.push(work);
  }

  /** Runs everything that can run without time passing. */
  async settle(): Promise<void> {
    for (;;) {
      // Promises settle on the real event loop; a few rounds outlast every chain of them.
      for (let round = 0; round < 3; round++) await new Promise((resolve) => setImmediate(resolve));
      const work = this.#deferred.shift();
      if (work === undefined) return;
      work();
    }
  }

  /** Moves time on, step by step from one sleeper to the next. */
  async advance(ms: number): Promise<void> {
    const end = this.#ms + ms;
    await this.settle();
    for (;;) {
      const next = this.#sleepers.reduce<number>(
        (least, { untilMs }) => Math.min(least, untilMs),
        Number.POSITIVE_INFINITY,
      );
      if (next > end) break;
      this.#ms = Math.max(this.#ms, next);
      const due = this.#sleepers.filter(({ untilMs }) => untilMs <= this.#ms);
      this.#sleepers = this.#sleepers.filter(({ untilMs }) => untilMs > this.#ms);
      for (const { wake } of due) wake();
      await this.settle();
    }
    this.#ms = end;
  }
}

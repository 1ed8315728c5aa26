/** Time as the server sees it, so that tests and simulations can own it. Timers are monotonic; wall time is only data. */
export interface Clock {
  /** Wall clock, microseconds since 1970. */
  nowUs(): number;
  /** Monotonic milliseconds. */
  monotonicMs(): number;
  /** Resolves after `ms`; at once when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Runs `work` once everything that is already here has been read; nothing waits for it at exit. */
  defer(work: () => void): void;
  /** A number in [0, 1). */
  random(): number;
}

export const systemClock: Clock = {
  nowUs: () => Date.now() * 1_000,
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) {
        resolve();
        return;
      }
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener("abort", done);
    }),
  defer: (work) => {
    setImmediate(work);
  },
  random: Math.random,
};

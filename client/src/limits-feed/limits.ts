/**
 * Follows the central configuration in the background. By short questions on timers that keep nothing alive, because an
 * open watch would keep the process from ending; nothing is kept on disk, and nothing is ever thrown.
 */

import { type Clock, systemClock } from "../clock.js";
import { LIMITS_POLL_MS, LIMITS_POLL_MS_MAX, LIMITS_TIMEOUT_MS } from "../limits.js";
import { type CentralLimits, capacityIn } from "../recorder/central-limits.js";
import type { RecordTypeName } from "../records/training-record.js";
import type { CallOptions } from "../transport/unary-call.js";
import { type CentralConfig, DEFAULT_CONFIG } from "./central-config.js";

/** Asks the server once, without trying again. */
export type AskForConfig = (options: CallOptions) => Promise<CentralConfig>;

/** The limits of the server, live. Begins to follow them with the first listener, or with `start()`. */
export class Limits implements CentralLimits {
  readonly #ask: AskForConfig;
  readonly #clock: Clock;
  readonly #listeners = new Set<() => void>();
  #current = DEFAULT_CONFIG;
  #failures = 0;
  #isStarted = false;
  #isStopped = false;
  #stopTimer: (() => void) | undefined;
  #abort: AbortController | undefined;

  /** @internal */
  constructor(ask: AskForConfig, clock: Clock = systemClock) {
    this.#ask = ask;
    this.#clock = clock;
  }

  /** The configuration as it was heard of last, frozen; before the server was reached, the defaults. */
  get current(): CentralConfig {
    return this.#current;
  }

  /** Items of a type, or keys of a dictionary, that stay in memory. */
  capacityOf(type: RecordTypeName | "dictionary"): number {
    return capacityIn(this.#current, type);
  }

  /** Calls `listener` after every change, within a few seconds of it. Returns what removes it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    this.start();
    return () => this.#listeners.delete(listener);
  }

  /** Begins to follow the server; harmless when it has begun. */
  start(): void {
    if (this.#isStarted || this.#isStopped) return;
    this.#isStarted = true;
    this.#askAfter(0);
  }

  /** Ends it for good; `current` stays what it was. */
  stop(): void {
    this.#isStopped = true;
    this.#stopTimer?.();
    this.#abort?.abort();
    this.#listeners.clear();
  }

  #askAfter(delayMs: number): void {
    if (this.#isStopped) return;
    this.#stopTimer = this.#clock.after(delayMs, () => void this.#askNow());
  }

  async #askNow(): Promise<void> {
    this.#abort = new AbortController();
    try {
      const config = await this.#ask({ timeoutMs: LIMITS_TIMEOUT_MS, signal: this.#abort.signal });
      this.#failures = 0;
      if (!this.#isStopped) this.#take(config);
    } catch {
      // A server that is away, or too old to know of limits: what is known holds on.
      this.#failures++;
    }
    this.#askAfter(this.#delayMs());
  }

  /** Between half of a ceiling and all of it, so that a thousand trainers do not ask at once. */
  #delayMs(): number {
    const ceilingMs = Math.min(LIMITS_POLL_MS_MAX, LIMITS_POLL_MS * 2 ** Math.min(this.#failures, 10));
    return ceilingMs * (1 + this.#clock.random()) * 0.5;
  }

  #take(config: CentralConfig): void {
    if (isSame(config, this.#current)) return;
    this.#current = config;
    for (const listener of this.#listeners) {
      try {
        listener();
      } catch (thrown) {
        process.emitWarning(thrown instanceof Error ? thrown : String(thrown), "TailkeepListenerWarning");
      }
    }
  }
}

/** Servers may differ in what they are configured with, so that a version alone does not tell. */
function isSame(a: CentralConfig, b: CentralConfig): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/**
 * Whether a quantity grows steadily. Samples are gathered into windows, and only the least of each window counts: what a
 * cleanup or a garbage collection takes away again is no growth, and a burst is one window.
 *
 *   calm --grown in each of the last windows, and by enough--> leaking --some windows without growth--> calm
 */

import { GUARD_CALM_WINDOWS } from "../limits.js";

/** The least sample of a window. */
interface Low {
  readonly value: number;
  readonly atMs: number;
  readonly operations: number;
}

export interface TrendSettings {
  readonly windowSamples: number;
  readonly leakWindows: number;
  /** Growth over all these windows that is worth a word. */
  readonly growthMin: number;
}

export interface Growth {
  readonly perMinute: number;
  /** Undefined if there were no operations. */
  readonly perOperation: number | undefined;
  /** Share of the windows that ended higher than the one before, 0 to 1. */
  readonly steadiness: number;
}

export class Trend {
  readonly #settings: TrendSettings;
  /** One more than must grow, newest last. */
  readonly #lows: Low[] = [];
  #current: Low | undefined;
  #samples = 0;
  #isLeaking = false;
  #calmWindows = 0;

  constructor(settings: TrendSettings) {
    this.#settings = settings;
  }

  get isLeaking(): boolean {
    return this.#isLeaking;
  }

  /** Returns whether it begins to leak with this sample. */
  add(value: number, atMs: number, operations: number): boolean {
    if (this.#current === undefined || value < this.#current.value) this.#current = { value, atMs, operations };
    if (++this.#samples < this.#settings.windowSamples) return false;
    this.#lows.push(this.#current);
    if (this.#lows.length > this.#settings.leakWindows + 1) this.#lows.shift();
    this.#current = undefined;
    this.#samples = 0;
    return this.#judge();
  }

  growth(): Growth {
    const first = this.#lows[0];
    const last = this.#lows.at(-1);
    if (first === undefined || last === undefined || first === last) {
      return { perMinute: 0, perOperation: undefined, steadiness: 0 };
    }
    const grown = last.value - first.value;
    const minutes = (last.atMs - first.atMs) / 60_000;
    const operations = last.operations - first.operations;
    return {
      perMinute: minutes > 0 ? grown / minutes : 0,
      perOperation: operations > 0 ? grown / operations : undefined,
      steadiness: this.#grownWindows() / (this.#lows.length - 1),
    };
  }

  #judge(): boolean {
    const { leakWindows, growthMin } = this.#settings;
    const [before, last] = this.#lows.slice(-2);
    const first = this.#lows[0];
    if (first === undefined || before === undefined || last === undefined) return false;
    if (this.#isLeaking) {
      this.#calmWindows = last.value > before.value ? 0 : this.#calmWindows + 1;
      if (this.#calmWindows >= GUARD_CALM_WINDOWS) this.#isLeaking = false;
      return false;
    }
    if (this.#grownWindows() < leakWindows || last.value - first.value < growthMin) return false;
    this.#isLeaking = true;
    this.#calmWindows = 0;
    return true;
  }

  #grownWindows(): number {
    let grown = 0;
    for (let index = 1; index < this.#lows.length; index++) {
      if ((this.#lows[index] as Low).value > (this.#lows[index - 1] as Low).value) grown++;
    }
    return grown;
  }
}

import type { Clock } from "../clock.js";
import { SPILL_SLICE_MS } from "../limits.js";

/** Steps between two looks at the clock. */
const STEPS = 16;
/** Slices between two points at which a process that has nothing else to do may end. */
const SLICES = 64;

/** Hands the event loop back every now and then to somebody else, in a long loop of small steps. */
export class Slicer {
  readonly #clock: Clock;
  readonly #isBackground: boolean;
  #steps = 0;
  #slices = 0;
  #sinceMs: number;

  /** Work in the `background` does not keep the process alive for long; a successor does it as well. */
  constructor(clock: Clock, kind: "awaited" | "background") {
    this.#clock = clock;
    this.#isBackground = kind === "background";
    this.#sinceMs = clock.nowMs();
  }

  /** To be called after each step; what it returns, if anything, is to be awaited. */
  step(): Promise<void> | undefined {
    if (++this.#steps % STEPS !== 0 || this.#clock.nowMs() - this.#sinceMs < SPILL_SLICE_MS) return undefined;
    return new Promise((resolve) => {
      const goOn = (): void => {
        this.#sinceMs = this.#clock.nowMs();
        resolve();
      };
      // An immediate without a reference waits until something else happens; a timer does not, but costs a millisecond.
      if (this.#isBackground && ++this.#slices % SLICES === 0) this.#clock.after(1, goOn);
      else setImmediate(goOn);
    });
  }
}

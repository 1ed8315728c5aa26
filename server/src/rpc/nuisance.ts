/** How much of what is of no use a connection may send: a bucket that fills with time. */
import { NUISANCE_BURST_MAX, NUISANCES_PER_SECOND } from "../limits.js";

export class Patience {
  readonly #nowMs: () => number;
  #left = NUISANCE_BURST_MAX;
  #atMs: number;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
    this.#atMs = nowMs();
  }

  /** False: it is exhausted. */
  bears(nuisances = 1): boolean {
    const now = this.#nowMs();
    this.#left = Math.min(NUISANCE_BURST_MAX, this.#left + ((now - this.#atMs) / 1_000) * NUISANCES_PER_SECOND);
    this.#atMs = now;
    this.#left -= nuisances;
    return this.#left >= 0;
  }
}

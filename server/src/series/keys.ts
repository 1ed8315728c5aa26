/** The numeric keys of a session's JSON columns that have series: the first SERIES_KEYS_MAX, all types together. */
import { SERIES_KEYS_LEFT_OUT_MAX, SERIES_KEYS_MAX } from "../limits.js";

export class KeysOfSession {
  readonly #admitted = new Set<string>();
  readonly #leftOut = new Set<string>();

  /** A series that there is: of a key where its name has a dot, which no column's has. */
  saw(name: string): void {
    if (name.includes(".")) this.#admitted.add(name);
  }

  /** Whether `metadata.loss` has a series from now on, or had one before. */
  admit(name: string): boolean {
    if (this.#admitted.has(name)) return true;
    if (this.#admitted.size < SERIES_KEYS_MAX) {
      this.#admitted.add(name);
      return true;
    }
    this.leaveOut(name);
    return false;
  }

  leaveOut(name: string): void {
    if (this.#leftOut.size < SERIES_KEYS_LEFT_OUT_MAX) this.#leftOut.add(name);
  }

  get leftOut(): string[] {
    return [...this.#leftOut].sort();
  }
}

/**
 * Finds the slot of a key: a hash table that is never rehashed.
 *
 *   cells   hash slot | hash slot | 0 0 | hash slot | ...      a key is in the first free cell from where its hash points
 *
 * There is room for all keys from the start, twice as many cells as keys, so that a key is a step or two from where its hash
 * points; a cell that a key leaves is filled from behind. Keys of the same hash would be one long row of cells: what finds no
 * cell within DICT_PROBES_MAX goes into a Map, which serves any key and only has to copy itself now and then.
 *
 * A Map alone has the hash of text at hand, which it keeps in the string, but looks at more memory for a key: at a million
 * keys, a find here takes 0.7 to 0.9 of the time and a change less than half, and below some ten thousand, where all is in
 * the processor's cache, a Map is faster.
 */

import { DICT_PROBES_MAX } from "../limits.js";
import { hashOf } from "./key-hash.js";

export class KeyIndex<K> {
  /** By slot. */
  readonly #keys: readonly (K | undefined)[];
  /** Pairs of hash and slot; slot 0 is a free cell. */
  readonly #cells: Int32Array;
  /** Cells, a power of two, less one. */
  readonly #mask: number;
  /** Keys that found no cell. */
  #crowd: Map<K, number> | undefined;

  /** For slots 1 to `capacity` of `keys`, which whoever holds them keeps up to date. */
  constructor(capacity: number, keys: readonly (K | undefined)[]) {
    const cells = 2 ** Math.ceil(Math.log2(2 * capacity));
    this.#keys = keys;
    // The system gives this memory when it is first written to.
    this.#cells = new Int32Array(2 * cells);
    this.#mask = cells - 1;
  }

  /** Undefined if the key is not there. */
  find(key: K): number | undefined {
    const cells = this.#cells;
    const mask = this.#mask;
    const hash = hashOf(key);
    let at = hash & mask;
    for (let probe = 0; probe < DICT_PROBES_MAX; probe++) {
      const slot = cells[2 * at + 1] as number;
      if (slot === 0) break;
      if (cells[2 * at] === hash) {
        const held = this.#keys[slot];
        // biome-ignore lint/suspicious/noSelfCompare: only NaN is not itself, and to a Map all are one key
        if (held === key || (key !== key && held !== held)) return slot;
      }
      at = (at + 1) & mask;
    }
    return this.#crowd?.get(key);
  }

  /** Adds a key that is not there. */
  add(key: K, slot: number): void {
    const cells = this.#cells;
    const mask = this.#mask;
    const hash = hashOf(key);
    let at = hash & mask;
    for (let probe = 0; probe < DICT_PROBES_MAX; probe++) {
      if (cells[2 * at + 1] === 0) {
        cells[2 * at] = hash;
        cells[2 * at + 1] = slot;
        return;
      }
      at = (at + 1) & mask;
    }
    this.#crowd ??= new Map();
    this.#crowd.set(key, slot);
  }

  /** Removes the key of that slot, which is there. */
  remove(key: K, slot: number): void {
    const cells = this.#cells;
    const mask = this.#mask;
    let at = hashOf(key) & mask;
    for (let probe = 0; probe < DICT_PROBES_MAX; probe++) {
      if (cells[2 * at + 1] === slot) {
        this.#free(at);
        return;
      }
      at = (at + 1) & mask;
    }
    this.#crowd?.delete(key);
  }

  /** Moves keys up that were put behind because that cell was taken: a find ends at the first free one. */
  #free(cell: number): void {
    const cells = this.#cells;
    const mask = this.#mask;
    let free = cell;
    for (let at = (free + 1) & mask; cells[2 * at + 1] !== 0; at = (at + 1) & mask) {
      const hash = cells[2 * at] as number;
      // Cells from where the hash points to here; the free one must be among them.
      if (((at - hash) & mask) < ((at - free) & mask)) continue;
      cells[2 * free] = hash;
      cells[2 * free + 1] = cells[2 * at + 1] as number;
      free = at;
    }
    cells[2 * free + 1] = 0;
  }
}

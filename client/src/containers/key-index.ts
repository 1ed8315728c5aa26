/**
 * Finds the slot of a key: a hash table that is never rehashed.
 *
 *   cells   hash slot | hash slot | 0 0 | hash slot | ...      a key is in the first free cell from where its hash points
 *
 * There is room for all keys from the start, twice as many cells as keys, so that a key is a step or two from where its hash
 * points; a cell that a key leaves is filled from behind.
 *
 *   quick hash -> whole hash -> Map
 *
 * Keys of the same hash would be one long row of cells. What finds no cell within DICT_PROBES_MAX or meets DICT_SAME_HASH_MAX
 * others of its hash goes to the next: text that differs where the quick hash does not look into a second table, whatever is
 * left (symbols, for one) into a Map, which serves any key and only has to copy itself now and then.
 *
 * A Map alone has the hash of text at hand, which it keeps in the string, but looks at more memory for a key: at a million
 * keys, a find here takes 0.8 to 0.9 of the time and a change half, and as long as all is in the processor's cache, a Map finds
 * faster.
 */

import { DICT_PROBES_MAX, DICT_SAME_HASH_MAX } from "../limits.js";
import { type Hash, quickHash, wholeHash } from "./key-hash.js";

/** Keys by slot, kept up to date by whoever holds them. */
type Keys<K> = readonly (K | undefined)[];

/** What finds slots. A key that is added is not there, one that is removed is. */
export interface SlotFinder<K> {
  find(key: K): number | undefined;
  add(key: K, slot: number): void;
  remove(key: K, slot: number): void;
}

/** For slots 1 to `capacity`. */
export function keyIndex<K>(capacity: number, keys: Keys<K>): SlotFinder<K> {
  return new KeyIndex(capacity, keys, quickHash, () => {
    return new KeyIndex(capacity, keys, wholeHash, () => new MapIndex());
  });
}

class KeyIndex<K> implements SlotFinder<K> {
  readonly #keys: Keys<K>;
  readonly #hash: Hash;
  /** Pairs of hash and slot; slot 0 is a free cell. */
  readonly #cells: Int32Array;
  /** Cells, a power of two, less one. */
  readonly #mask: number;
  /** Has the keys that found no cell. */
  #next: SlotFinder<K> | undefined;
  readonly #makeNext: () => SlotFinder<K>;

  constructor(capacity: number, keys: Keys<K>, hash: Hash, makeNext: () => SlotFinder<K>) {
    const cells = 2 ** Math.ceil(Math.log2(2 * capacity));
    this.#keys = keys;
    this.#hash = hash;
    this.#makeNext = makeNext;
    // The system gives this memory when it is first written to.
    this.#cells = new Int32Array(2 * cells);
    this.#mask = cells - 1;
  }

  find(key: K): number | undefined {
    const cells = this.#cells;
    const mask = this.#mask;
    const hash = this.#hash(key);
    let at = hash & mask;
    let others = 0;
    for (let probe = 0; probe < DICT_PROBES_MAX; probe++) {
      const slot = cells[2 * at + 1] as number;
      if (slot === 0) break;
      if (cells[2 * at] === hash) {
        const held = this.#keys[slot];
        // biome-ignore lint/suspicious/noSelfCompare: only NaN is not itself, and to a Map all are one key
        if (held === key || (key !== key && held !== held)) return slot;
        if (++others === DICT_SAME_HASH_MAX) break;
      }
      at = (at + 1) & mask;
    }
    return this.#next === undefined ? undefined : this.#next.find(key);
  }

  add(key: K, slot: number): void {
    const cells = this.#cells;
    const mask = this.#mask;
    const hash = this.#hash(key);
    let at = hash & mask;
    let others = 0;
    for (let probe = 0; probe < DICT_PROBES_MAX; probe++) {
      if (cells[2 * at + 1] === 0) {
        cells[2 * at] = hash;
        cells[2 * at + 1] = slot;
        return;
      }
      if (cells[2 * at] === hash && ++others === DICT_SAME_HASH_MAX) break;
      at = (at + 1) & mask;
    }
    this.#next ??= this.#makeNext();
    this.#next.add(key, slot);
  }

  remove(key: K, slot: number): void {
    const cells = this.#cells;
    const mask = this.#mask;
    let at = this.#hash(key) & mask;
    for (let probe = 0; probe < DICT_PROBES_MAX; probe++) {
      const found = cells[2 * at + 1] as number;
      if (found === slot) {
        this.#free(at);
        return;
      }
      if (found === 0) break;
      at = (at + 1) & mask;
    }
    this.#next?.remove(key, slot);
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

class MapIndex<K> implements SlotFinder<K> {
  readonly #slots = new Map<K, number>();

  find(key: K): number | undefined {
    return this.#slots.get(key);
  }
  add(key: K, slot: number): void {
    this.#slots.set(key, slot);
  }
  remove(key: K): void {
    this.#slots.delete(key);
  }
}

/**
 * Keys and values in the order of their use: what a BoundedDict is made of.
 *
 *   key -> slot (a Map, or key-index.ts) -> key, value
 *                                        -> place in the order of use (use-order.ts)
 *
 * A Map has to copy itself when it is full, also when most of what filled it was deleted since: 33 ms and more at a million
 * keys, in one `set`. Above DICT_ONE_MAP_KEYS_MAX keys a hash table of our own finds the slots, which never does.
 */

import { DICT_ONE_MAP_KEYS_MAX } from "../limits.js";
import { keyIndex, type SlotFinder } from "./key-index.js";
import { UseOrder } from "./use-order.js";

/** The order is what it inherits, and not what it holds: a use of a key then goes through one object less. */
export class LruTable<K, V> extends UseOrder {
  readonly #keys: (K | undefined)[];
  readonly #values: (V | undefined)[];
  /** What finds the slot of a key: one of the two. */
  readonly #map: Map<K, number> | undefined;
  readonly #index: SlotFinder<K> | undefined;
  #size = 0;

  /**
   * Slots 1 to `capacity`, none taken. Iterations that stand in `predecessor` can go on in this one. What a large table
   * takes is taken here (7 ms for a million entries), and not in the middle of a `set`.
   */
  constructor(capacity: number, predecessor?: LruTable<K, V>, emptied?: LruTable<K, V>) {
    super(capacity, predecessor);
    const isLarge = capacity > DICT_ONE_MAP_KEYS_MAX;
    const slots = isLarge ? capacity + 1 : 1;
    this.#keys = emptied === undefined ? new Array(slots) : forgotten(emptied.#keys);
    this.#values = emptied === undefined ? new Array(slots) : forgotten(emptied.#values);
    if (isLarge) this.#index = keyIndex(capacity, this.#keys);
    else this.#map = new Map();
  }

  get size(): number {
    return this.#size;
  }

  /** The slot of a key; undefined if it is not there. */
  find(key: K): number | undefined {
    const map = this.#map;
    return map === undefined ? (this.#index as SlotFinder<K>).find(key) : map.get(key);
  }

  keyAt(slot: number): K {
    return this.#keys[slot] as K;
  }

  valueAt(slot: number): V {
    return this.#values[slot] as V;
  }

  setValue(slot: number, value: V): void {
    this.#values[slot] = value;
  }

  /** Adds a key that is not there, as the newest. There must be room. */
  insert(key: K, value: V): number {
    const slot = this.take();
    this.#put(slot, key, value);
    this.#size++;
    return slot;
  }

  /** The same in place of the entry used longest ago, which is forgotten. */
  replaceOldest(key: K, value: V): void {
    this.#forget(this.oldest);
    this.#put(this.reuseOldest(), key, value);
  }

  remove(slot: number): void {
    this.#forget(slot);
    this.giveBack(slot);
    this.#keys[slot] = undefined;
    this.#values[slot] = undefined;
    this.#size--;
  }

  /** An empty table of the same capacity in place of this one, whose memory it takes over. */
  cleared(): LruTable<K, V> {
    return new LruTable(this.capacity, this, this);
  }

  /** A table for another capacity with all entries of this one, which must fit. `moved` is told where each went. */
  resized(capacity: number, moved: (from: number, to: number) => void): LruTable<K, V> {
    const table = new LruTable<K, V>(capacity, this);
    for (let from = this.oldest; from !== 0; from = this.next(from)) {
      const to = table.insert(this.keyAt(from), this.valueAt(from));
      this.copyStamp(from, table, to);
      moved(from, to);
    }
    return table;
  }

  #put(slot: number, key: K, value: V): void {
    // As a Map does: -0 and 0 are one key, and it is 0.
    this.#keys[slot] = key === 0 ? (0 as K) : key;
    this.#values[slot] = value;
    const map = this.#map;
    if (map === undefined) (this.#index as SlotFinder<K>).add(key, slot);
    else map.set(key, slot);
  }

  #forget(slot: number): void {
    const key = this.#keys[slot] as K;
    const map = this.#map;
    if (map === undefined) (this.#index as SlotFinder<K>).remove(key, slot);
    else map.delete(key);
  }
}

function forgotten<T>(items: (T | undefined)[]): (T | undefined)[] {
  for (let slot = 0; slot < items.length; slot++) {
    // A number keeps nothing alive, and writing undefined among doubles would box them all.
    if (typeof items[slot] !== "number") items[slot] = undefined;
  }
  return items;
}

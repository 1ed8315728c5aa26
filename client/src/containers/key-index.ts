/**
 * Finds the slot of a key: one Map, or several of a part of the keys each.
 *
 * A Map has to copy itself when it is full, also when most of what filled it was deleted since: 33 ms at a million keys, in
 * one `set`. Several small Maps take that in turns, a millisecond each. A table of our own would have to hash the text of
 * its keys, which the Map finds in the string; measured, such a table evicts four times faster and finds a key of 64
 * characters half as fast.
 */

import { DICT_MAP_KEYS_MAX } from "../limits.js";
import { shardOf } from "./key-shard.js";

export class KeyIndex<K> {
  readonly #maps: readonly Map<K, number>[];
  readonly #only: Map<K, number> | undefined;

  constructor(capacity: number) {
    this.#maps = Array.from({ length: KeyIndex.mapsFor(capacity) }, () => new Map<K, number>());
    this.#only = this.#maps.length === 1 ? this.#maps[0] : undefined;
  }

  /** How many Maps are best for so many keys; a power of two. */
  static mapsFor(capacity: number): number {
    let maps = 1;
    while (maps * DICT_MAP_KEYS_MAX < capacity) maps *= 2;
    return maps;
  }

  get maps(): number {
    return this.#maps.length;
  }

  get(key: K): number | undefined {
    return this.#mapOf(key).get(key);
  }

  set(key: K, slot: number): void {
    this.#mapOf(key).set(key, slot);
  }

  delete(key: K): void {
    this.#mapOf(key).delete(key);
  }

  #mapOf(key: K): Map<K, number> {
    return this.#only ?? (this.#maps[shardOf(key) & (this.#maps.length - 1)] as Map<K, number>);
  }
}

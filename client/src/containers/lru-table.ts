/**
 * Keys and values in the order of their use: what a BoundedDict is made of. An entry has a slot, which is where its key and
 * value are; a Map finds the slot of a key.
 *
 * The order is a doubly linked list, the entry used longest ago first; slot 0 is both its ends. A stamp is the time of the
 * last use, counted in uses; stamps ascend along the list. An iteration remembers the stamp of where it stands, and so
 * finds its place again whatever was moved or removed meanwhile; nobody has to know of iterations that were forgotten.
 *
 * While a loop is under way, uses move nothing: `for (const k of d.keys()) d.get(k)` would never end otherwise, as each key
 * went to the end that the loop runs to. A loop is over when it is exhausted or left; one that was abandoned without a word
 * (a generator that nobody resumes) is taken as over after ITERATION_USES_MAX uses.
 *
 * A Map has to copy itself when it is full, also when most of what filled it was deleted since: 33 ms and more at a million
 * keys, in one `set`. Above DICT_ONE_MAP_KEYS_MAX keys there are several Maps, which take that in turns, half a millisecond
 * each. A hash table of our own would have to hash the text of keys, which a Map finds in the string: measured, it evicts
 * four times faster and finds a key of 64 characters half as fast.
 */

import { DICT_MAP_KEYS_MAX, DICT_ONE_MAP_KEYS_MAX } from "../limits.js";
import { shardOf } from "./key-shard.js";

export class LruTable<K, V> {
  readonly #maps: readonly Map<K, number>[];
  /** The only Map where there is one. */
  readonly #only: Map<K, number> | undefined;
  readonly #keys: (K | undefined)[];
  readonly #values: (V | undefined)[];
  /** Of each slot the one before it, the one after it and its stamp, side by side: a use touches one line of memory for all. */
  readonly #links: Uint32Array;
  /** The same memory; a stamp is behind its slot's two links. */
  readonly #stamps: Float64Array;
  #size = 0;
  #clock: number;
  /** Highest slot that was ever taken. */
  #taken = 0;
  /** Head of the slots that were given back, chained by `next`; 0 if there is none. */
  #free = 0;
  /** Loops under way, and what is left until they count as abandoned. */
  #loops = 0;
  #usesLeft = 0;
  /** Changes when loops are given up: those that go on nevertheless count anew. */
  #era: number;

  /**
   * Slots 1 to `capacity`, none taken. Iterations that stand in `predecessor` can go on in this one. What a large table
   * takes is taken here (15 ms for a million entries), and not in the middle of a `set`.
   */
  constructor(capacity: number, predecessor?: LruTable<K, V>) {
    this.#maps = Array.from({ length: mapsFor(capacity) }, () => new Map<K, number>());
    this.#only = this.#maps.length === 1 ? this.#maps[0] : undefined;
    const slots = this.#only === undefined ? capacity + 1 : 1;
    this.#keys = new Array(slots);
    this.#values = new Array(slots);
    // The system gives this memory when it is first written to.
    this.#links = new Uint32Array(4 * (capacity + 1));
    this.#stamps = new Float64Array(this.#links.buffer);
    this.#clock = predecessor === undefined ? 0 : predecessor.#clock;
    this.#era = predecessor === undefined ? 1 : predecessor.#era + 1;
  }

  get size(): number {
    return this.#size;
  }
  /** No entry has a later stamp. */
  get clock(): number {
    return this.#clock;
  }
  /** Slot of the entry used longest ago; 0 if there is none. */
  get oldest(): number {
    return this.#links[1] as number;
  }
  /** Slot of the entry used last; 0 if there is none. */
  get newest(): number {
    return this.#links[0] as number;
  }

  /** The slot of a key; undefined if it is not there. */
  find(key: K): number | undefined {
    return this.#mapOf(key).get(key);
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

  /** The slot of the entry used next after this one; 0 if there is none. */
  next(slot: number): number {
    return this.#links[4 * slot + 1] as number;
  }

  /** 0 for a slot that is not taken. */
  stamp(slot: number): number {
    return this.#stamps[2 * slot + 1] as number;
  }

  /** Adds a key that is not there, as the newest. There must be room. */
  insert(key: K, value: V): number {
    return this.#insert(key, value, ++this.#clock);
  }

  /** The same in place of the entry used longest ago, which is forgotten. */
  replaceOldest(key: K, value: V): void {
    const slot = this.#links[1] as number;
    const dropped = this.#keys[slot] as K;
    this.#mapOf(dropped).delete(dropped);
    this.#unlink(slot);
    this.#put(slot, key, value);
    this.#append(slot, ++this.#clock);
  }

  remove(slot: number): void {
    const key = this.#keys[slot] as K;
    this.#mapOf(key).delete(key);
    this.#keys[slot] = undefined;
    this.#values[slot] = undefined;
    this.#unlink(slot);
    this.#stamps[2 * slot + 1] = 0;
    this.#links[4 * slot + 1] = this.#free;
    this.#free = slot;
    this.#size--;
  }

  /** Makes an entry the newest, unless a loop is under way. */
  use(slot: number): void {
    if (this.#usesLeft !== 0) this.#useDuringLoop();
    else if (this.#links[0] !== slot) {
      this.#unlink(slot);
      this.#append(slot, ++this.#clock);
    }
  }

  /** Uses until the loops under way count as abandoned; 0 if there is none. */
  get usesLeft(): number {
    return this.#usesLeft;
  }

  /** A loop makes a step. Returns what it shall give at its next step and at its end; 0 at the first. */
  step(era: number, usesMax: number): number {
    if (era !== this.#era) this.#loops++;
    if (this.#usesLeft < usesMax) this.#usesLeft = usesMax;
    return this.#era;
  }

  /** A loop has ended. Those that it began in have left what they had when it began: its own uses are none of theirs. */
  leave(era: number, usesLeftBefore: number): void {
    if (era !== this.#era) return;
    if (--this.#loops === 0) this.#usesLeft = 0;
    else if (usesLeftBefore > 0 && usesLeftBefore < this.#usesLeft) this.#usesLeft = usesLeftBefore;
  }

  /** A table for another capacity with all entries of this one, which must fit. `moved` is told where each went. */
  resized(capacity: number, moved: (from: number, to: number) => void): LruTable<K, V> {
    const table = new LruTable<K, V>(capacity, this);
    for (let from = this.oldest; from !== 0; from = this.next(from)) {
      moved(from, table.#insert(this.keyAt(from), this.valueAt(from), this.stamp(from)));
    }
    return table;
  }

  #mapOf(key: K): Map<K, number> {
    return this.#only ?? (this.#maps[shardOf(key) & (this.#maps.length - 1)] as Map<K, number>);
  }

  #insert(key: K, value: V, stamp: number): number {
    let slot = this.#free;
    if (slot === 0) slot = ++this.#taken;
    else this.#free = this.#links[4 * slot + 1] as number;
    this.#put(slot, key, value);
    this.#append(slot, stamp);
    this.#size++;
    return slot;
  }

  #put(slot: number, key: K, value: V): void {
    // As a Map does: -0 and 0 are one key, and it is 0.
    this.#keys[slot] = key === 0 ? (0 as K) : key;
    this.#values[slot] = value;
    this.#mapOf(key).set(key, slot);
  }

  #unlink(slot: number): void {
    const links = this.#links;
    const previous = links[4 * slot] as number;
    const next = links[4 * slot + 1] as number;
    links[4 * previous + 1] = next;
    links[4 * next] = previous;
  }

  #append(slot: number, stamp: number): void {
    const links = this.#links;
    const newest = links[0] as number;
    links[4 * newest + 1] = slot;
    links[4 * slot] = newest;
    links[4 * slot + 1] = 0;
    links[0] = slot;
    this.#stamps[2 * slot + 1] = stamp;
  }

  #useDuringLoop(): void {
    if (--this.#usesLeft > 0) return;
    this.#loops = 0;
    this.#era++;
  }
}

/** How many Maps are best for so many keys; a power of two. */
function mapsFor(capacity: number): number {
  let maps = 1;
  if (capacity <= DICT_ONE_MAP_KEYS_MAX) return maps;
  while (maps * DICT_MAP_KEYS_MAX < capacity) maps *= 2;
  return maps;
}

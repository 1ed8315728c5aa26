/**
 * A dictionary that keeps the keys used last and works where a Map stood. What it is made of is in lru-table.ts.
 *
 * For a subclass: every write, of the constructor's entries, of `getOrInsert` and of the object view too, is a call of
 * `set`; every entry that the bounds drop is a call of `evicted`. A subclass with private fields that overrides `set` passes
 * no entries to `super(...)`, since its fields do not exist yet when that sets them, but sets them itself.
 *
 * `instanceof Map` is true and costs nothing: the class has Map's prototype, without a Map's table, which everything that
 * looks past the methods (structuredClone) would have taken for the content.
 */

import { type BoundsOptions, checkCapacity, checkSize, resolveBounds } from "./bounds.js";
import { DictIterator } from "./dict-iterator.js";
import { estimateBytes } from "./estimate-bytes.js";
import { LruTable } from "./lru-table.js";
import { objectView, plain, type Viewed } from "./object-view.js";

/** How a dictionary is made. Everything has a default. */
export interface BoundedDictOptions<K, V> extends BoundsOptions {
  /**
   * Bytes of an entry; called at each write, and only where `bytesMax` is given.
   *
   * @default estimateBytes of the key and of the value
   */
  readonly sizeOf?: ((value: V, key: K) => number) | undefined;
}

function MapWithoutTable(): void {}
MapWithoutTable.prototype = Object.create(Map.prototype) as object;

/**
 * The entries used last, usable wherever a Map is. Reading or writing a key makes it the newest; a new key in a full
 * dictionary drops the one used longest ago. Every operation takes the same time at any size.
 *
 * Iterates from the entry used longest ago to the newest. While a loop over it is under way, uses change no entry's place.
 */
export class BoundedDict<K, V> extends (MapWithoutTable as unknown as new <K, V>() => Map<K, V>)<K, V> {
  readonly #name: string | undefined;
  readonly #bytesMax: number | undefined;
  readonly #sizeOf: (value: V, key: K) => number;
  /** By slot; undefined where bytes are not bounded. */
  #sizes: number[] | undefined;
  #table: LruTable<K, V>;
  #capacity: number;
  #bytes = 0;
  #evictions = 0;
  #view: Record<string, V> | undefined;

  /** Throws RangeError for bounds that are none. @default capacity 100 */
  constructor(options?: number | BoundedDictOptions<K, V>, entries?: Iterable<readonly [K, V]> | null) {
    super();
    const { capacity, bytesMax, name } = resolveBounds(options, "BoundedDict");
    this.#name = name;
    this.#capacity = capacity;
    this.#bytesMax = bytesMax;
    this.#sizeOf = (typeof options === "object" ? options.sizeOf : undefined) ?? sizeOfEntry;
    this.#table = new LruTable(capacity);
    if (bytesMax !== undefined) this.#sizes = [];
    if (entries != null) for (const [key, value] of entries) this.set(key, value);
  }

  /** Entries in it. */
  override get size(): number {
    return this.#table.size;
  }
  /** Most entries it holds. */
  get capacity(): number {
    return this.#capacity;
  }
  /** Entries that its bounds have dropped. */
  get evictions(): number {
    return this.#evictions;
  }
  /** Bytes of its entries, as measured when they were written; undefined where bytes are not bounded. */
  get byteLength(): number | undefined {
    return this.#sizes === undefined ? undefined : this.#bytes;
  }
  /** What it is called, in metrics for instance. */
  get name(): string | undefined {
    return this.#name;
  }

  /** The value of a key, or `missing`; makes the key the newest. */
  override get(key: K): V | undefined;
  override get(key: K, missing: V): V;
  override get(key: K, missing?: V): V | undefined {
    const slot = this.#table.find(key);
    if (slot === undefined) return missing;
    this.#table.use(slot);
    return this.#table.valueAt(slot);
  }

  /** The value of a key; changes no order. */
  peek(key: K): V | undefined {
    const slot = this.#table.find(key);
    return slot === undefined ? undefined : this.#table.valueAt(slot);
  }

  /** Whether the key is there; changes no order. */
  override has(key: K): boolean {
    return this.#table.find(key) !== undefined;
  }

  /**
   * Writes a key and makes it the newest; drops what has no room any more. An entry larger than `bytesMax` alone is not
   * kept: it counts as dropped at once, and the others stay.
   */
  override set(key: K, value: V): this {
    if (this.#sizes !== undefined) return this.#setMeasured(key, value, this.#sizes);
    const table = this.#table;
    const slot = table.find(key);
    if (slot !== undefined) {
      table.setValue(slot, value);
      table.use(slot);
    } else if (table.size < this.#capacity) {
      table.insert(key, value);
    } else {
      const { oldest } = table;
      const droppedKey = table.keyAt(oldest);
      const dropped = table.valueAt(oldest);
      table.replaceOldest(key, value);
      this.#evictions++;
      this.evicted(droppedKey, dropped);
    }
    return this;
  }

  /** Removes a key. Returns whether it was there. */
  override delete(key: K): boolean {
    const slot = this.#table.find(key);
    if (slot === undefined) return false;
    this.#remove(slot);
    return true;
  }

  /** Forgets all entries. */
  override clear(): void {
    this.#table = this.#table.cleared();
    if (this.#sizes !== undefined) this.#sizes = [];
    this.#bytes = 0;
  }

  /** The value of a key; `value` is written first if it is not there. */
  getOrInsert(key: K, value: V): V {
    if (!this.has(key)) {
      this.set(key, value);
      return value;
    }
    return this.get(key) as V;
  }

  /** The value of a key; what `compute` returns is written first if it is not there. */
  getOrInsertComputed(key: K, compute: (key: K) => V): V {
    return this.has(key) ? (this.get(key) as V) : this.getOrInsert(key, compute(key));
  }

  /** Changes the capacity; drops the entries used longest ago that do not fit any more. Copies all others. Throws RangeError. */
  resize(capacity: number): void {
    if (checkCapacity(capacity, "BoundedDict") === this.#capacity) return;
    this.#capacity = capacity;
    while (this.#table.size > capacity) this.#evict(this.#table.oldest);
    const from = this.#sizes;
    const to: number[] = [0];
    this.#table = this.#table.resized(capacity, (before, after) => {
      if (from !== undefined) to[after] = from[before] as number;
    });
    if (from !== undefined) this.#sizes = to;
  }

  /** Calls `visit` for each entry. */
  override forEach(visit: (value: V, key: K, dict: BoundedDict<K, V>) => void, self?: unknown): void {
    for (const [key, value] of this) visit.call(self, value, key, this);
  }

  /** The keys, the one used longest ago first. */
  override keys(): MapIterator<K> {
    return new DictIterator<K, V, K>(() => this.#table, "places", false);
  }

  /** The values, the one used longest ago first. */
  override values(): MapIterator<V> {
    return new DictIterator<K, V, V>(() => this.#table, "items", false);
  }

  /** Keys and values, those used longest ago first. */
  override entries(): MapIterator<[K, V]> {
    return new DictIterator<K, V, [K, V]>(() => this.#table, "entries", false);
  }

  override [Symbol.iterator](): MapIterator<[K, V]> {
    return new DictIterator<K, V, [K, V]>(() => this.#table, "entries", true);
  }

  override get [Symbol.toStringTag](): string {
    return "BoundedDict";
  }

  /** A plain object with the entries whose keys are text. */
  toObject(): Record<string, V> {
    return plain(this as unknown as Viewed<V>);
  }

  /** What JSON.stringify writes: `toObject()`. A Map is written as `{}`. */
  toJSON(): Record<string, V> {
    return this.toObject();
  }

  /**
   * The dictionary as an object: properties are its text keys. Reading, writing and `delete` are `get`, `set` and
   * `delete`; `in`, Object.keys, spread and JSON work. Always the same object.
   */
  asObject(): Record<string, V> {
    this.#view ??= objectView(this as unknown as Viewed<V>);
    return this.#view;
  }

  /** Called when the bounds have dropped an entry, after all is done. Does nothing here. */
  protected evicted(_key: K, _value: V): void {}

  #setMeasured(key: K, value: V, sizes: number[]): this {
    const bytes = checkSize(this.#sizeOf(value, key));
    const table = this.#table;
    let slot = table.find(key);
    if (bytes > (this.#bytesMax as number)) {
      if (slot !== undefined) this.#remove(slot);
      this.#evictions++;
      this.evicted(key, value);
      return this;
    }
    const dropped: [K, V][] = [];
    if (slot !== undefined) {
      this.#bytes += bytes - (sizes[slot] as number);
      table.setValue(slot, value);
      table.use(slot);
    } else {
      if (table.size === this.#capacity) dropped.push(this.#remove(table.oldest));
      slot = table.insert(key, value);
      this.#bytes += bytes;
    }
    sizes[slot] = bytes;
    while (this.#bytes > (this.#bytesMax as number)) {
      // During a loop the key just written may be the oldest; it fits, so there is another one.
      const { oldest } = table;
      dropped.push(this.#remove(oldest === slot ? table.next(slot) : oldest));
    }
    this.#evictions += dropped.length;
    for (const [droppedKey, each] of dropped) this.evicted(droppedKey, each);
    return this;
  }

  #evict(slot: number): void {
    const [key, value] = this.#remove(slot);
    this.#evictions++;
    this.evicted(key, value);
  }

  #remove(slot: number): [K, V] {
    const table = this.#table;
    const entry: [K, V] = [table.keyAt(slot), table.valueAt(slot)];
    table.remove(slot);
    if (this.#sizes !== undefined) {
      this.#bytes -= this.#sizes[slot] as number;
      this.#sizes[slot] = 0;
      // Sizes need not be whole: what adding and subtracting them left over must not stay for ever.
      if (table.size === 0) this.#bytes = 0;
    }
    return entry;
  }
}

function sizeOfEntry(value: unknown, key: unknown): number {
  return estimateBytes(key) + estimateBytes(value);
}

/** Node shows what it takes for a Map by the table that this one lacks: it is asked for a real one. */
Object.defineProperty(BoundedDict.prototype, Symbol.for("nodejs.util.inspect.custom"), {
  value(this: BoundedDict<unknown, unknown>): Map<unknown, unknown> {
    return new Map(this);
  },
  configurable: true,
  writable: true,
});

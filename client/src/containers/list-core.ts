/** What a BoundedList is behind its Proxy: items in a queue, their bounds, and who is told of changes. */

import { checkCapacity, checkSize, type ResolvedBounds } from "./bounds.js";
import { estimateBytes } from "./estimate-bytes.js";
import { changesKind, type ItemQueue, itemQueue } from "./slot-queue.js";
import type { Walkable } from "./walk.js";

/**
 * What happens inside a list, for a wrapper. Called in the middle of the change: an observer must not throw, nor touch the
 * list.
 */
export interface ListObserver<T> {
  /** `item` was appended by append, push or extend; called before anything is evicted for it. */
  appended(item: T): void;
  /** That many of the oldest items left memory because of the bounds. */
  evicted(count: number): void;
  /** The content was changed in any other way: places do not follow the order of appends any more. */
  changed(isEmpty: boolean): void;
}

/** Longest length that an Array can have, and with it what may be assigned to `length`. */
const ARRAY_LENGTH_MAX = 2 ** 32 - 1;

export class ListCore<T> implements Walkable<T> {
  readonly name: string | undefined;
  readonly #bytesMax: number | undefined;
  readonly #sizeOf: (item: T) => number;
  readonly #observer: ListObserver<T> | undefined;
  #capacity: number;
  #items: ItemQueue<T>;
  /** Parallel to the items; undefined where bytes are not bounded. */
  #sizes: ItemQueue<number> | undefined;
  #bytes = 0;
  #evictions = 0;
  /** Of these, what the observer was not told yet. */
  #untold = 0;

  constructor(
    { capacity, bytesMax, name }: ResolvedBounds,
    sizeOf: ((item: T) => number) | undefined,
    observer: ListObserver<T> | undefined,
  ) {
    this.name = name;
    this.#capacity = capacity;
    this.#bytesMax = bytesMax;
    this.#sizeOf = sizeOf ?? estimateBytes;
    this.#observer = observer;
    this.#items = itemQueue(capacity);
    if (bytesMax !== undefined) this.#sizes = itemQueue(capacity);
  }

  get length(): number {
    return this.#items.length;
  }
  get capacity(): number {
    return this.#capacity;
  }
  get evictions(): number {
    return this.#evictions;
  }
  get byteLength(): number | undefined {
    return this.#sizes === undefined ? undefined : this.#bytes;
  }

  get(index: number): T | undefined {
    return this.#items.get(index);
  }

  append(item: T): void {
    if (this.#sizes !== undefined) {
      this.#put(item, this.#measure(item));
      if (this.#observer !== undefined) this.#observer.appended(item);
      this.#fit();
      return;
    }
    const isFull = this.#items.length === this.#capacity;
    this.#items.push(item);
    if (this.#observer !== undefined) this.#observer.appended(item);
    if (isFull) {
      this.#evictions++;
      if (this.#observer !== undefined) this.#observer.evicted(1);
    }
  }

  extend(items: Iterable<T>): void {
    for (const item of items) this.append(item);
  }

  /** Assignment to a place: beyond the end it makes the list longer, and undefined fills what lies between. */
  set(index: number, item: T): void {
    const bytes = this.#measure(item);
    if (index < this.#items.length) {
      this.#items.set(index, item);
      if (this.#sizes !== undefined) {
        this.#bytes += bytes - (this.#sizes.get(index) ?? 0);
        this.#sizes.set(index, bytes);
      }
    } else {
      this.#lengthen(index);
      this.#put(item, bytes);
    }
    this.#fit();
    this.#changed();
  }

  /** Assignment to `length`. Throws RangeError as an Array does. */
  setLength(length: number): void {
    if (!(Number.isInteger(length) && length >= 0 && length <= ARRAY_LENGTH_MAX)) {
      throw new RangeError("Invalid array length");
    }
    if (length === this.#items.length) return;
    if (length > this.#items.length) this.#lengthen(length);
    else if (length === 0) this.#empty();
    else while (this.#items.length > length) this.#pop();
    this.#fit();
    this.#changed();
  }

  pop(): T | undefined {
    if (this.#items.length === 0) return undefined;
    const item = this.#pop();
    this.#changed();
    return item;
  }

  shift(): T | undefined {
    if (this.#items.length === 0) return undefined;
    const item = this.#shift();
    this.#changed();
    return item;
  }

  clear(): void {
    this.#empty();
    this.#changed();
  }

  /** Puts other items in the place of all: sizes are measured anew, and what is too much drops the oldest. */
  replace(items: readonly T[]): void {
    // Measured first: if `sizeOf` throws, nothing has changed.
    const sizes = this.#sizes === undefined ? undefined : items.map((item) => this.#measure(item));
    this.#empty();
    for (let index = 0; index < items.length; index++) this.#put(items[index] as T, sizes?.[index] ?? 0);
    this.#fit();
    this.#changed();
  }

  resize(capacity: number): void {
    const before = this.#capacity;
    this.#capacity = checkCapacity(capacity, "BoundedList");
    while (this.#items.length > capacity) this.#drop();
    this.#items = resized(this.#items, before, capacity);
    if (this.#sizes !== undefined) this.#sizes = resized(this.#sizes, before, capacity);
    this.#fit();
  }

  toArray(): T[] {
    return this.#items.toArray();
  }

  /** A place that only fills a hole weighs nothing: `sizeOf` need not know undefined. */
  #measure(item: T): number {
    return this.#sizes === undefined || item === undefined ? 0 : checkSize(this.#sizeOf(item));
  }

  /** Adds the newest item; drops the oldest if there is no room. */
  #put(item: T, bytes: number): void {
    if (this.#items.length === this.#capacity) this.#drop();
    this.#items.push(item);
    if (this.#sizes === undefined) return;
    this.#sizes.push(bytes);
    this.#bytes += bytes;
  }

  #pop(): T | undefined {
    if (this.#sizes !== undefined) this.#bytes -= this.#sizes.pop() ?? 0;
    return this.#items.pop();
  }

  #shift(): T | undefined {
    if (this.#sizes !== undefined) this.#bytes -= this.#sizes.shift() ?? 0;
    return this.#items.shift();
  }

  #drop(): void {
    this.#shift();
    this.#evictions++;
    this.#untold++;
  }

  #empty(): void {
    this.#items = itemQueue(this.#capacity);
    if (this.#sizes !== undefined) this.#sizes = itemQueue(this.#capacity);
    this.#bytes = 0;
  }

  /** Fills with undefined up to `length`; only as many as can stay. */
  #lengthen(length: number): void {
    const fill = Math.min(length - this.#items.length, this.#capacity);
    for (let count = 0; count < fill; count++) this.#put(undefined as T, 0);
  }

  /**
   * Drops the oldest items until their bytes fit, and tells of all that were dropped. An item that is too large alone is
   * dropped with all before it.
   */
  #fit(): void {
    if (this.#bytesMax !== undefined) {
      while (this.#bytes > this.#bytesMax && this.#items.length > 0) this.#drop();
      // Sizes need not be whole: what adding and subtracting them left over must not stay for ever.
      if (this.#items.length === 0) this.#bytes = 0;
    }
    const count = this.#untold;
    this.#untold = 0;
    if (count > 0) this.#observer?.evicted(count);
  }

  #changed(): void {
    this.#observer?.changed(this.#items.length === 0);
  }
}

function resized<Item>(items: ItemQueue<Item>, before: number, capacity: number): ItemQueue<Item> {
  if (!changesKind(before, capacity)) {
    items.resize(capacity);
    return items;
  }
  const moved = itemQueue<Item>(capacity);
  for (const item of items.toArray()) moved.push(item);
  return moved;
}

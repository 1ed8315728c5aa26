/** What a BoundedList is behind its Proxy: items in a queue, their bounds, and who is told of changes. */

import { LIST_PIECE_SLOTS_MAX } from "../limits.js";
import { checkCapacity, checkSize, type ResolvedBounds } from "./bounds.js";
import { estimateBytes } from "./estimate-bytes.js";
import { SlotQueue } from "./slot-queue.js";
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
  #items: SlotQueue<T>;
  /** Parallel to the items; undefined where bytes are not bounded. */
  #sizes: SlotQueue<number> | undefined;
  #bytes = 0;
  #evictions = 0;

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
    this.#items = this.#queue();
    if (bytesMax !== undefined) this.#sizes = this.#queue();
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
    return index >= 0 && index < this.#items.length ? this.#items.get(index) : undefined;
  }

  append(item: T): void {
    if (this.#sizes !== undefined) {
      this.#put(item, this.#measure(item));
      this.#observer?.appended(item);
      this.#fit();
      return;
    }
    this.#items.push(item);
    if (this.#observer !== undefined) this.#observer.appended(item);
    if (this.#items.length > this.#capacity) {
      this.#items.shift();
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
        this.#bytes += bytes - this.#sizes.get(index);
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
    const surplus = Math.max(0, items.length - this.#capacity);
    this.#empty();
    for (let index = surplus; index < items.length; index++) this.#put(items[index] as T, sizes?.[index] ?? 0);
    if (surplus > 0) this.#evicted(surplus);
    this.#fit();
    this.#changed();
  }

  resize(capacity: number): void {
    this.#capacity = checkCapacity(capacity, "BoundedList");
    this.#fit();
    if (SlotQueue.slotsFor(capacity, LIST_PIECE_SLOTS_MAX) === this.#items.slots) return;
    this.#items = this.#moved(this.#items);
    if (this.#sizes !== undefined) this.#sizes = this.#moved(this.#sizes);
  }

  toArray(): T[] {
    return this.#items.toArray();
  }

  #queue<Item>(): SlotQueue<Item> {
    return new SlotQueue(SlotQueue.slotsFor(this.#capacity, LIST_PIECE_SLOTS_MAX));
  }

  #moved<Item>(from: SlotQueue<Item>): SlotQueue<Item> {
    const to = this.#queue<Item>();
    for (const item of from.toArray()) to.push(item);
    return to;
  }

  /** A place that only fills a hole weighs nothing: `sizeOf` need not know undefined. */
  #measure(item: T): number {
    return this.#sizes === undefined || item === undefined ? 0 : checkSize(this.#sizeOf(item));
  }

  #put(item: T, bytes: number): void {
    this.#items.push(item);
    if (this.#sizes === undefined) return;
    this.#sizes.push(bytes);
    this.#bytes += bytes;
  }

  #pop(): T {
    if (this.#sizes !== undefined) this.#bytes -= this.#sizes.pop();
    return this.#items.pop();
  }

  #shift(): T {
    if (this.#sizes !== undefined) this.#bytes -= this.#sizes.shift();
    return this.#items.shift();
  }

  #empty(): void {
    this.#items = this.#queue();
    if (this.#sizes !== undefined) this.#sizes = this.#queue();
    this.#bytes = 0;
  }

  /** Fills with undefined up to `length`; only as many as can stay. */
  #lengthen(length: number): void {
    const fill = Math.min(length - this.#items.length, this.#capacity);
    for (let count = 0; count < fill; count++) this.#put(undefined as T, 0);
  }

  /** Drops the oldest items until both bounds hold. An item that is too large alone is dropped with all before it. */
  #fit(): void {
    let count = 0;
    while (this.#items.length > this.#capacity || this.#bytes > (this.#bytesMax ?? this.#bytes)) {
      if (this.#items.length === 0) break;
      this.#shift();
      count++;
    }
    // Sizes need not be whole: what adding and subtracting them left over must not stay for ever.
    if (this.#items.length === 0) this.#bytes = 0;
    if (count > 0) this.#evicted(count);
  }

  #evicted(count: number): void {
    this.#evictions += count;
    this.#observer?.evicted(count);
  }

  #changed(): void {
    this.#observer?.changed(this.#items.length === 0);
  }
}

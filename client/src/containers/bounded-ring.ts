/**
 * The bare ring: first in, first out, nothing but an index away. For those who want the plain speed of an array slot and
 * need no Array.
 *
 *   slots   | 8 | 9 | 4 | 5 | 6 | 7 |      length 6, the oldest is 4
 *                 ^ at: behind the newest
 *
 * All slots are taken when it is made: 8 bytes each, 6 to 8 ms for a million. Growing by doubling was measured: its largest
 * step takes as long, but in the middle of a push, and a push that may grow takes 3.0 ns instead of 1.4, since V8 cannot
 * keep what it knows of the slots from one push to the next. A BoundedList grows, and stalls nowhere.
 */

import { checkCapacity, resolveBounds } from "./bounds.js";
import { WalkIterator } from "./walk.js";

/** How a ring is made. Everything has a default. */
export interface BoundedRingOptions {
  /** Most items it holds, 1 to 16,777,216. @default 100 */
  readonly capacity?: number | undefined;
  /** What it is called, in metrics for instance. @default none */
  readonly name?: string | undefined;
}

/** The newest `capacity` items, oldest first. Pushing to a full ring drops the oldest. */
export class BoundedRing<T> implements Iterable<T> {
  readonly #name: string | undefined;
  #slots: (T | undefined)[];
  #capacity: number;
  /** The slot behind the newest item; `capacity` where that is the last slot. */
  #at = 0;
  #length = 0;
  /** Items ever pushed, less `at`. */
  #pushedBefore = 0;
  /** Items that left otherwise than by the bound. */
  #taken = 0;

  /** Throws RangeError for a capacity that is none. @default capacity 100 */
  constructor(options?: number | BoundedRingOptions) {
    const { capacity, name } = resolveBounds(options, "BoundedRing");
    this.#name = name;
    this.#capacity = capacity;
    this.#slots = new Array(capacity);
  }

  /** Items in it. */
  get length(): number {
    return this.#length;
  }
  /** Most items it holds. */
  get capacity(): number {
    return this.#capacity;
  }
  /** Items that its bound has dropped. */
  get evictions(): number {
    return this.#pushedBefore + this.#at - this.#taken - this.#length;
  }
  /** Always undefined: a ring is bounded by items only. */
  get byteLength(): undefined {
    return undefined;
  }
  /** What it is called, in metrics for instance. */
  get name(): string | undefined {
    return this.#name;
  }

  /** Adds the newest; drops the oldest if the ring is full. */
  push(item: T): void {
    let at = this.#at;
    if (at === this.#capacity) {
      at = 0;
      this.#pushedBefore += this.#capacity;
    }
    this.#slots[at] = item;
    this.#at = at + 1;
    if (this.#length !== this.#capacity) this.#length++;
  }

  /** Takes the oldest out; undefined if the ring is empty. */
  shift(): T | undefined {
    return this.#length === 0 ? undefined : this.#take(this.#slotOf(0));
  }

  /** Takes the newest out; undefined if the ring is empty. */
  pop(): T | undefined {
    if (this.#length === 0) return undefined;
    const slot = this.#slotOf(this.#length - 1);
    this.#pushedBefore += this.#at - slot;
    this.#at = slot;
    return this.#take(slot);
  }

  /** The item at this place, 0 being the oldest; undefined outside. */
  get(index: number): T | undefined {
    if (!(index >= 0 && index < this.#length)) return undefined;
    let slot = this.#at - this.#length + index;
    if (slot < 0) slot += this.#capacity;
    return this.#slots[slot];
  }

  /** The same, and a negative place counts from the end: -1 is the newest. */
  at(index: number): T | undefined {
    return this.get(index < 0 ? index + this.#length : index);
  }

  /** Puts another item in a place that is taken; a negative place counts from the end. Throws RangeError outside. */
  set(index: number, item: T): void {
    const place = index < 0 ? index + this.#length : index;
    if (!Number.isInteger(place) || place < 0 || place >= this.#length) {
      throw new RangeError(`there is no item ${String(index)} in a BoundedRing of ${this.#length}`);
    }
    this.#slots[this.#slotOf(place)] = item;
  }

  /** The oldest item; undefined if the ring is empty. */
  first(): T | undefined {
    return this.get(0);
  }

  /** The newest item; undefined if the ring is empty. */
  last(): T | undefined {
    return this.get(this.#length - 1);
  }

  /** Forgets all items. */
  clear(): void {
    this.#taken += this.#length;
    this.#length = 0;
    this.#move(this.#capacity);
  }

  /** Changes the capacity; drops the oldest items that do not fit any more. Copies all others. Throws RangeError. */
  resize(capacity: number): void {
    if (checkCapacity(capacity, "BoundedRing") === this.#capacity) return;
    this.#length = Math.min(this.#length, capacity);
    this.#move(capacity);
  }

  /** A plain array of all items, oldest first. */
  toArray(): T[] {
    const first = this.#at - this.#length;
    if (first >= 0) return this.#slots.slice(first, this.#at) as T[];
    const older = this.#slots.slice(first + this.#capacity) as T[];
    return older.concat(this.#slots.slice(0, this.#at) as T[]);
  }

  /** All items, oldest first. Items that are dropped meanwhile are left out, none comes twice. */
  [Symbol.iterator](): ArrayIterator<T> {
    return new WalkIterator<T, T>(this, "items");
  }

  #slotOf(index: number): number {
    const slot = this.#at - this.#length + index;
    return slot < 0 ? slot + this.#capacity : slot;
  }

  #take(slot: number): T | undefined {
    const item = this.#slots[slot];
    // A number keeps nothing alive, and among numbers alone V8 stores them without boxes: leave them alone.
    if (typeof item !== "number") this.#slots[slot] = undefined;
    this.#length--;
    this.#taken++;
    return item;
  }

  /** Moves the newest `length` items to the beginning of new slots. */
  #move(capacity: number): void {
    const pushed = this.#pushedBefore + this.#at;
    const slots = new Array<T | undefined>(capacity);
    for (let index = 0; index < this.#length; index++) slots[index] = this.#slots[this.#slotOf(index)];
    this.#slots = slots;
    this.#capacity = capacity;
    this.#at = this.#length;
    this.#pushedBefore = pushed - this.#at;
  }
}

/**
 * The bare ring: first in, first out, nothing but an index away. For those who want the plain speed of an array slot and
 * need no Array.
 *
 *   slots   | 8 | 9 | 4 | 5 | 6 | 7 |      length 6, the oldest is 4
 *                     ^ at: where the next goes
 *
 * Slots grow by doubling, up to RING_GROWTH_SLOTS_MAX; a ring that may become larger takes all of them when it is made. A
 * new array of a million slots takes 6 to 8 ms, because all its pages are written: a price for a constructor or a resize,
 * not for a push. The alternative, slots in pieces, made a push half as slow again (a BoundedList, whose every access costs
 * more than that anyway, is made of such pieces).
 */

import { RING_GROWTH_SLOTS_MAX, RING_SLOTS_INITIAL } from "../limits.js";
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
  #capacity: number;
  #slots: (T | undefined)[];
  /** Length of the slots. */
  #end: number;
  /** The slot that the next item goes to. */
  #at = 0;
  #length = 0;
  /** Items that were pushed and are not counted by `at`, which makes the sum of both all that ever were. */
  #pushedBefore = 0;
  /** Items that left otherwise than by the bound. */
  #taken = 0;

  /** Throws RangeError for a capacity that is none. @default capacity 100 */
  constructor(options?: number | BoundedRingOptions) {
    const { capacity, name } = resolveBounds(options, "BoundedRing");
    this.#name = name;
    this.#capacity = capacity;
    this.#end = firstSlots(capacity);
    this.#slots = new Array(this.#end);
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
    const at = this.#at;
    this.#slots[at] = item;
    if (this.#length !== this.#capacity) this.#length++;
    if (at + 1 === this.#end) this.#turn();
    else this.#at = at + 1;
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
    if (slot < 0) slot += this.#end;
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

  /** Forgets all items, and gives their memory back. */
  clear(): void {
    this.#taken += this.#length;
    this.#length = 0;
    this.#move(firstSlots(this.#capacity));
  }

  /** Changes the capacity; drops the oldest items that do not fit any more. Copies all others. Throws RangeError. */
  resize(capacity: number): void {
    this.#capacity = checkCapacity(capacity, "BoundedRing");
    if (this.#length > capacity) this.#length = capacity;
    this.#move(Math.max(firstSlots(capacity), Math.min(capacity, this.#length * 2)));
  }

  /** A plain array of all items, oldest first. */
  toArray(): T[] {
    const first = this.#at - this.#length;
    if (first >= 0) return this.#slots.slice(first, this.#at) as T[];
    const older = this.#slots.slice(first + this.#end) as T[];
    return older.concat(this.#slots.slice(0, this.#at) as T[]);
  }

  /** All items, oldest first. Items that are dropped meanwhile are left out, none comes twice. */
  [Symbol.iterator](): ArrayIterator<T> {
    return new WalkIterator<T, T>(this, "items");
  }

  #slotOf(index: number): number {
    const slot = this.#at - this.#length + index;
    return slot < 0 ? slot + this.#end : slot;
  }

  #take(slot: number): T | undefined {
    const item = this.#slots[slot];
    // A number keeps nothing alive, and among numbers alone V8 stores them without boxes: leave them alone.
    if (typeof item !== "number") this.#slots[slot] = undefined;
    this.#length--;
    this.#taken++;
    return item;
  }

  /** The last slot was taken: go on with the first, or with more slots. */
  #turn(): void {
    if (this.#end === this.#capacity) {
      this.#pushedBefore += this.#end;
      this.#at = 0;
      return;
    }
    this.#at = this.#end;
    this.#move(Math.min(this.#capacity, Math.max(RING_SLOTS_INITIAL, this.#length * 2)));
  }

  /** Moves the newest `length` items to the beginning of as many new slots. */
  #move(slots: number): void {
    const pushed = this.#pushedBefore + this.#at;
    const moved = new Array<T | undefined>(slots);
    const length = this.#length;
    for (let index = 0; index < length; index++) moved[index] = this.#slots[this.#slotOf(index)];
    this.#slots = moved;
    this.#end = slots;
    this.#at = length === slots ? 0 : length;
    this.#pushedBefore = pushed - this.#at;
  }
}

function firstSlots(capacity: number): number {
  return capacity > RING_GROWTH_SLOTS_MAX ? capacity : Math.min(capacity, RING_SLOTS_INITIAL);
}

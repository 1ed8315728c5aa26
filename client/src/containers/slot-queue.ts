/**
 * What a list holds its items in: a ring where it is small, a queue in pieces where it is large. Both drop the oldest item
 * when one is pushed that has no room.
 *
 *   pieces   [ . . 2 3 ] [ 4 5 6 7 ] [ 8 9 ]
 *                  ^ head                  ^ at
 *
 * No operation at the ends of the queue moves more than a piece, so none takes long, however much is in it: one array of a
 * million slots takes 6 to 8 ms to allocate. A piece that was left at the front is used again at the back. Each piece has
 * V8's best form for what is in it (a million scores are a million doubles, unboxed), and a first value of another kind
 * changes one piece, where it would take 15 ms to box a million doubles. The ring appends 4 ns faster.
 */

import { LIST_PIECE_SLOTS, LIST_RING_SLOTS_MAX } from "../limits.js";
import { BoundedRing } from "./bounded-ring.js";

/** What a ring and a queue have in common. */
export interface ItemQueue<T> {
  readonly length: number;
  push(item: T): void;
  /** Undefined outside. */
  get(index: number): T | undefined;
  /** Puts an item in a place that is taken. */
  set(index: number, item: T): void;
  shift(): T | undefined;
  pop(): T | undefined;
  resize(capacity: number): void;
  toArray(): T[];
}

/** An empty one of the kind that is best for so many items. */
export function itemQueue<T>(capacity: number): ItemQueue<T> {
  return capacity <= LIST_RING_SLOTS_MAX ? new BoundedRing<T>(capacity) : new SlotQueue<T>(capacity);
}

/** Whether the other capacity is a matter for another kind. */
export function changesKind(capacity: number, other: number): boolean {
  return capacity <= LIST_RING_SLOTS_MAX !== other <= LIST_RING_SLOTS_MAX;
}

const SLOTS = LIST_PIECE_SLOTS;
/** Power of two by which a place is split into piece and slot. */
const SHIFT = 31 - Math.clz32(SLOTS);

type Piece<T> = (T | undefined)[];

export class SlotQueue<T> implements ItemQueue<T> {
  #capacity: number;
  #length = 0;
  readonly #pieces: Piece<T>[];
  #first: Piece<T> = [];
  #last: Piece<T> = this.#first;
  #spare: Piece<T> | undefined;
  /** Slot of the oldest item in the first piece. */
  #head = 0;
  /** The next free slot in the last piece. */
  #at = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#pieces = [this.#first];
  }

  get length(): number {
    return this.#length;
  }

  push(item: T): void {
    if (this.#length === this.#capacity) this.shift();
    if (this.#at === SLOTS) this.#addPiece();
    this.#last[this.#at] = item;
    this.#at++;
    this.#length++;
  }

  get(index: number): T | undefined {
    if (!(index >= 0 && index < this.#length)) return undefined;
    const place = this.#head + index;
    return (this.#pieces[place >>> SHIFT] as Piece<T>)[place & (SLOTS - 1)];
  }

  set(index: number, item: T): void {
    const place = this.#head + index;
    (this.#pieces[place >>> SHIFT] as Piece<T>)[place & (SLOTS - 1)] = item;
  }

  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = forget(this.#first, this.#head);
    this.#length--;
    if (++this.#head === SLOTS) this.#dropPiece();
    return item;
  }

  pop(): T | undefined {
    if (this.#length === 0) return undefined;
    if (this.#at === 0) {
      this.#spare = this.#pieces.pop();
      this.#last = this.#pieces[this.#pieces.length - 1] as Piece<T>;
      this.#at = SLOTS;
    }
    this.#length--;
    return forget(this.#last, --this.#at);
  }

  resize(capacity: number): void {
    this.#capacity = capacity;
    while (this.#length > capacity) this.shift();
  }

  toArray(): T[] {
    if (this.#pieces.length === 1) return this.#first.slice(this.#head, this.#at) as T[];
    const parts = [...this.#pieces];
    parts[0] = this.#first.slice(this.#head);
    parts[parts.length - 1] = this.#last.slice(0, this.#at);
    return ([] as T[]).concat(...(parts as T[][]));
  }

  #addPiece(): void {
    this.#last = this.#spare ?? [];
    this.#spare = undefined;
    this.#pieces.push(this.#last);
    this.#at = 0;
  }

  #dropPiece(): void {
    this.#head = 0;
    if (this.#pieces.length === 1) {
      this.#at = 0;
      return;
    }
    this.#spare = this.#pieces.shift();
    this.#first = this.#pieces[0] as Piece<T>;
  }
}

function forget<T>(piece: Piece<T>, slot: number): T | undefined {
  const item = piece[slot];
  // A number keeps nothing alive, and writing undefined among doubles would box them all.
  if (typeof item !== "number") piece[slot] = undefined;
  return item;
}

/**
 * A queue in pieces: items of any number in arrays of the same size, first in, first out, with every place an index away.
 *
 *   pieces   [ . . 2 3 ] [ 4 5 6 7 ] [ 8 9 ]
 *                  ^ head                  ^ at
 *
 * No operation at its ends moves more than a piece, so none takes long, however much is in the queue: one array of a
 * million slots takes 6 to 8 ms to allocate. A piece that was left at the front is used again at the back. Each piece has
 * V8's best form for what is in it (a million scores are a million doubles, unboxed), and a first value of another kind
 * changes one piece, where it would take 15 ms to box a million doubles.
 */

/** Smallest piece, of a queue that will stay small. */
const SLOTS_MIN = 16;

export class SlotQueue<T> {
  #length = 0;
  /** Power of two by which a place is split into piece and slot. */
  readonly #shift: number;
  readonly #slots: number;
  readonly #pieces: (T | undefined)[][];
  #first: (T | undefined)[];
  #last: (T | undefined)[];
  #spare: (T | undefined)[] | undefined;
  /** Slot of the oldest item in the first piece. */
  #head = 0;
  /** The next free slot in the last piece. */
  #at = 0;

  /** `slots`, the size of a piece, is a power of two: see `slotsFor`. */
  constructor(slots: number) {
    this.#slots = slots;
    this.#shift = 31 - Math.clz32(slots);
    this.#first = [];
    this.#last = this.#first;
    this.#pieces = [this.#first];
  }

  /** The best size of a piece for a queue of about `length` items: three pieces are all that it then needs. */
  static slotsFor(length: number, slotsMax: number): number {
    let slots = SLOTS_MIN;
    while (slots < length && slots < slotsMax) slots *= 2;
    return slots;
  }

  get length(): number {
    return this.#length;
  }
  /** Size of a piece. */
  get slots(): number {
    return this.#slots;
  }

  push(item: T): void {
    if (this.#at === this.#slots) this.#addPiece();
    this.#last[this.#at] = item;
    this.#at++;
    this.#length++;
  }

  /** The item at this place; `index` must be in the queue. */
  get(index: number): T {
    const place = this.#head + index;
    return this.#pieces[place >>> this.#shift]?.[place & (this.#slots - 1)] as T;
  }

  /** Puts an item in a place that is taken. */
  set(index: number, item: T): void {
    const place = this.#head + index;
    const piece = this.#pieces[place >>> this.#shift];
    if (piece !== undefined) piece[place & (this.#slots - 1)] = item;
  }

  /** Takes the oldest out; the queue must not be empty. */
  shift(): T {
    const item = forget(this.#first, this.#head);
    this.#length--;
    if (++this.#head === this.#slots) this.#dropPiece();
    return item;
  }

  /** Takes the newest out; the queue must not be empty. */
  pop(): T {
    if (this.#at === 0) {
      this.#spare = this.#pieces.pop();
      this.#last = this.#pieces[this.#pieces.length - 1] as (T | undefined)[];
      this.#at = this.#slots;
    }
    this.#length--;
    return forget(this.#last, --this.#at);
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
    this.#first = this.#pieces[0] as (T | undefined)[];
  }
}

function forget<T>(piece: (T | undefined)[], slot: number): T {
  const item = piece[slot];
  // A number keeps nothing alive, and writing undefined among doubles would box them all.
  if (typeof item !== "number") piece[slot] = undefined;
  return item as T;
}

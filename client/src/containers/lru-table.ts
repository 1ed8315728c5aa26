/**
 * Keys and values with the order of their use: what a BoundedDict is made of. Knows a capacity, but evicts nothing by
 * itself.
 */

import { LIST_PIECE_SLOTS } from "../limits.js";
import { KeyIndex } from "./key-index.js";
import { UseOrder } from "./use-order.js";

/** Entries of one piece, a power of two: a key and a value each. Pieces grow, so a small table takes what it needs. */
const PIECE_ENTRIES = LIST_PIECE_SLOTS;
const PIECE_SHIFT = 31 - Math.clz32(PIECE_ENTRIES);

export class LruTable<K, V> {
  #index: KeyIndex<K>;
  #order: UseOrder;
  /** Key and value in turn. */
  #pieces: unknown[][] = [];
  #size = 0;

  constructor(capacity: number) {
    this.#index = new KeyIndex(capacity);
    this.#order = new UseOrder(capacity);
  }

  get size(): number {
    return this.#size;
  }
  /** Changes when the table is cleared or resized. */
  get order(): UseOrder {
    return this.#order;
  }

  /** The slot of a key; undefined if it is not there. */
  find(key: K): number | undefined {
    return this.#index.get(key);
  }

  keyAt(slot: number): K {
    return this.#pieces[slot >>> PIECE_SHIFT]?.[(slot & (PIECE_ENTRIES - 1)) * 2] as K;
  }

  valueAt(slot: number): V {
    return this.#pieces[slot >>> PIECE_SHIFT]?.[(slot & (PIECE_ENTRIES - 1)) * 2 + 1] as V;
  }

  setValue(slot: number, value: V): void {
    this.#write(slot, 1, value);
  }

  /** Adds a key that is not there, as the newest. There must be room. A moved entry keeps its stamp. */
  insert(key: K, value: V, stamp?: number): number {
    const slot = this.#order.add(stamp);
    // As a Map does: -0 and 0 are one key, and it is 0.
    this.#write(slot, 0, key === 0 ? 0 : key);
    this.#write(slot, 1, value);
    this.#index.set(key, slot);
    this.#size++;
    return slot;
  }

  remove(slot: number): void {
    this.#index.delete(this.keyAt(slot));
    this.#order.remove(slot);
    this.#write(slot, 0, undefined);
    this.#write(slot, 1, undefined);
    this.#size--;
  }

  /** Forgets all, and gives the memory back. */
  clear(capacity: number): void {
    this.#index = new KeyIndex(capacity);
    this.#order = new UseOrder(capacity, this.#order);
    this.#pieces = [];
    this.#size = 0;
  }

  /**
   * Moves all entries, which must fit, into slots for another capacity. `moved` is told where each went.
   */
  resize(capacity: number, moved: (from: number, to: number) => void): void {
    const [order, pieces] = [this.#order, this.#pieces];
    this.clear(capacity);
    for (let from = order.oldest; from !== 0; from = order.next(from)) {
      const piece = pieces[from >>> PIECE_SHIFT] as unknown[];
      const at = (from & (PIECE_ENTRIES - 1)) * 2;
      moved(from, this.insert(piece[at] as K, piece[at + 1] as V, order.stamp(from)));
    }
  }

  #write(slot: number, part: 0 | 1, content: unknown): void {
    const number = slot >>> PIECE_SHIFT;
    if (number === this.#pieces.length) this.#pieces.push(slot === 1 ? [undefined, undefined] : []);
    const piece = this.#pieces[number] as unknown[];
    piece[(slot & (PIECE_ENTRIES - 1)) * 2 + part] = content;
  }
}

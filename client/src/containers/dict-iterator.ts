/**
 * Iterates over a dictionary, the key used longest ago first, while it is changed.
 *
 * It stands on a stamp, not on a slot: the next entry is the first with a later one, or with none yet. The slot it came from
 * and the one that followed are remembered, which finds that entry at once unless both were moved or removed since.
 *
 * As with a Map, each entry is visited once, what is deleted meanwhile is not, and what is added is. Only where a loop
 * rested so long that it counted as abandoned may uses have moved entries; it then visits what was moved as well, some of it
 * a second time, and ends with what was there when it came to those.
 */

import { ITERATION_USES_MAX, ITERATION_USES_MAX_BY_HAND } from "../limits.js";
import type { LruTable } from "./lru-table.js";
import { IteratorBase, type Yielded } from "./walk.js";

export class DictIterator<K, V, Result> extends IteratorBase<Result> {
  readonly #yielded: Yielded;
  /** Asked for at every step: clearing and resizing put another table in place. */
  #current: (() => LruTable<K, V>) | undefined;
  /** Begun by a loop, a spread and the like, which say when they leave. */
  #isLooped: boolean;
  /** The entry visited last, and the one that followed it then; stamp 0 if there is none. */
  #slot = 0;
  #stamp = 0;
  #nextSlot = 0;
  #nextStamp = 0;
  /** See UseOrder.step and leave; 0 before the first step. */
  #era = 0;
  #usesLeftBefore = 0;
  /** Set when entries may have been moved: the stamp to end with. */
  #lastStamp = Number.POSITIVE_INFINITY;

  constructor(current: () => LruTable<K, V>, yielded: Yielded, isLooped: boolean) {
    super();
    this.#current = current;
    this.#yielded = yielded;
    this.#isLooped = isLooped;
  }

  override next(): IteratorResult<Result, undefined> {
    if (this.#current === undefined) return { value: undefined, done: true };
    const table = this.#current();
    if (this.#era === 0) {
      if (table.size === 0) return this.return();
      this.#usesLeftBefore = table.usesLeft;
      table.beginWalk();
    }
    const slot = this.#successor(table);
    if (slot === 0 || table.stampOf(slot) > this.#lastStamp) return this.return();
    const era = table.step(this.#era, this.#isLooped ? ITERATION_USES_MAX : ITERATION_USES_MAX_BY_HAND);
    if (era !== this.#era && this.#era !== 0) this.#lastStamp = Math.min(this.#lastStamp, table.clock);
    this.#era = era;
    this.#slot = slot;
    this.#stamp = table.reach(slot);
    this.#nextSlot = table.next(slot);
    this.#nextStamp = table.reach(this.#nextSlot);
    return { value: this.#result(table, slot), done: false };
  }

  override return(): IteratorResult<Result, undefined> {
    const table = this.#current?.();
    if (table !== undefined && this.#era !== 0) {
      table.leave(this.#era, this.#usesLeftBefore);
      table.endWalk();
    }
    this.#current = undefined;
    return { value: undefined, done: true };
  }

  override [Symbol.iterator](): this {
    this.#isLooped = true;
    return this;
  }

  get [Symbol.toStringTag](): string {
    return "BoundedDict Iterator";
  }

  #successor(table: LruTable<K, V>): number {
    if (this.#stamp === 0) return table.oldest;
    if (table.stampOf(this.#slot) === this.#stamp) return table.next(this.#slot);
    if (this.#nextStamp !== 0 && table.stampOf(this.#nextSlot) === this.#nextStamp) return this.#nextSlot;
    if (this.#hasPassed(table, table.newest)) return 0;
    let slot = table.oldest;
    while (this.#hasPassed(table, slot)) slot = table.next(slot);
    return slot;
  }

  #hasPassed(table: LruTable<K, V>, slot: number): boolean {
    const stamp = table.stampOf(slot);
    return stamp !== 0 && stamp <= this.#stamp;
  }

  #result(table: LruTable<K, V>, slot: number): Result {
    if (this.#yielded === "places") return table.keyAt(slot) as unknown as Result;
    if (this.#yielded === "items") return table.valueAt(slot) as unknown as Result;
    return [table.keyAt(slot), table.valueAt(slot)] as unknown as Result;
  }
}

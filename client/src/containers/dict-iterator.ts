/**
 * Iterates over a dictionary, the key used longest ago first, while it is changed.
 *
 * It stands on a stamp, not on a slot: the next entry is the first with a later one. The slot it came from and the one that
 * followed are remembered, which finds that entry at once unless both were moved or removed since.
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
  #table: LruTable<K, V> | undefined;
  /** Begun by a loop, a spread and the like, which say when they leave. */
  #isLooped: boolean;
  /** The entry visited last, and the one that followed it then; stamp 0 if there is none. */
  #slot = 0;
  #stamp = 0;
  #nextSlot = 0;
  #nextStamp = 0;
  /** See UseOrder.step. */
  #era = 0;
  /** Set when entries may have been moved: the stamp to end with. */
  #lastStamp = Number.POSITIVE_INFINITY;

  constructor(table: LruTable<K, V>, yielded: Yielded, isLooped: boolean) {
    super();
    this.#table = table;
    this.#yielded = yielded;
    this.#isLooped = isLooped;
  }

  override next(): IteratorResult<Result, undefined> {
    const table = this.#table;
    if (table === undefined) return { value: undefined, done: true };
    const { order } = table;
    const slot = this.#successor(table);
    if (slot === 0 || order.stamp(slot) > this.#lastStamp) {
      this.#end(table);
      return { value: undefined, done: true };
    }
    const era = order.step(this.#era, this.#isLooped ? ITERATION_USES_MAX : ITERATION_USES_MAX_BY_HAND);
    if (era !== this.#era && this.#era !== 0) this.#lastStamp = Math.min(this.#lastStamp, order.clock);
    this.#era = era;
    this.#slot = slot;
    this.#stamp = order.stamp(slot);
    this.#nextSlot = order.next(slot);
    this.#nextStamp = order.stamp(this.#nextSlot);
    return { value: this.#result(table, slot), done: false };
  }

  override return(): IteratorResult<Result, undefined> {
    if (this.#table !== undefined) this.#end(this.#table);
    return { value: undefined, done: true };
  }

  override [Symbol.iterator](): this {
    this.#isLooped = true;
    return this;
  }

  get [Symbol.toStringTag](): string {
    return "BoundedDict Iterator";
  }

  #end(table: LruTable<K, V>): void {
    if (this.#era !== 0) table.order.leave(this.#era);
    this.#table = undefined;
  }

  #successor({ order }: LruTable<K, V>): number {
    if (this.#stamp === 0) return order.oldest;
    if (order.stamp(this.#slot) === this.#stamp) return order.next(this.#slot);
    if (this.#nextStamp !== 0 && order.stamp(this.#nextSlot) === this.#nextStamp) return this.#nextSlot;
    if (order.stamp(order.newest) <= this.#stamp) return 0;
    let slot = order.oldest;
    while (slot !== 0 && order.stamp(slot) <= this.#stamp) slot = order.next(slot);
    return slot;
  }

  #result(table: LruTable<K, V>, slot: number): Result {
    if (this.#yielded === "places") return table.keyAt(slot) as unknown as Result;
    if (this.#yielded === "items") return table.valueAt(slot) as unknown as Result;
    return [table.keyAt(slot), table.valueAt(slot)] as unknown as Result;
  }
}

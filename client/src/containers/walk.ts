/**
 * Walking over what may drop its oldest items meanwhile.
 *
 * A walk stands on items, not on places: when bounds drop the oldest during it, every place moves down by as many, and the
 * walk goes on with the item that was next. So each item that is still there at its turn is visited, and only once. Other
 * changes shift places under a walk as they do in an Array.
 */

/** What can be walked over. */
export interface Walkable<T> {
  readonly length: number;
  /** Items dropped by the bounds so far. */
  readonly evictions: number;
  get(index: number): T | undefined;
}

/**
 * Visits what is there now, oldest first, until `visit` returns true. Returns whether it did. `index` is the item's place
 * at its turn.
 */
export function walk<T>(items: Walkable<T>, visit: (item: T, index: number) => unknown): boolean {
  let end = items.length;
  let { evictions } = items;
  for (let index = 0; index < end && index < items.length; index++) {
    if (visit(items.get(index) as T, index) === true) return true;
    const dropped = items.evictions - evictions;
    if (dropped === 0) continue;
    evictions += dropped;
    end -= dropped;
    index = Math.max(-1, index - dropped);
  }
  return false;
}

/** The prototype of every built-in iterator, so that ours have map, filter and the like where the runtime has them. */
const IteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())) as object;

function Base(): void {}
Base.prototype = IteratorPrototype;

/** What every iterator of this folder inherits from. */
export const IteratorBase = Base as unknown as abstract new <T>() => ArrayIterator<T>;

/** What an iterator yields of an item and its place. */
export type Yielded = "items" | "places" | "entries";

/** Iterator over what is there, items that are appended meanwhile included, as an Array's is. */
export class WalkIterator<T, Result> extends IteratorBase<Result> {
  readonly #yielded: Yielded;
  #items: Walkable<T> | undefined;
  #index = 0;
  #evictions: number;

  constructor(items: Walkable<T>, yielded: Yielded) {
    super();
    this.#items = items;
    this.#yielded = yielded;
    this.#evictions = items.evictions;
  }

  override next(): IteratorResult<Result, undefined> {
    const items = this.#items;
    if (items === undefined) return { value: undefined, done: true };
    if (items.evictions !== this.#evictions) this.#followEvictions(items);
    const index = this.#index;
    if (index >= items.length) {
      // For good, as with an Array: what is appended later is not iterated.
      this.#items = undefined;
      return { value: undefined, done: true };
    }
    this.#index = index + 1;
    const item = items.get(index) as T;
    return { value: (this.#yielded === "items" ? item : this.#other(index, item)) as Result, done: false };
  }

  override [Symbol.iterator](): this {
    return this;
  }

  get [Symbol.toStringTag](): string {
    return "Bounded Iterator";
  }

  #followEvictions(items: Walkable<T>): void {
    this.#index = Math.max(0, this.#index - (items.evictions - this.#evictions));
    this.#evictions = items.evictions;
  }

  #other(index: number, item: T): unknown {
    return this.#yielded === "places" ? index : [index, item];
  }
}

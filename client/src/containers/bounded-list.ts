/**
 * A list that keeps its newest items and works where an Array stood.
 *
 *   list.append(x), list[i], [...list]
 *     -> Proxy (list-proxy.ts)         looks like an Array
 *     -> methods (list-reading.ts, list-writing.ts)
 *     -> core (list-core.ts)           bounds, evictions, observer
 *     -> queue (slot-queue.ts)         the items
 *
 * The constructor returns the Proxy, so `this` is the Proxy in every method, and in a subclass from `super(...)` on. A
 * subclass may have methods, accessors and private fields of its own as usual (private fields then belong to the Proxy,
 * which V8 reads in 30 ns instead of 1: keep them out of what runs for each item). To follow what is written it passes a
 * ListObserver to `super`, made before and held by itself; overriding a method is possible, but index writes and `length`
 * pass it by.
 */

import { type BoundsOptions, resolveBounds } from "./bounds.js";
import { ListCore, type ListObserver } from "./list-core.js";
import { coreOf, proxied } from "./list-proxy.js";
import { readingMethods } from "./list-reading.js";
import { writingMethods } from "./list-writing.js";

/** How a list is made. Everything has a default. */
export interface BoundedListOptions<T> extends BoundsOptions {
  /** Bytes of an item; called once when it comes in, and only where `bytesMax` is given. @default estimateBytes */
  readonly sizeOf?: ((item: T) => number) | undefined;
}

/**
 * The newest items, oldest first, usable wherever an Array is: by index, `length`, spread, JSON, `Array.isArray` and every
 * array method. Whatever makes it longer than its capacity, or larger than its bytes, drops the oldest. Methods that make
 * an array make a plain one.
 *
 * It has no holes: a place that was skipped or deleted holds undefined. It cannot be frozen, and `structuredClone` takes
 * only what `toList` returns.
 */
export class BoundedList<T> extends Array<T> {
  /** Throws RangeError for bounds that are none. @default capacity 100 */
  constructor(options?: number | BoundedListOptions<T>, observer?: ListObserver<T>) {
    super();
    const bounds = resolveBounds(options, "BoundedList");
    const sizeOf = typeof options === "object" ? options.sizeOf : undefined;
    // biome-ignore lint/correctness/noConstructorReturn: the Proxy is the list, see above
    return proxied<T, this>(this, new ListCore<T>(bounds, sizeOf, observer));
  }

  /** Methods that make an array make a plain one. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  /** A BoundedList of the default capacity with the newest of these items. */
  static override from<Item, Result = Item>(
    items: Iterable<Item> | ArrayLike<Item>,
    map?: (item: Item, index: number) => Result,
    self?: unknown,
  ): BoundedList<Result> {
    const list = new BoundedList<Result>();
    list.extend(Array.from(items, map as (item: Item, index: number) => Result, self));
    return list;
  }

  /** A BoundedList of the default capacity with the newest of these items. */
  static override of<Item>(...items: Item[]): BoundedList<Item> {
    return BoundedList.from(items);
  }

  /** Most items it holds. */
  get capacity(): number {
    return coreOf(this).capacity;
  }
  /** Items that its bounds have dropped. */
  get evictions(): number {
    return coreOf(this).evictions;
  }
  /** Bytes of its items, as measured when they came; undefined where bytes are not bounded. */
  get byteLength(): number | undefined {
    return coreOf(this).byteLength;
  }
  /** What it is called, in metrics for instance. */
  get name(): string | undefined {
    return coreOf(this).name;
  }

  /** Adds the newest item. An item larger than `bytesMax` alone is dropped at once, with all before it. */
  append(item: T): void {
    coreOf(this).append(item);
  }

  /** Appends each of these. */
  extend(items: Iterable<T>): void {
    const core = coreOf(this);
    // A list that is extended by itself must not run after its own end.
    core.extend((items as unknown) === this ? core.toArray() : items);
  }

  /** Puts another item in a place that is taken; a negative place counts from the end. Throws RangeError outside. */
  set(index: number, item: T): void {
    const core = coreOf(this);
    const place = index < 0 ? index + core.length : index;
    if (!Number.isInteger(place) || place < 0 || place >= core.length) {
      throw new RangeError(`there is no item ${String(index)} in a BoundedList of ${core.length}`);
    }
    core.set(place, item);
  }

  /** The newest `count` items, oldest first; all if there are fewer. */
  getRecent(count: number): T[] {
    return count > 0 ? this.slice(-count) : [];
  }

  /** A plain array of all items. */
  toList(): T[] {
    return coreOf(this).toArray();
  }

  /** What JSON.stringify writes: the items, from a plain array, as reading them one by one would be ten times slower. */
  toJSON(): T[] {
    return coreOf(this).toArray();
  }

  /** Forgets all items. */
  clear(): void {
    coreOf(this).clear();
  }

  /** Changes the capacity; drops the oldest items that do not fit any more. Throws RangeError. */
  resize(capacity: number): void {
    coreOf(this).resize(capacity);
  }
}

const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/** Node shows a Proxy by its target, which is empty: this is asked first. It is shown as an Array of a class is. */
function inspected(this: BoundedList<unknown>): unknown[] {
  const shown = coreOf(this).toArray();
  return Object.setPrototypeOf(
    shown,
    Object.create(this.constructor.prototype as object, { [INSPECT]: {} }),
  ) as unknown[];
}

const methods: Readonly<Record<PropertyKey, unknown>> = { ...readingMethods, ...writingMethods, [INSPECT]: inspected };
for (const name of Reflect.ownKeys(methods)) {
  const value = methods[name];
  Object.defineProperty(BoundedList.prototype, name, { value, writable: true, enumerable: false, configurable: true });
}
const { values } = Object.getOwnPropertyDescriptors(BoundedList.prototype);
Object.defineProperty(BoundedList.prototype, Symbol.iterator, values);

/**
 * The array methods that only read. The generic ones of Array.prototype would work too, by two traps of the Proxy for
 * each item; these go to the items directly. Those that make an array make a plain one.
 *
 * What runs a function for each item walks (see walk.ts). What needs all items at once works on a copy, which costs a
 * nanosecond an item.
 */

import { coreOf } from "./list-proxy.js";
import { type Walkable, WalkIterator, walk } from "./walk.js";

type Visit<T, Result = unknown> = (item: T, index: number, list: T[]) => Result;
type Fold<T, Sum> = (sum: Sum, item: T, index: number, list: T[]) => Sum;

export const readingMethods = {
  at<T>(this: T[], index: number): T | undefined {
    const core = coreOf(this);
    const place = Math.trunc(index) || 0;
    return core.get(place < 0 ? place + core.length : place);
  },

  forEach<T>(this: T[], visit: Visit<T>, self?: unknown): void {
    walk(coreOf(this), (item, index) => void visit.call(self, item, index, this));
  },

  map<T, Result>(this: T[], visit: Visit<T, Result>, self?: unknown): Result[] {
    const results: Result[] = [];
    walk(coreOf(this), (item, index) => void results.push(visit.call(self, item, index, this)));
    return results;
  },

  filter<T>(this: T[], visit: Visit<T>, self?: unknown): T[] {
    const found: T[] = [];
    walk(coreOf(this), (item, index) => {
      if (visit.call(self, item, index, this)) found.push(item);
    });
    return found;
  },

  flatMap<T, Result>(this: T[], visit: Visit<T, Result | readonly Result[]>, self?: unknown): Result[] {
    const results: (Result | readonly Result[])[] = [];
    walk(coreOf(this), (item, index) => void results.push(visit.call(self, item, index, this)));
    return results.flat() as Result[];
  },

  some<T>(this: T[], visit: Visit<T>, self?: unknown): boolean {
    return walk(coreOf(this), (item, index) => Boolean(visit.call(self, item, index, this)));
  },

  every<T>(this: T[], visit: Visit<T>, self?: unknown): boolean {
    return !walk(coreOf(this), (item, index) => !visit.call(self, item, index, this));
  },

  find<T>(this: T[], visit: Visit<T>, self?: unknown): T | undefined {
    return firstWhere(this, coreOf(this), visit, self).item;
  },

  findIndex<T>(this: T[], visit: Visit<T>, self?: unknown): number {
    return firstWhere(this, coreOf(this), visit, self).index;
  },

  findLast<T>(this: T[], visit: Visit<T>, self?: unknown): T | undefined {
    return lastWhere(this, coreOf(this), visit, self).item;
  },

  findLastIndex<T>(this: T[], visit: Visit<T>, self?: unknown): number {
    return lastWhere(this, coreOf(this), visit, self).index;
  },

  reduce<T, Sum>(this: T[], fold: Fold<T, Sum>, ...initial: [Sum?]): Sum {
    let isEmpty = initial.length === 0;
    let sum = initial[0] as Sum;
    walk(coreOf(this), (item, index) => {
      sum = isEmpty ? (item as unknown as Sum) : fold(sum, item, index, this);
      isEmpty = false;
    });
    if (isEmpty) throw new TypeError("Reduce of empty array with no initial value");
    return sum;
  },

  reduceRight<T, Sum>(this: T[], fold: Fold<T, Sum>, ...initial: [Sum?]): Sum {
    let isEmpty = initial.length === 0;
    let sum = initial[0] as Sum;
    const visit = (item: T, index: number): boolean => {
      sum = isEmpty ? (item as unknown as Sum) : fold(sum, item, index, this);
      isEmpty = false;
      return false;
    };
    lastWhere(this, coreOf(this), visit, undefined);
    if (isEmpty) throw new TypeError("Reduce of empty array with no initial value");
    return sum;
  },

  includes<T>(this: T[], wanted: T, from?: number): boolean {
    const core = coreOf(this);
    for (let index = start(from, core.length); index < core.length; index++) {
      const item = core.get(index);
      // The only value that is not equal to itself is NaN, which `includes` finds.
      // biome-ignore lint/suspicious/noSelfCompare: as above
      if (item === wanted || (item !== item && wanted !== wanted)) return true;
    }
    return false;
  },

  indexOf<T>(this: T[], wanted: T, from?: number): number {
    const core = coreOf(this);
    for (let index = start(from, core.length); index < core.length; index++) {
      if (core.get(index) === wanted) return index;
    }
    return -1;
  },

  lastIndexOf<T>(this: T[], wanted: T, ...from: [number?]): number {
    const core = coreOf(this);
    const last = core.length - 1;
    const given = from.length === 0 ? last : Math.trunc(from[0] ?? 0) || 0;
    for (let index = given < 0 ? core.length + given : Math.min(given, last); index >= 0; index--) {
      if (core.get(index) === wanted) return index;
    }
    return -1;
  },

  slice<T>(this: T[], from?: number, to?: number): T[] {
    const core = coreOf(this);
    const { length } = core;
    const [first, end] = [start(from, length), to === undefined ? length : start(to, length)];
    if (end - first > SLICE_WALK_MAX) return core.toArray().slice(first, end);
    const items: T[] = [];
    for (let index = first; index < end; index++) items.push(core.get(index) as T);
    return items;
  },

  concat<T>(this: T[], ...others: (T | ConcatArray<T>)[]): T[] {
    return coreOf(this)
      .toArray()
      .concat(...others);
  },

  flat<T>(this: T[], depth?: number): unknown[] {
    return coreOf(this).toArray().flat(depth);
  },

  join<T>(this: T[], separator?: string): string {
    return coreOf(this).toArray().join(separator);
  },

  toString<T>(this: T[]): string {
    return coreOf(this).toArray().toString();
  },

  toLocaleString<T>(this: T[], ...options: []): string {
    return coreOf(this)
      .toArray()
      .toLocaleString(...options);
  },

  toReversed<T>(this: T[]): T[] {
    return coreOf(this).toArray().reverse();
  },

  toSorted<T>(this: T[], compare?: (a: T, b: T) => number): T[] {
    return coreOf(this).toArray().sort(compare);
  },

  toSpliced<T>(this: T[], ...change: [number, number, ...T[]]): T[] {
    return coreOf(this)
      .toArray()
      .toSpliced(...change);
  },

  with<T>(this: T[], index: number, item: T): T[] {
    return coreOf(this).toArray().with(index, item);
  },

  keys<T>(this: T[]): ArrayIterator<number> {
    return new WalkIterator<T, number>(coreOf(this), "places");
  },

  entries<T>(this: T[]): ArrayIterator<[number, T]> {
    return new WalkIterator<T, [number, T]>(coreOf(this), "entries");
  },

  values<T>(this: T[]): ArrayIterator<T> {
    return new WalkIterator<T, T>(coreOf(this), "items");
  },
};

/** Up to so many items are read one by one; beyond it copying all and cutting is faster. */
const SLICE_WALK_MAX = 256;

/** An argument that names a place, as array methods understand it: negative ones count from the end. */
function start(from: number | undefined, length: number): number {
  const place = Math.trunc(from ?? 0) || 0;
  return place < 0 ? Math.max(0, place + length) : Math.min(place, length);
}

interface Found<T> {
  readonly item: T | undefined;
  readonly index: number;
}

const NOT_FOUND: Found<never> = Object.freeze({ item: undefined, index: -1 });

function firstWhere<T>(list: T[], core: Walkable<T>, visit: Visit<T>, self: unknown): Found<T> {
  let found: Found<T> = NOT_FOUND;
  walk(core, (item, index) => {
    if (!visit.call(self, item, index, list)) return false;
    found = { item, index };
    return true;
  });
  return found;
}

/** Newest first. Evictions take from the other end: only those are missed that are gone when it comes to them. */
function lastWhere<T>(list: T[], core: Walkable<T>, visit: Visit<T>, self: unknown): Found<T> {
  let { evictions } = core;
  for (let index = core.length - 1; index >= 0; index--) {
    if (index < core.length) {
      const item = core.get(index) as T;
      if (visit.call(self, item, index, list)) return { item, index };
    }
    index -= core.evictions - evictions;
    ({ evictions } = core);
  }
  return NOT_FOUND;
}

/**
 * The array methods that change a list. Those at its ends take the same time at any length. The others work on a copy,
 * which is then put in the place of all items: a nanosecond an item, and its size measured again where bytes are bounded.
 */

import { coreOf } from "./list-proxy.js";

export const writingMethods = {
  push<T>(this: T[], ...items: T[]): number {
    const core = coreOf(this);
    if (items.length === 1) core.append(items[0] as T);
    else core.extend(items);
    return core.length;
  },

  pop<T>(this: T[]): T | undefined {
    return coreOf(this).pop();
  },

  shift<T>(this: T[]): T | undefined {
    return coreOf(this).shift();
  },

  /** Goes before the oldest: whatever has no room there is dropped at once. */
  unshift<T>(this: T[], ...items: T[]): number {
    const core = coreOf(this);
    if (items.length > 0) core.replace([...items, ...core.toArray()]);
    return core.length;
  },

  splice<T>(this: T[], ...change: [number, number, ...T[]]): T[] {
    const core = coreOf(this);
    const items = core.toArray();
    const removed = items.splice(...change);
    if (removed.length > 0 || change.length > 2) core.replace(items);
    return removed;
  },

  sort<T>(this: T[], compare?: (a: T, b: T) => number): T[] {
    return changed(this, (items) => void items.sort(compare));
  },

  reverse<T>(this: T[]): T[] {
    return changed(this, (items) => void items.reverse());
  },

  fill<T>(this: T[], item: T, from?: number, to?: number): T[] {
    return changed(this, (items) => void items.fill(item, from, to));
  },

  copyWithin<T>(this: T[], target: number, from: number, to?: number): T[] {
    return changed(this, (items) => void items.copyWithin(target, from, to));
  },
};

function changed<T>(list: T[], change: (items: T[]) => void): T[] {
  const core = coreOf(list);
  const items = core.toArray();
  change(items);
  core.replace(items);
  return list;
}

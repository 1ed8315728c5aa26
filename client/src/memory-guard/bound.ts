/** Bounds for plain containers, by count. All change the container in place and return it. */

import { badOption } from "./bad-option.js";
import { capacityOf, kindOf } from "./kinds.js";

/**
 * Keeps the newest `n` items of a list: those at its end. Takes time in proportion to `n`.
 * Throws InvalidArgumentError if `n` is no whole number from 0 on, and TypeError for a frozen list.
 */
export function boundList<List extends unknown[]>(list: List, n: number): List {
  checkCount(n);
  const surplus = list.length - n;
  if (surplus <= 0) return list;
  if (n < surplus && capacityOf(list) === undefined) {
    // Moves only what stays, and makes no copy of what goes.
    list.copyWithin(0, surplus);
    list.length = n;
  } else list.splice(0, surplus);
  return list;
}

/**
 * Keeps the `n` largest keys of a dictionary by the order of their texts (as `<` compares strings, so "9" is above "10");
 * of equal ones the newest. Takes time in proportion to the size, and more by its logarithm. A property that cannot be
 * deleted stays. Throws InvalidArgumentError if `n` is no whole number from 0 on.
 */
export function boundDict<Dict extends Map<unknown, unknown> | Readonly<Record<string, unknown>>>(
  dict: Dict,
  n: number,
): Dict {
  checkCount(n);
  const isMap = isMapLike(dict);
  const keys: readonly unknown[] = isMap ? [...dict.keys()] : Object.keys(dict);
  if (keys.length <= n) return dict;
  const texts = keys.map((key, at) => ({ key, text: textOf(key), at }));
  texts.sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : a.at - b.at));
  for (const { key } of texts.slice(0, keys.length - n)) {
    if (isMap) dict.delete(key);
    else Reflect.deleteProperty(dict, key as string);
  }
  return dict;
}

/** Keeps the newest `n` members of a set. Throws InvalidArgumentError if `n` is no whole number from 0 on. */
export function boundSet<Member>(set: Set<Member>, n: number): Set<Member> {
  checkCount(n);
  let surplus = set.size - n;
  for (const member of set) {
    if (surplus-- <= 0) break;
    set.delete(member);
  }
  return set;
}

/** A Map, or a BoundedDict. */
export function isMapLike(dict: object): dict is Map<unknown, unknown> {
  return kindOf(dict) === "map";
}

function textOf(key: unknown): string {
  try {
    return String(key);
  } catch {
    // An object without a text, such as one without a prototype.
    return "";
  }
}

function checkCount(n: number): void {
  if (Number.isSafeInteger(n) && n >= 0) return;
  throw badOption(`a container is bounded by a whole number from 0 on, not by ${n}`);
}

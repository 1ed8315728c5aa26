/**
 * The Proxy that makes a list look like an Array: `Array.isArray` says yes, places and `length` are properties.
 *
 * The target is an empty Array of the list's class. It holds what a subclass or a user sets beside the items; items and
 * `length` come from the core. A method is called on the Proxy and has to find its core: asking the Proxy for it would be a
 * second trap (20 ns), a WeakMap 5 ns. So the trap that hands out a method leaves the core in `handedOut`, where the method
 * takes it in the next moment; whoever does not find its own there (a method that was kept in a variable) asks the Proxy.
 *
 * An index read costs V8 about 90 ns whatever the trap does: it makes a string of the number and leaves compiled code. The
 * trap adds 10. It is a closure, not a method of a class, because V8 then knows the core as a constant, 8 ns less.
 */

import type { ListCore } from "./list-core.js";

const CORE: unique symbol = Symbol("core of a BoundedList");

interface Handed {
  readonly list: unknown;
  readonly core: ListCore<unknown>;
}

const NOTHING_HANDED: Handed | undefined = undefined;
let handedOut: Handed | undefined = NOTHING_HANDED;

/** The core behind `list`. Throws TypeError for what is no list. */
export function coreOf<T>(list: readonly T[]): ListCore<T> {
  const handed = handedOut;
  // Kept no longer than needed: a list that nobody else holds can be collected.
  handedOut = NOTHING_HANDED;
  if (handed !== undefined && handed.list === list) return handed.core as ListCore<T>;
  const core = (list as { readonly [CORE]?: ListCore<T> } | undefined)?.[CORE] ?? coreOfTarget<T>(list);
  if (core === undefined) throw new TypeError("this is a method of BoundedList, called on something else");
  return core;
}

/** Node shows a Proxy with its target where it is asked to (`%o`), and the target is then asked for its items. */
const targets = new WeakMap<object, ListCore<unknown>>();

function coreOfTarget<T>(list: unknown): ListCore<T> | undefined {
  return typeof list === "object" && list !== null ? (targets.get(list) as ListCore<T> | undefined) : undefined;
}

/** `target`, an empty array of the list's class, with the core's items in it. */
export function proxied<T, List extends T[] & { readonly append: unknown }>(target: List, core: ListCore<T>): List {
  const handed = { list: undefined as List | undefined, core: core as unknown as ListCore<unknown> };
  const proxy: List = new Proxy(target, {
    get(own, key, receiver): unknown {
      if (typeof key === "symbol") {
        if (key === CORE) return core;
      } else {
        if (key === "append") {
          handedOut = handed;
          return own.append;
        }
        if (key === "push") {
          handedOut = handed;
          return own.push;
        }
        const index = indexOf(key);
        if (index >= 0) return core.get(index);
        if (key === "length") return core.length;
      }
      handedOut = handed;
      const value: unknown = Reflect.get(own, key, receiver);
      if (typeof value !== "function") handedOut = NOTHING_HANDED;
      return value;
    },

    set(own, key, value, receiver): boolean {
      if (receiver !== proxy || typeof key === "symbol") return Reflect.set(own, key, value, receiver);
      const index = indexOf(key);
      if (index >= 0) core.set(index, value as T);
      else if (key === "length") core.setLength(Number(value));
      else if (isWholeNumber(key)) {
        throw new TypeError(`there is no place ${key} to write to: list.set(${key}, item) counts from the end`);
      } else return Reflect.set(own, key, value, receiver);
      return true;
    },

    has(own, key): boolean {
      const index = typeof key === "symbol" ? -1 : indexOf(key);
      return index >= 0 ? index < core.length : Reflect.has(own, key);
    },

    deleteProperty(own, key): boolean {
      const index = typeof key === "symbol" ? -1 : indexOf(key);
      if (index < 0) return Reflect.deleteProperty(own, key);
      if (index < core.length) core.set(index, undefined as T);
      return true;
    },

    ownKeys(own): (string | symbol)[] {
      const places = Array.from({ length: core.length }, (_, index) => String(index));
      return [...places, ...Reflect.ownKeys(own)];
    },

    getOwnPropertyDescriptor(own, key): PropertyDescriptor | undefined {
      if (typeof key === "symbol") return Reflect.getOwnPropertyDescriptor(own, key);
      const index = indexOf(key);
      if (index >= 0) {
        if (index >= core.length) return undefined;
        return { value: core.get(index), writable: true, enumerable: true, configurable: true };
      }
      if (key === "length") return { value: core.length, writable: true, enumerable: false, configurable: false };
      return Reflect.getOwnPropertyDescriptor(own, key);
    },

    defineProperty(own, key, descriptor): boolean {
      const index = typeof key === "symbol" ? -1 : indexOf(key);
      if (index < 0 && key !== "length") return Reflect.defineProperty(own, key, descriptor);
      if (!isPlainValue(descriptor, key === "length")) return false;
      if (index >= 0) core.set(index, descriptor.value as T);
      else if ("value" in descriptor) core.setLength(Number(descriptor.value));
      return true;
    },

    /** Bounds need a list that can change: it cannot be frozen or sealed. */
    preventExtensions: () => false,
  });
  handed.list = proxy;
  targets.set(target, handed.core);
  return proxy;
}

/** Lowest whole number of so many digits. */
const LOWEST = [0, 0, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10];
/** An Array has no place of this number and above. */
const INDEX_END = 2 ** 32 - 1;

/** The place that a key names, or -1. Keys such as "01", "1e3" or "1.0" name none. */
function indexOf(key: string): number {
  const first = key.charCodeAt(0);
  if (!(first <= 57 && first >= 48)) return -1;
  const digits = key.length;
  const index = +key;
  if (digits === 1) return index;
  if (digits > 10 || !Number.isInteger(index)) return -1;
  return index >= (LOWEST[digits] as number) && index < (LOWEST[digits + 1] as number) && index < INDEX_END
    ? index
    : -1;
}

function isWholeNumber(key: string): boolean {
  return key.charCodeAt(0) === 45 && String(Number(key)) === key && Number.isInteger(Number(key));
}

/** Items are values that can be seen, written and deleted; `length` is hidden and cannot be deleted. */
function isPlainValue(descriptor: PropertyDescriptor, isLength: boolean): boolean {
  if (descriptor.get !== undefined || descriptor.set !== undefined || descriptor.writable === false) return false;
  const wanted = !isLength;
  return (descriptor.enumerable ?? wanted) === wanted && (descriptor.configurable ?? wanted) === wanted;
}

/** A dictionary as an object: what stood where `{}` is used as one. */

/** What the view needs of a dictionary. */
export interface Viewed<V> {
  get(key: string): V | undefined;
  peek(key: string): V | undefined;
  has(key: string): boolean;
  set(key: string, value: V): unknown;
  delete(key: string): boolean;
  keys(): Iterable<unknown>;
}

/**
 * Properties of the view are the text keys of `dict`; what it lacks is looked up in Object.prototype, as with `{}`. Keys
 * come in the order of use, whole numbers too. Accessors, frozen objects and other prototypes are refused.
 */
export function objectView<V>(dict: Viewed<V>): Record<string, V> {
  // Node shows a Proxy by its target: this one's prototype makes it ask.
  const shown: object = Object.create(Object.prototype, { [INSPECT]: { value: () => plain(dict) } }) as object;
  return new Proxy<Record<string, V>>(Object.create(shown) as Record<string, V>, {
    get: (own, key): unknown => {
      if (typeof key === "symbol") return Reflect.get(own, key);
      const value = dict.get(key);
      return value === undefined && !dict.has(key) ? Reflect.get(Object.prototype, key) : value;
    },
    set: (own, key, value: V, receiver) => {
      if (typeof key === "symbol") return Reflect.set(own, key, value, receiver);
      dict.set(key, value);
      return true;
    },
    has: (own, key) => (typeof key === "string" && dict.has(key)) || Reflect.has(own, key),
    deleteProperty: (own, key) => {
      if (typeof key === "symbol") return Reflect.deleteProperty(own, key);
      dict.delete(key);
      return true;
    },
    ownKeys: (own) => [...textKeys(dict), ...Reflect.ownKeys(own)],
    getOwnPropertyDescriptor: (own, key) => {
      if (typeof key === "symbol") return Reflect.getOwnPropertyDescriptor(own, key);
      if (!dict.has(key)) return undefined;
      return { value: dict.peek(key), writable: true, enumerable: true, configurable: true };
    },
    defineProperty: (own, key, descriptor) => {
      if (typeof key === "symbol") return Reflect.defineProperty(own, key, descriptor);
      if ("get" in descriptor || "set" in descriptor) return false;
      const { writable = true, enumerable = true, configurable = true } = descriptor;
      if (!writable || !enumerable || !configurable) return false;
      dict.set(key, descriptor.value as V);
      return true;
    },
    getPrototypeOf: () => Object.prototype,
    setPrototypeOf: (_own, prototype) => prototype === Object.prototype,
    preventExtensions: () => false,
  });
}

/** A plain object with what is in the dictionary now. */
export function plain<V>(dict: Viewed<V>): Record<string, V> {
  return Object.fromEntries(textKeys(dict).map((key) => [key, dict.peek(key) as V]));
}

const INSPECT = Symbol.for("nodejs.util.inspect.custom");

function textKeys(dict: Viewed<unknown>): string[] {
  return [...dict.keys()].filter((key) => typeof key === "string");
}

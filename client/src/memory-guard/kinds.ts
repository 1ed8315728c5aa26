/** What in an object can grow without end, told without running any of the object's own code where that can be avoided. */

import { types } from "node:util";
import { BoundedDict, BoundedList } from "../containers/index.js";

/** `object` is a plain object used as a dictionary. */
export type ContainerKind = "list" | "map" | "set" | "object";

/** Undefined for everything that is no growing container: values, typed arrays, buffers, functions, instances of classes. */
export function kindOf(value: unknown): ContainerKind | undefined {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return undefined;
  try {
    if (Array.isArray(value)) return "list";
    if (types.isMap(value) || value instanceof BoundedDict) return "map";
    if (types.isSet(value)) return "set";
    const prototype: unknown = Object.getPrototypeOf(value);
    return prototype === null || prototype === Object.prototype ? "object" : undefined;
  } catch {
    // A Proxy may refuse any question.
    return undefined;
  }
}

/** The capacity of a container that bounds itself; undefined for others. */
export function capacityOf(value: unknown): number | undefined {
  try {
    return value instanceof BoundedList || value instanceof BoundedDict ? value.capacity : undefined;
  } catch {
    return undefined;
  }
}

/** Items held. Counting a plain object's keys takes time in proportion to them. */
export function sizeOf(value: object, kind: ContainerKind): number {
  switch (kind) {
    case "list":
      return (value as unknown[]).length;
    case "map":
    case "set":
      return (value as { readonly size: number }).size;
    case "object":
      return Object.keys(value).length;
  }
}

/** A property that holds a value of its own; undefined for getters, and where the object does not let itself be asked. */
export function dataProperty(owner: object, key: PropertyKey): PropertyDescriptor | undefined {
  try {
    const property = Object.getOwnPropertyDescriptor(owner, key);
    return property !== undefined && "value" in property ? property : undefined;
  } catch {
    return undefined;
  }
}

/** The object's own text keys; none where it does not let itself be asked. */
export function ownKeys(owner: object): readonly string[] {
  try {
    return Object.keys(owner);
  } catch {
    return [];
  }
}

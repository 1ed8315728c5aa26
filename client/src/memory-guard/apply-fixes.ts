/**
 * Puts bounded containers in the place of the growing ones of a live object, with the same content: what the earlier
 * system did by rewriting a trainer's source, done to the trainer as it runs. Nothing is written to any file.
 */

import { types } from "node:util";
import { BoundedDict, BoundedList } from "../containers/index.js";
import { type AttributeChoice, checkChoice, chosen, itemsMaxOf } from "./cleanup.js";
import { type ContainerKind, capacityOf, dataProperty, ownKeys, sizeOf } from "./kinds.js";
import { type AttributeLimits, LimitTable } from "./known-attributes.js";

/** What is replaced, and by how much. */
export interface ApplyFixesOptions {
  /** `known`: properties with a known name; `all`: every list, Map and plain object; or names. @default "known" */
  readonly attributes?: AttributeChoice | undefined;
  /** Bounds by name; they replace or join the known ones. @default KNOWN_LIMITS */
  readonly limits?: AttributeLimits | undefined;
  /** Items of those that have no limit by name. @default 1,000; 500 for Maps and plain objects */
  readonly itemsMax?: number | undefined;
}

/** A property that now holds a bounded container. */
export interface ReplacedAttribute {
  readonly attribute: string;
  /** What it held: a list became a BoundedList, a Map a BoundedDict, a plain object the object view of one. */
  readonly kind: ContainerKind;
  readonly capacity: number;
  readonly itemsBefore: number;
  /** Less than before where there were more than the capacity: the newest stay. */
  readonly itemsAfter: number;
}

/** A property that was left as it is. */
export interface SkippedAttribute {
  readonly attribute: string;
  /** Why, in a few words. */
  readonly reason: string;
}

/** What was done to an object. */
export interface AppliedFixes {
  readonly replaced: readonly ReplacedAttribute[];
  readonly skipped: readonly SkippedAttribute[];
}

/**
 * Replaces the lists, Maps and plain objects that are own properties of `owner`, and says what it did. Properties that
 * held the same container hold the same one after. References to an old container elsewhere (a local variable, a closure,
 * a private field) still lead to the old one: call it where the object is made. Getters, properties that cannot be written,
 * frozen containers, Proxies, Sets and classes of the trainer's own are left alone; so are containers that are bounded
 * already. Never throws for what it finds; throws InvalidArgumentError for options that cannot be.
 */
export function applyMemoryLeakFixes(owner: object, options: ApplyFixesOptions = {}): AppliedFixes {
  const { attributes = "known" } = checkChoice(options);
  const limits = new LimitTable(options.limits);
  const replaced: ReplacedAttribute[] = [];
  const skipped: SkippedAttribute[] = accessors(owner, attributes, limits);
  const skip = (attribute: string, reason: string) => skipped.push({ attribute, reason });
  const replacements = new Map<object, Replacement>();
  for (const { attribute, value, kind } of chosen(owner, attributes, limits)) {
    const property = dataProperty(owner, attribute);
    if (property === undefined) {
      if (!skipped.some((each) => each.attribute === attribute)) skip(attribute, "it is no property of its own");
      continue;
    }
    const reason = property.writable ? unfit(value, kind) : "it cannot be written";
    if (reason !== undefined) {
      skip(attribute, reason);
      continue;
    }
    try {
      const capacity = Math.max(1, limits.of(attribute) ?? options.itemsMax ?? itemsMaxOf(kind));
      const replacement = replacements.get(value) ?? bounded(value, kind, capacity, attribute);
      replacements.set(value, replacement);
      if (!Reflect.defineProperty(owner, attribute, { value: replacement.container })) {
        skip(attribute, "the object refuses the change");
        continue;
      }
      const { itemsBefore, itemsAfter } = replacement;
      replaced.push({ attribute, kind, capacity: replacement.capacity, itemsBefore, itemsAfter });
    } catch (error) {
      skip(attribute, error instanceof Error ? error.message : String(error));
    }
  }
  return { replaced, skipped };
}

interface Replacement {
  readonly container: object;
  readonly capacity: number;
  readonly itemsBefore: number;
  readonly itemsAfter: number;
}

function bounded(value: object, kind: ContainerKind, capacity: number, name: string): Replacement {
  const itemsBefore = sizeOf(value, kind);
  const itemsAfter = Math.min(itemsBefore, capacity);
  if (kind === "list") {
    const list = new BoundedList<unknown>({ capacity, name });
    list.extend((value as readonly unknown[]).slice(-capacity));
    return { container: list, capacity, itemsBefore, itemsAfter };
  }
  const entries = kind === "map" ? [...(value as Map<unknown, unknown>)] : Object.entries(value);
  const dict = new BoundedDict<unknown, unknown>({ capacity, name });
  for (const [key, each] of entries.slice(-capacity)) dict.set(key, each);
  return { container: kind === "map" ? dict : dict.asObject(), capacity, itemsBefore, itemsAfter };
}

/** Why a container cannot be replaced by one that behaves the same. */
function unfit(value: object, kind: ContainerKind): string | undefined {
  if (capacityOf(value) !== undefined) return "it is bounded already";
  if (types.isProxy(value)) return "it is a Proxy";
  if (kind === "set") return "it is a Set: let a MemoryGuard bound it";
  if (Object.isFrozen(value) && sizeOf(value, kind) > 0) return "it is frozen";
  if (!Object.isExtensible(value)) return "it cannot grow";
  const prototype: unknown = Object.getPrototypeOf(value);
  if (kind === "list") {
    if (prototype !== Array.prototype) return "it is of a class of its own";
    if (Object.keys(value).length > (value as unknown[]).length) return "it has properties beside its items";
  } else if (kind === "map") {
    if (prototype !== Map.prototype) return "it is of a class of its own";
    if (Object.keys(value).length > 0) return "it has properties beside its entries";
  } else if (prototype !== Object.prototype) return "it has no prototype";
  else if (Reflect.ownKeys(value).some((key) => !isPlainEntry(value, key))) return "it has more than plain entries";
  return undefined;
}

function isPlainEntry(value: object, key: PropertyKey): boolean {
  if (typeof key !== "string") return false;
  const property = dataProperty(value, key);
  return property?.writable === true && property.enumerable === true && property.configurable === true;
}

/** Getters whose names are chosen: said, not run. */
function accessors(owner: object, attributes: AttributeChoice, limits: LimitTable): SkippedAttribute[] {
  const skipped: SkippedAttribute[] = [];
  for (const attribute of typeof attributes === "string" ? ownKeys(owner) : attributes) {
    if (attributes === "known" && limits.of(attribute) === undefined) continue;
    try {
      const property = Object.getOwnPropertyDescriptor(owner, attribute);
      if (property !== undefined && !("value" in property)) skipped.push({ attribute, reason: "it is a getter" });
    } catch (error) {
      skipped.push({ attribute, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return skipped;
}

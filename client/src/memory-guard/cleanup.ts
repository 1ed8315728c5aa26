/** Bounds the containers of one object, in place. Whatever the object is made of, nothing is thrown. */

import { GUARD_DICT_ITEMS_MAX_DEFAULT, GUARD_ITEMS_MAX_DEFAULT } from "../limits.js";
import { cleanupOldData } from "./age.js";
import { badOption } from "./bad-option.js";
import { boundDict, boundList, boundSet } from "./bound.js";
import { type ContainerKind, capacityOf, dataProperty, kindOf, ownKeys, sizeOf } from "./kinds.js";
import type { LimitTable } from "./known-attributes.js";

/**
 * Which attributes of an object. `known`: its own properties that have a limit by name. `all`: all of its own properties
 * that hold a list, Map, Set or plain object. Names: these, getters included; an empty list: none. Containers that bound
 * themselves keep their own capacity in any case.
 */
export type AttributeChoice = "known" | "all" | readonly string[];

/** Which attributes of an object are bounded, and by how much. */
export interface CleanupChoice {
  /** @default "known" */
  readonly attributes?: AttributeChoice | undefined;
  /** Items of those that have no limit by name. @default 1,000; 500 for Maps and plain objects */
  readonly itemsMax?: number | undefined;
  /** Also drop what has an older `timestamp`, in hours; see cleanupOldData. @default none is dropped for its age */
  readonly maxAgeHours?: number | undefined;
}

/** What a cleanup did. */
export interface CleanedAttribute {
  readonly attribute: string;
  readonly itemsBefore: number;
  readonly itemsAfter: number;
}

export function checkChoice(choice: CleanupChoice): CleanupChoice {
  const { itemsMax, maxAgeHours } = choice;
  if (itemsMax !== undefined && !(Number.isSafeInteger(itemsMax) && itemsMax >= 0)) {
    throw badOption(`itemsMax must be a whole number from 0 on, but is ${itemsMax}`);
  }
  if (maxAgeHours !== undefined && !(maxAgeHours >= 0)) {
    throw badOption(`maxAgeHours must be from 0 on, but is ${maxAgeHours}`);
  }
  return { ...choice };
}

/** Returns what became smaller. */
export function cleanup(owner: object, choice: CleanupChoice, limits: LimitTable): CleanedAttribute[] {
  const cleaned: CleanedAttribute[] = [];
  for (const { attribute, value, kind } of chosen(owner, choice.attributes ?? "known", limits)) {
    try {
      const itemsBefore = sizeOf(value, kind);
      if (choice.maxAgeHours !== undefined && kind !== "set") {
        cleanupOldData(value as unknown[], { maxAgeHours: choice.maxAgeHours });
      }
      boundContainer(value, kind, limits.of(attribute) ?? choice.itemsMax ?? itemsMaxOf(kind));
      const itemsAfter = sizeOf(value, kind);
      if (itemsAfter < itemsBefore) cleaned.push({ attribute, itemsBefore, itemsAfter });
    } catch {
      // Frozen, or a Proxy that refuses: it cannot be bounded, and shows in the report if it grows.
    }
  }
  return cleaned;
}

export interface ChosenAttribute {
  readonly attribute: string;
  readonly value: object;
  readonly kind: ContainerKind;
}

export function chosen(owner: object, attributes: AttributeChoice, limits: LimitTable): ChosenAttribute[] {
  const found: ChosenAttribute[] = [];
  const isNamed = typeof attributes !== "string";
  for (const attribute of isNamed ? attributes : ownKeys(owner)) {
    if (attributes === "known" && limits.of(attribute) === undefined) continue;
    const value = isNamed ? readNamed(owner, attribute) : dataProperty(owner, attribute)?.value;
    const kind = kindOf(value);
    if (kind !== undefined) found.push({ attribute, value: value as object, kind });
  }
  return found;
}

export function itemsMaxOf(kind: ContainerKind): number {
  return kind === "map" || kind === "object" ? GUARD_DICT_ITEMS_MAX_DEFAULT : GUARD_ITEMS_MAX_DEFAULT;
}

function boundContainer(value: object, kind: ContainerKind, itemsMax: number): void {
  // Whoever chose a capacity knows better than a table of names.
  if (capacityOf(value) !== undefined) return;
  if (kind === "list") boundList(value as unknown[], itemsMax);
  else if (kind === "set") boundSet(value as Set<unknown>, itemsMax);
  else boundDict(value as Map<unknown, unknown>, itemsMax);
}

/** Whoever names an attribute wants it read, also where it is a getter. */
function readNamed(owner: object, attribute: string): unknown {
  try {
    return Reflect.get(owner, attribute);
  } catch {
    return undefined;
  }
}

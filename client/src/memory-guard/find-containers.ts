/**
 * The containers of an object: its own properties, and those of objects within it, by their paths. Runs no getter, and
 * looks at a bounded number of objects however large the whole is.
 */

import { GUARD_CONTAINERS_MAX, GUARD_DEPTH_MAX, GUARD_VISITS_MAX } from "../limits.js";
import { type ContainerKind, dataProperty, kindOf, ownKeys } from "./kinds.js";

export interface FoundContainer {
  /** From the object: `performanceHistory`, `memory.episodes`; empty for the object itself. */
  readonly path: string;
  readonly kind: ContainerKind;
  readonly container: object;
}

/** Plain objects with more keys than that are dictionaries; one with fewer may be a group of things, and is looked into. */
export const GROUP_KEYS_MAX = 64;

/** @param isLarge Known to be a large dictionary: its keys need not be counted to know that. */
export function findContainers(root: object, isLarge: (path: string) => boolean = () => false): FoundContainer[] {
  const found: FoundContainer[] = [];
  const seen = new Set<object>([root]);
  const ownKind = kindOf(root);
  if (ownKind !== undefined) found.push({ path: "", kind: ownKind, container: root });
  let visits = GUARD_VISITS_MAX;
  let level: { readonly path: string; readonly owner: object }[] =
    ownKind === undefined || ownKind === "object" ? [{ path: "", owner: root }] : [];
  for (let depth = 1; depth <= GUARD_DEPTH_MAX && level.length > 0; depth++) {
    const next: typeof level = [];
    for (const { path, owner } of level) {
      const keys = ownKeys(owner);
      if (path !== "" && keys.length > GROUP_KEYS_MAX) continue;
      for (const key of keys) {
        if (--visits < 0 || found.length >= GUARD_CONTAINERS_MAX) return found;
        const value: unknown = dataProperty(owner, key)?.value;
        if (typeof value !== "object" || value === null || seen.has(value)) continue;
        seen.add(value);
        const kind = kindOf(value);
        const inner = path === "" ? key : `${path}.${key}`;
        if (kind !== undefined) found.push({ path: inner, kind, container: value });
        if (mayHoldContainers(value, kind) && !isLarge(inner)) next.push({ path: inner, owner: value });
      }
    }
    level = next;
  }
  return found;
}

/** A group of things or an instance of a class; the keys of a buffer are its bytes. */
function mayHoldContainers(value: object, kind: ContainerKind | undefined): boolean {
  return kind === "object" || (kind === undefined && !ArrayBuffer.isView(value));
}

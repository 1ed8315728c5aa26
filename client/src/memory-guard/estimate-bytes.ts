/**
 * About what a container takes in memory: a few of its items, from all over it, are measured and stand for all. Other than
 * the measure of containers that are bounded by bytes it runs nothing of the trainer's own, as it looks at objects that the
 * trainer did not hand over.
 */

import { GUARD_ESTIMATE_ITEMS, GUARD_ESTIMATE_VALUES_MAX } from "../limits.js";
import { type ContainerKind, dataProperty, ownKeys, sizeOf } from "./kinds.js";

/** V8 on 64 bits with 4-byte or 8-byte slots, rounded: good to a factor of two, which is enough to tell who leaks. */
const SLOT_BYTES = 8;
const ENTRY_BYTES = 40;
const OBJECT_BYTES = 24;
/** A number that is no small integer: small ones are in their slot. */
const NUMBER_BYTES = 8;

/** In bytes, without what is shared with others being told apart. Never runs a getter. */
export function estimateContainerBytes(container: object, kind: ContainerKind): number {
  const size = sizeOf(container, kind);
  const sample = sampleOf(container, kind, size);
  const seen = new Set<object>([container]);
  const bytes = sample.reduce<number>((sum, item) => sum + bytesOf(item, seen, { left: GUARD_ESTIMATE_VALUES_MAX }), 0);
  const perItem = sample.length === 0 ? 0 : bytes / sample.length;
  const overhead = kind === "list" ? SLOT_BYTES : ENTRY_BYTES;
  return Math.round(OBJECT_BYTES + size * (overhead + perItem));
}

/** Spread over a list; the oldest of what can only be walked through. */
function sampleOf(container: object, kind: ContainerKind, size: number): unknown[] {
  const count = Math.min(size, GUARD_ESTIMATE_ITEMS);
  if (kind === "list") {
    const list = container as readonly unknown[];
    return Array.from({ length: count }, (_, index) => dataProperty(list, Math.floor((index * size) / count))?.value);
  }
  if (kind === "object") {
    return ownKeys(container)
      .slice(0, count)
      .map((key) => [key, dataProperty(container, key)?.value]);
  }
  const sample: unknown[] = [];
  for (const entry of container as Iterable<unknown>) {
    if (sample.length >= count) break;
    sample.push(entry);
  }
  return sample;
}

interface Budget {
  left: number;
}

function bytesOf(value: unknown, seen: Set<object>, budget: Budget): number {
  if (--budget.left < 0) return 0;
  switch (typeof value) {
    case "string":
      return OBJECT_BYTES + value.length;
    case "number":
      return Number.isInteger(value) && Math.abs(value) < 2 ** 31 ? 0 : NUMBER_BYTES;
    case "bigint":
      return OBJECT_BYTES;
    case "object":
      return value === null || seen.has(value) ? 0 : objectBytes(value, seen, budget);
    default:
      return 0;
  }
}

function objectBytes(value: object, seen: Set<object>, budget: Budget): number {
  seen.add(value);
  if (ArrayBuffer.isView(value)) return OBJECT_BYTES + value.byteLength;
  if (value instanceof ArrayBuffer) return OBJECT_BYTES + value.byteLength;
  let bytes = OBJECT_BYTES;
  if (value instanceof Map || value instanceof Set) {
    for (const entry of value) {
      if (budget.left < 0) break;
      bytes += ENTRY_BYTES + bytesOf(entry, seen, budget);
    }
    return bytes;
  }
  if (Array.isArray(value)) {
    const count = Math.min(value.length, ARRAY_ITEMS);
    for (let index = 0; index < count; index++) bytes += bytesOf(dataProperty(value, index)?.value, seen, budget);
    return count === 0 ? bytes : OBJECT_BYTES + value.length * (SLOT_BYTES + (bytes - OBJECT_BYTES) / count);
  }
  for (const key of ownKeys(value)) {
    if (budget.left < 0) break;
    bytes += SLOT_BYTES + bytesOf(dataProperty(value, key)?.value, seen, budget);
  }
  return bytes;
}

/** The first of an inner list stand for all of it. */
const ARRAY_ITEMS = 16;

/** The default measure of containers that are bounded by bytes. */

import { SIZE_ESTIMATE_VALUES_MAX } from "../limits.js";

/** What V8 takes on 64 bits: a slot of whatever holds the value, a header of three of them, a boxed number, a Map's entry. */
const SLOT_BYTES = 8;
const HEADER_BYTES = 24;
const NUMBER_BYTES = 16;
const ENTRY_BYTES = 40;

interface Visit {
  /** Values that may still be looked at. */
  left: number;
}

/**
 * Bytes of heap that `value` keeps alive, estimated: within a factor of two for plain data on 64 bits. Strings count one
 * byte a character, typed arrays and Buffers their bytes, objects and arrays their slots and what is in them.
 *
 * Looks at 1,000 values at most, then lets the members of a container that were seen stand for the rest of it: a large
 * item costs microseconds, not milliseconds. What is shared or cyclic is counted each time it is met. Getters are run;
 * one that throws counts as nothing. Never throws.
 */
export function estimateBytes(value: unknown): number {
  return SLOT_BYTES + Math.ceil(bytesOf(value, { left: SIZE_ESTIMATE_VALUES_MAX }));
}

/** Bytes beside the slot that the value is in. */
function bytesOf(value: unknown, visit: Visit): number {
  visit.left--;
  switch (typeof value) {
    case "string":
      return HEADER_BYTES + value.length;
    case "number":
      return (value | 0) === value ? 0 : NUMBER_BYTES;
    case "bigint":
      return HEADER_BYTES;
    case "object":
      return value === null ? 0 : HEADER_BYTES + contentBytes(value, visit);
    default:
      return 0;
  }
}

function contentBytes(value: object, visit: Visit): number {
  try {
    if (Array.isArray(value)) return arrayBytes(value, visit);
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value.byteLength;
    if (value instanceof Map) return entriesBytes(value, visit);
    if (value instanceof Set) return sampled(value, value.size, ENTRY_BYTES, visit);
    const members = Object.values(value);
    return sampled(members, members.length, SLOT_BYTES, visit);
  } catch {
    return 0;
  }
}

/** Numbers alone are in the slots themselves, where among others each has a box. */
function arrayBytes(array: readonly unknown[], visit: Visit): number {
  let numbers = 0;
  while (numbers < array.length && visit.left > 0 && typeof array[numbers] === "number") {
    visit.left--;
    numbers++;
  }
  const isOfNumbers = numbers === array.length || visit.left <= 0;
  return isOfNumbers ? array.length * SLOT_BYTES : sampled(array, array.length, SLOT_BYTES, visit);
}

function entriesBytes(map: ReadonlyMap<unknown, unknown>, visit: Visit): number {
  return sampled(map.keys(), map.size, ENTRY_BYTES, visit) + sampled(map.values(), map.size, 0, visit);
}

/** The first members stand for those that are not looked at any more. */
function sampled(members: Iterable<unknown>, count: number, memberBytes: number, visit: Visit): number {
  let bytes = 0;
  let seen = 0;
  for (const member of members) {
    if (visit.left <= 0) break;
    bytes += bytesOf(member, visit);
    seen++;
  }
  return count * memberBytes + (seen === 0 ? 0 : (bytes / seen) * count);
}

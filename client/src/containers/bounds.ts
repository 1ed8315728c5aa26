/** The bounds that every container has, checked and completed once. A mistake here is the caller's, so it throws. */

import { CONTAINER_CAPACITY_DEFAULT, CONTAINER_CAPACITY_MAX } from "../limits.js";

/** What bounds a container. Everything has a default. */
export interface BoundsOptions {
  /** Most items it holds, 1 to 16,777,216. @default 100 */
  readonly capacity?: number | undefined;
  /** Most bytes it holds, as `sizeOf` measures them. @default not bounded by bytes */
  readonly bytesMax?: number | undefined;
  /** What it is called, in metrics for instance. @default none */
  readonly name?: string | undefined;
}

/** Bounds with every default filled in. */
export interface ResolvedBounds {
  readonly capacity: number;
  readonly bytesMax: number | undefined;
  readonly name: string | undefined;
}

/** Throws RangeError for a bound that is none, and TypeError for what is no options at all. `container` names the class. */
export function resolveBounds(options: number | BoundsOptions | undefined, container: string): ResolvedBounds {
  if (typeof options === "number") options = { capacity: options };
  if (options === undefined) options = {};
  if (typeof options !== "object" || options === null || Symbol.iterator in options) {
    throw new TypeError(`new ${container}(...) takes its capacity or its options first, not ${kindOf(options)}`);
  }
  const { capacity = CONTAINER_CAPACITY_DEFAULT, bytesMax, name } = options;
  return Object.freeze({
    capacity: checkCapacity(capacity, container),
    bytesMax: bytesMax === undefined ? undefined : checkBytesMax(bytesMax, container),
    name,
  });
}

/** The capacity as it is, or a RangeError. */
export function checkCapacity(capacity: number, container: string): number {
  if (Number.isInteger(capacity) && capacity >= 1 && capacity <= CONTAINER_CAPACITY_MAX) return capacity;
  throw new RangeError(
    `the capacity of a ${container} is a whole number from 1 to ${CONTAINER_CAPACITY_MAX.toLocaleString("en")}, ` +
      `but is ${String(capacity)}: nothing here is unbounded`,
  );
}

function checkBytesMax(bytesMax: number, container: string): number {
  if (Number.isFinite(bytesMax) && bytesMax >= 1) return bytesMax;
  throw new RangeError(`bytesMax of a ${container} is a number of bytes from 1, but is ${String(bytesMax)}`);
}

/** What `sizeOf` said, or a TypeError: a size that is no number would make the sum of all sizes none for ever. */
export function checkSize(bytes: number): number {
  if (Number.isFinite(bytes) && bytes >= 0) return bytes;
  throw new TypeError(`sizeOf must return a number of bytes from 0, but returned ${String(bytes)}`);
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return typeof value === "object" ? "an iterable" : `a ${typeof value}`;
}

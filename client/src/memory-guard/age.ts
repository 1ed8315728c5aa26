/** Bounds by age. */

import { badOption } from "./bad-option.js";
import { isMapLike } from "./bound.js";

export interface CleanupOptions {
  /** Entries whose `timestamp` is older go, in hours. @default 24 */
  readonly maxAgeHours?: number | undefined;
  /** The present, in milliseconds since 1970. @default the clock's */
  readonly nowMs?: number | undefined;
}

const HOUR_MS = 3_600_000;
const MAX_AGE_HOURS_DEFAULT = 24;

/**
 * Drops the entries of a dictionary, or the items of a list, whose value has an older `timestamp`; keeps those without
 * one, or with one that cannot be understood. Changes it in place and returns it. A timestamp is a Date, an ISO text
 * (without a zone: local time), or a number since 1970: seconds below 1e11, milliseconds below 1e14, else microseconds,
 * which tells them apart from 1973 to 5138. Throws InvalidArgumentError for an age that is no number from 0 on.
 */
export function cleanupOldData<Data extends Map<unknown, unknown> | unknown[] | Readonly<Record<string, unknown>>>(
  data: Data,
  { maxAgeHours = MAX_AGE_HOURS_DEFAULT, nowMs = Date.now() }: CleanupOptions = {},
): Data {
  if (!(maxAgeHours >= 0)) throw badOption(`maxAgeHours must be from 0 on, but is ${maxAgeHours}`);
  const oldestMs = nowMs - maxAgeHours * HOUR_MS;
  const isOld = (value: unknown): boolean => {
    const atMs = timestampMs(value);
    return atMs !== undefined && atMs < oldestMs;
  };
  const dict: object = data;
  if (Array.isArray(data)) keepYoung(data, isOld);
  else if (isMapLike(dict)) {
    // Collected first: a dictionary that bounds itself may order its keys anew when it is read.
    const old = [...dict].filter(([, value]) => isOld(value));
    for (const [key] of old) dict.delete(key);
  } else {
    for (const key of Object.keys(data)) {
      if (isOld(Reflect.get(data, key))) Reflect.deleteProperty(data, key);
    }
  }
  return data;
}

/** Milliseconds since 1970; undefined for a value without a timestamp. */
export function timestampMs(value: unknown): number | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  let timestamp: unknown;
  try {
    timestamp = (value as { readonly timestamp?: unknown }).timestamp;
  } catch {
    return undefined;
  }
  let ms = Number.NaN;
  if (typeof timestamp === "number") ms = timestamp * unitMs(Math.abs(timestamp));
  else if (typeof timestamp === "string") ms = Date.parse(timestamp);
  else if (timestamp instanceof Date) ms = timestamp.getTime();
  return Number.isFinite(ms) ? ms : undefined;
}

function unitMs(size: number): number {
  if (size < 1e11) return 1_000;
  return size < 1e14 ? 1 : 0.001;
}

function keepYoung(list: unknown[], isOld: (value: unknown) => boolean): void {
  if (!list.some(isOld)) return;
  const young = list.filter((value) => !isOld(value));
  list.splice(0, list.length, ...(young.length < SPREAD_MAX ? young : []));
  if (young.length >= SPREAD_MAX) for (const value of young) list.push(value);
}

/** Arguments that a call surely takes. */
const SPREAD_MAX = 10_000;

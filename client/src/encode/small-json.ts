/**
 * JSON of small plain values, written straight into the wire buffer: numbers, booleans, null, texts, arrays and objects
 * without a class. The bytes are those of `jsonText`; what is not small and plain is left to it.
 *
 * A call of `JSON.stringify` leaves compiled code, makes a string, and the string has to be searched for null and encoded:
 * three more calls of the runtime. For metadata of three keys that was most of an append (see test/bench/RESULTS.md).
 *
 * Fractions take most of what is left, so those that a person would write (0.25, 99.5, 0.0003) are found first: up to six
 * decimals and 15 digits. No two texts of at most 15 digits mean the same double, so the one found is the shortest, which
 * is the one that JavaScript writes.
 */

import { SMALL_JSON_BYTES_MAX, SMALL_JSON_DEPTH_MAX } from "../limits.js";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;

/** Of room that must be left: for the longest number ("-1.2345678901234567e-123"), signs around it, and all brackets behind it. */
const SPARE_BYTES = 28 + SMALL_JSON_DEPTH_MAX;
/** Whole numbers below this have at most 15 digits. */
const WHOLE_END = 1e15;
const POWERS_OF_TEN = [1, 10, 100, 1e3, 1e4, 1e5, 1e6] as const;
const DECIMALS_MAX = 6;

/** What says by itself how it is to be written. */
interface Convertible {
  readonly toJSON?: unknown;
}

/** What is left to `jsonText`. */
const NOT_SMALL = -1;

/**
 * Writes `value` at `at`, where SMALL_JSON_BYTES_MAX bytes are free. Returns the position behind it, or -1 for what is not
 * small and plain, or has no text.
 */
export function writeSmallJson(bytes: Uint8Array, at: number, value: unknown): number {
  try {
    return writeValue(bytes, at, at + SMALL_JSON_BYTES_MAX, value, 0);
  } catch {
    // A getter threw: `jsonText` meets it too, and says so.
    return NOT_SMALL;
  }
}

function writeValue(bytes: Uint8Array, at: number, end: number, value: unknown, depth: number): number {
  if (at + SPARE_BYTES > end) return NOT_SMALL;
  switch (typeof value) {
    case "number":
      return writeNumber(bytes, at, value);
    case "string":
      return writeText(bytes, at, end, value);
    case "boolean":
      return writeAscii(bytes, at, value ? "true" : "false");
    case "object":
      if (value === null) return writeAscii(bytes, at, "null");
      if (depth === SMALL_JSON_DEPTH_MAX) return NOT_SMALL;
      return Array.isArray(value)
        ? writeArray(bytes, at, end, value, depth)
        : writeObject(bytes, at, end, value as Readonly<Record<string, unknown>>, depth);
    default:
      return NOT_SMALL;
  }
}

function writeArray(bytes: Uint8Array, begin: number, end: number, items: readonly unknown[], depth: number): number {
  if ((items as object).constructor !== Array || (items as Convertible).toJSON !== undefined) return NOT_SMALL;
  let at = begin;
  bytes[at++] = 0x5b;
  for (let index = 0; index < items.length; index++) {
    if (index > 0) bytes[at++] = COMMA;
    at = writeValue(bytes, at, end, items[index], depth + 1);
    if (at < 0) return NOT_SMALL;
  }
  bytes[at++] = 0x5d;
  return at;
}

function writeObject(
  bytes: Uint8Array,
  begin: number,
  end: number,
  fields: Readonly<Record<string, unknown>>,
  depth: number,
): number {
  if (fields.constructor !== Object || fields["toJSON"] !== undefined) return NOT_SMALL;
  let at = begin;
  bytes[at++] = 0x7b;
  for (const name of Object.keys(fields)) {
    const value = fields[name];
    // Left out, as JSON.stringify does it.
    if (value === undefined) continue;
    if (at > begin + 1) bytes[at++] = COMMA;
    at = writeText(bytes, at, end, name);
    if (at < 0) return NOT_SMALL;
    bytes[at++] = COLON;
    at = writeValue(bytes, at, end, value, depth + 1);
    if (at < 0) return NOT_SMALL;
  }
  bytes[at++] = 0x7d;
  return at;
}

/** ASCII without anything that JSON escapes. */
function writeText(bytes: Uint8Array, begin: number, end: number, text: string): number {
  const { length } = text;
  if (begin + length + SPARE_BYTES > end) return NOT_SMALL;
  let at = begin;
  bytes[at++] = QUOTE;
  for (let index = 0; index < length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x20 || unit > 0x7e || unit === QUOTE || unit === BACKSLASH) return NOT_SMALL;
    bytes[at++] = unit;
  }
  bytes[at++] = QUOTE;
  return at;
}

function writeNumber(bytes: Uint8Array, begin: number, value: number): number {
  let at = begin;
  let size = value;
  if (value < 0) {
    bytes[at++] = MINUS;
    size = -value;
  }
  if (size < WHOLE_END) {
    if (Number.isInteger(size)) return writeWhole(bytes, at, size);
    for (let decimals = 1; decimals <= DECIMALS_MAX; decimals++) {
      const power = POWERS_OF_TEN[decimals] as number;
      // The product may miss by a bit: 0.55 * 100 is 55.00000000000001. The quotient of two whole numbers does not.
      const digits = Math.round(size * power);
      if (digits >= WHOLE_END) break;
      if (digits / power !== size) continue;
      const whole = Math.floor(digits / power);
      at = writeWhole(bytes, at, whole);
      bytes[at++] = POINT;
      return writeDigits(bytes, at, digits - whole * power, decimals);
    }
  }
  if (!Number.isFinite(value)) return writeAscii(bytes, begin, `"${value}"`);
  return writeAscii(bytes, begin, String(value));
}

/** A whole number from 0 on, below WHOLE_END. */
function writeWhole(bytes: Uint8Array, begin: number, value: number): number {
  if (value < 1e9) return writeDigits(bytes, begin, value, digitsOf(value));
  const high = Math.floor(value / 1e9);
  const at = writeDigits(bytes, begin, high, digitsOf(high));
  return writeDigits(bytes, at, value - high * 1e9, 9);
}

/** Of a whole number from 0 on. */
function digitsOf(value: number): number {
  let digits = 1;
  for (let end = 10; value >= end; end *= 10) digits++;
  return digits;
}

/** The last `digits` of a whole number below 1e9, with zeros in front. */
function writeDigits(bytes: Uint8Array, begin: number, value: number, digits: number): number {
  let rest = value | 0;
  for (let at = begin + digits - 1; at >= begin; at--) {
    const tenth = (rest / 10) | 0;
    bytes[at] = ZERO + rest - tenth * 10;
    rest = tenth;
  }
  return begin + digits;
}

function writeAscii(bytes: Uint8Array, begin: number, text: string): number {
  let at = begin;
  for (let index = 0; index < text.length; index++) bytes[at++] = text.charCodeAt(index);
  return at;
}

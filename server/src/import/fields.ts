/** Reads single fields of the earlier system's objects. A field of another kind than expected is no value, not a guess. */
import type { Json } from "./salvage-json.js";

export type JsonObject = { [key: string]: Json };

/** Coordinates are int32 on the wire. */
const INT32_MAX = 2_147_483_647;

export function asObject(value: Json | undefined): JsonObject | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
}

export function asArray(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}

/** The elements of a list that are objects. */
export function objectsIn(value: Json | undefined): JsonObject[] {
  return asArray(value)
    .map(asObject)
    .filter((element) => element !== undefined);
}

/** NaN and the infinities are numbers here: they are ordinary in training. */
export function asNumber(value: Json | undefined): number | undefined {
  return typeof value === "number" ? value : undefined;
}

export function asInteger(value: Json | undefined): number | undefined {
  return Number.isSafeInteger(value) ? (value as number) : undefined;
}

export function asInt32(value: Json | undefined): number | undefined {
  const integer = asInteger(value);
  return integer !== undefined && Math.abs(integer) <= INT32_MAX ? integer : undefined;
}

export function asBoolean(value: Json | undefined): boolean | undefined {
  return typeof value === "boolean" ? value : undefined;
}

export function asText(value: Json | undefined): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

const TIME_TEXT = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:?\d{2})?$/;

/**
 * Microseconds since 1970 of a time in epoch seconds or ISO text. The earlier system wrote local time without a zone into
 * some texts; such a text is taken as UTC, and callers prefer epoch seconds wherever a file has both.
 */
export function asTimeUs(value: Json | undefined): number | undefined {
  if (typeof value === "number") return safeMicroseconds(value * 1_000_000);
  if (typeof value !== "string") return undefined;
  const match = TIME_TEXT.exec(value.trim());
  if (!match) return undefined;
  const [, day, time, fraction = "", zone = "Z"] = match;
  const wholeMs = Date.parse(`${day}T${time}${zone.replace(/^([+-]\d{2})(\d{2})$/, "$1:$2")}`);
  return safeMicroseconds(wholeMs * 1_000 + Number(fraction.padEnd(6, "0").slice(0, 6)));
}

function safeMicroseconds(value: number): number | undefined {
  const rounded = Math.round(value);
  return Number.isSafeInteger(rounded) ? rounded : undefined;
}

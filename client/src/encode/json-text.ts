/**
 * JSON text of a trainer's value. JSON has no NaN: `JSON.stringify` writes null for NaN and the infinities, which would
 * lose them silently; they become the strings "NaN", "Infinity", "-Infinity" at any depth.
 *
 * A replacer makes stringify about five times slower, so it runs only where the plain text contains "null", which it must
 * if a number was not finite.
 */

import { UnencodableError } from "../errors/errors.js";

/** Throws UnencodableError for what JSON cannot say: cycles, BigInt, a bare function or symbol. */
export function jsonText(value: unknown, field: string): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
    if (text?.includes("null")) text = JSON.stringify(value, nonFiniteToString);
  } catch (error) {
    throw new UnencodableError(
      `${field} cannot be written as JSON (${error instanceof Error ? firstLine(error.message) : "unknown reason"}): ` +
        "remove cycles and convert BigInt to number or string",
      { code: "BAD_JSON", retryable: false, cause: error },
    );
  }
  if (text === undefined) {
    throw new UnencodableError(`${field} is a ${typeof value}, which JSON cannot say: leave it out or convert it`, {
      code: "BAD_JSON",
      retryable: false,
    });
  }
  return text;
}

function nonFiniteToString(_key: string, value: unknown): unknown {
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  if (value instanceof Number && !Number.isFinite(value.valueOf())) return String(value);
  return value;
}

function firstLine(text: string): string {
  const end = text.indexOf("\n");
  return end < 0 ? text : text.slice(0, end);
}

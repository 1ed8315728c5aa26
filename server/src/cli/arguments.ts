/** Values of options, checked as they are parsed: what is wrong with one is wrong usage. */
import { RECORD_TYPE_NAMES, type RecordTypeName } from "@tailkeep/client";
import { InvalidArgumentError } from "commander";

/** For an option that takes several types; commas separate them too. */
export function recordTypes(text: string, before: readonly RecordTypeName[] = []): RecordTypeName[] {
  const added = text.split(",").map((name) => {
    const known = RECORD_TYPE_NAMES.find((each) => each === name.trim());
    if (known === undefined) throw new InvalidArgumentError(`It must be one of ${RECORD_TYPE_NAMES.join(", ")}.`);
    return known;
  });
  return [...new Set([...before, ...added])];
}

export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number between ${min} and ${max}.`);
  };
}

const ISO_TIME = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|[+-]\d{2}:?\d{2})?)?$/i;

/**
 * Microseconds since 1970 of an ISO time, to the microsecond, or of seconds since 1970. A time without a zone is UTC, as
 * everything that Tailkeep shows is.
 */
export function timeUs(text: string): number {
  if (/^-?\d+(\.\d+)?$/.test(text)) {
    const us = Math.round(Number(text) * 1_000_000);
    if (Number.isSafeInteger(us)) return us;
    throw new InvalidArgumentError("It is beyond the year 2255; write seconds since 1970, not milliseconds.");
  }
  const parts = ISO_TIME.exec(text);
  if (parts !== null) {
    const [, day, minute = "00:00", second = "00", fraction = "", zone = "Z"] = parts;
    const offset = zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone.toUpperCase();
    const wholeMs = Date.parse(`${day}T${minute}:${second}${offset}`);
    if (!Number.isNaN(wholeMs)) return wholeMs * 1_000 + Number(fraction.slice(0, 6).padEnd(6, "0"));
  }
  throw new InvalidArgumentError("It must be a time such as 2026-11-22, 2026-11-22T12:30:00Z or 1763814600.");
}

/**
 * Makes a value fit the limits of a JSON field by leaving out the least: what is nested too deep, then the largest
 * members. Every place where something is missing says so in the value itself, and the paths are reported.
 */
import type { Json } from "./salvage-json.js";
import { wellFormed } from "./well-formed.js";

export interface FittedJson {
  readonly value: Json;
  /** Paths of what was left out or shortened, such as `raw_output_snippet`. Empty where all fits. */
  readonly leftOut: readonly string[];
}

export interface JsonLimits {
  readonly bytesMax: number;
  readonly depthMax: number;
}

/** Room for the text that stands where something was left out. */
const MARK_BYTES = 80;

/** At most this many paths are reported. */
const PATHS_MAX = 20;

export function fitJson(value: Json, limits: JsonLimits): FittedJson {
  const leftOut: string[] = [];
  const report = (path: string): void => {
    if (leftOut.length < PATHS_MAX) leftOut.push(path === "" ? "(all of it)" : path);
  };
  const shallow = pruneDepth(value, limits.depthMax, "", report);
  return { value: shrink(shallow, limits.bytesMax, "", report), leftOut };
}

export function jsonBytes(value: Json): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** Also turns NaN and the infinities into their names, so that every measure taken later is that of the stored text. */
function pruneDepth(value: Json, depthLeft: number, path: string, report: (path: string) => void): Json {
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  if (typeof value !== "object" || value === null) return value;
  if (depthLeft === 0) {
    report(path);
    return "[left out: nested too deep]";
  }
  if (Array.isArray(value)) {
    return value.map((element, index) => pruneDepth(element, depthLeft - 1, join(path, index), report));
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, pruneDepth(member, depthLeft - 1, join(path, key), report)]),
  );
}

function shrink(value: Json, bytesMax: number, path: string, report: (path: string) => void): Json {
  const bytes = jsonBytes(value);
  if (bytes <= bytesMax) return value;
  if (typeof value === "string") {
    report(path);
    // A character takes at most 6 bytes of JSON text.
    const kept = value.slice(0, Math.max(0, Math.floor((bytesMax - MARK_BYTES) / 6)));
    return `${wellFormed(kept)} [left out: the rest of ${value.length} characters]`;
  }
  if (Array.isArray(value)) return shrinkArray(value, bytesMax, path, report);
  if (typeof value === "object" && value !== null) return shrinkObject(value, bytesMax, path, report);
  return value;
}

function shrinkArray(value: Json[], bytesMax: number, path: string, report: (path: string) => void): Json {
  const kept: Json[] = [];
  let bytesLeft = bytesMax - MARK_BYTES;
  for (const element of value) {
    bytesLeft -= jsonBytes(element) + 1;
    if (bytesLeft < 0) break;
    kept.push(element);
  }
  report(path);
  kept.push(`[left out: ${value.length - kept.length} of ${value.length} elements]`);
  return kept;
}

/** Small members stay whole; what they leave of the room is shared by the large ones. */
function shrinkObject(
  value: { [key: string]: Json },
  bytesMax: number,
  path: string,
  report: (path: string) => void,
): Json {
  const members = Object.entries(value).map(([key, member]) => ({
    key,
    member,
    bytes: jsonBytes(member),
    keyBytes: jsonBytes(key) + 2,
  }));
  let bytesLeft = bytesMax - 2;
  let membersLeft = members.length;
  const kept = new Map<string, Json>();
  let missing = 0;
  for (const { key, member, bytes, keyBytes } of [...members].sort((a, b) => a.bytes - b.bytes)) {
    const share = Math.floor(bytesLeft / membersLeft) - keyBytes;
    membersLeft -= 1;
    if (bytes > share && share < 2 * MARK_BYTES) {
      missing += 1;
      report(join(path, key));
      continue;
    }
    const fitted = shrink(member, share, join(path, key), report);
    kept.set(key, fitted);
    bytesLeft -= keyBytes + jsonBytes(fitted);
  }
  const result: { [key: string]: Json } = Object.fromEntries(
    members.filter(({ key }) => kept.has(key)).map(({ key }) => [key, kept.get(key) as Json]),
  );
  if (missing > 0 && bytesLeft >= MARK_BYTES) result["[left out]"] = `${missing} of ${members.length} members`;
  return result;
}

function join(path: string, step: string | number): string {
  return path === "" ? String(step) : `${path}.${step}`;
}

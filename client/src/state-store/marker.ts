/**
 * Which increments a document already has.
 *
 * An answer can be lost after the database has committed. For a value that was put, the document itself tells; a sum does
 * not, as somebody else may have added the same. So each write of an increment leaves, in the same compare-and-set, its
 * writer and that writer's own number in the document, under the member `$tailkeep`:
 *
 *   { "total_sessions": 3, "$tailkeep": { "since": 1, "writers": { "k3f9a2qx": [17, 41] } } }
 *
 * means that of the writer k3f9a2qx all increments up to its 17th are in, the last of them since version 41, and that no
 * writer of version 1 or later is missing here. The state store takes the member out of what it returns, and puts it
 * back into what it writes.
 */

import { STATE_MARKER_WRITERS_MAX } from "../limits.js";
import type { JsonValue } from "../records/training-record.js";
import { isObject, parsed, valueText } from "./values.js";

export const MARKER_MEMBER = "$tailkeep";

export interface Marker {
  /** Every increment that made this version or a later one is known here. */
  readonly since: number;
  readonly writers: ReadonlyMap<string, MarkerEntry>;
}

interface MarkerEntry {
  readonly seq: number;
  readonly version: number;
}

/** Whether an increment is in the document. Unknown: its trace may have been there and is gone. */
export type Presence = "present" | "absent" | "unknown";

/**
 * @param attemptedVersion The version that the last attempt to write it expected; undefined if it was never sent.
 */
export function presenceOf(
  marker: Marker | undefined,
  version: number,
  writer: string,
  seq: number,
  attemptedVersion: number | undefined,
): Presence {
  const entry = marker?.writers.get(writer);
  if (entry !== undefined && entry.seq >= seq) return "present";
  // It would have made the version after the attempted one. Below that, the attempt has failed, or what it made is gone.
  if (attemptedVersion === undefined || version <= attemptedVersion) return "absent";
  const since = marker?.since ?? version;
  return since <= attemptedVersion + 1 ? "absent" : "unknown";
}

/** The marker of the version that this increment makes. The longest silent writer makes room. */
export function marked(marker: Marker | undefined, writer: string, seq: number, version: number): Marker {
  const writers = new Map(marker?.writers);
  writers.set(writer, { seq, version });
  let since = marker?.since ?? version;
  while (writers.size > STATE_MARKER_WRITERS_MAX) {
    const [oldest, entry] = [...writers].reduce((a, b) => (b[1].version < a[1].version ? b : a));
    writers.delete(oldest);
    since = Math.max(since, entry.version + 1);
  }
  return { since, writers };
}

/** A document's value without the member, and what the member says. A member that is not ours is dropped. */
export function takeMarker(value: JsonValue): { readonly text: string; readonly marker: Marker | undefined } {
  if (!isObject(value) || !Object.hasOwn(value, MARKER_MEMBER))
    return { text: JSON.stringify(value), marker: undefined };
  const { [MARKER_MEMBER]: member, ...rest } = value;
  return { text: JSON.stringify(rest), marker: readMarker(member) };
}

/** JSON text of a value of the trainer's, which cannot set the member. Throws like valueText. */
export function ownText(value: unknown): string {
  const text = valueText(value);
  return text.includes(MARKER_MEMBER) ? takeMarker(parsed(text)).text : text;
}

/** The value that is written: only an object can carry the member. */
export function putMarker(text: string, marker: Marker | undefined): JsonValue {
  const value = parsed(text);
  if (!isObject(value)) return value;
  const { [MARKER_MEMBER]: _, ...rest } = value;
  if (marker === undefined) return rest;
  const writers = [...marker.writers].map(([writer, { seq, version }]) => [writer, [seq, version]] as const);
  return { ...rest, [MARKER_MEMBER]: { since: marker.since, writers: Object.fromEntries(writers) } };
}

function readMarker(member: JsonValue | undefined): Marker | undefined {
  if (!isObject(member)) return undefined;
  const { since, writers } = member;
  if (!isNumber(since) || !isObject(writers)) return undefined;
  const entries: [string, MarkerEntry][] = [];
  for (const [writer, entry] of Object.entries(writers)) {
    const [seq, version] = Array.isArray(entry) ? (entry as readonly JsonValue[]) : [];
    if (!isNumber(seq) || !isNumber(version)) return undefined;
    entries.push([writer, { seq, version }]);
  }
  return { since, writers: new Map(entries) };
}

function isNumber(value: JsonValue | undefined): value is number {
  return Number.isSafeInteger(value);
}

/** Names and values of documents: what may be stored, and when two are the same. */

import { createHash } from "node:crypto";
import { jsonText } from "../encode/json-text.js";
import { InvalidArgumentError } from "../errors/errors.js";
import { STATE_NAME_LENGTH_MAX, STATE_VALUE_BYTES_MAX, STATE_VALUE_DEPTH_MAX } from "../limits.js";
import type { JsonValue } from "../records/training-record.js";

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** The server's rules, checked here too: what was taken while the server was away must not be refused later. */
export function checkName(name: string): string {
  const length = typeof name === "string" ? Array.from(name).length : 0;
  if (length === 0 || length > STATE_NAME_LENGTH_MAX || name.trim() !== name) {
    throw badField(
      `a document's name must have 1 to ${STATE_NAME_LENGTH_MAX} characters without spaces around them, but is ` +
        JSON.stringify(name),
    );
  }
  if (CONTROL.test(name) || LONE_SURROGATE.test(name)) {
    throw badField(`a document's name must have no control characters or half pairs, but is ${JSON.stringify(name)}`);
  }
  return name;
}

/** JSON text of a value that a document may have. Throws InvalidArgumentError, and UnencodableError. */
export function valueText(value: unknown): string {
  if (value instanceof Promise) throw badField("the value is a promise: await it first");
  const text = jsonText(value, "value");
  const bytes = Buffer.byteLength(text);
  if (bytes > STATE_VALUE_BYTES_MAX) {
    throw badField(`the value has ${bytes} bytes as JSON text; a document holds at most ${STATE_VALUE_BYTES_MAX}`);
  }
  if (depthOf(text) > STATE_VALUE_DEPTH_MAX) {
    throw badField(`the value is nested more than ${STATE_VALUE_DEPTH_MAX} deep: flatten it`);
  }
  return text;
}

/** A copy of its own: whoever gets it may change it. */
export function parsed(text: string): JsonValue {
  return JSON.parse(text) as JsonValue;
}

/** Whether two texts have the same value; the order of an object's members does not count. */
export function sameValue(a: string | undefined, b: string | undefined): boolean {
  if (a === b) return true;
  return a !== undefined && b !== undefined && canonicalText(parsed(a)) === canonicalText(parsed(b));
}

/** Equal for equal values. Undefined stands for a document that is deleted. */
export function digestOf(text: string | undefined): string {
  const canonical = text === undefined ? "" : canonicalText(parsed(text));
  return createHash("sha256").update(canonical).digest("hex").slice(0, 32);
}

export function badField(message: string, code = "BAD_FIELD"): InvalidArgumentError {
  return new InvalidArgumentError(message, { code, retryable: false, grpcStatus: 3 });
}

export function isObject(value: JsonValue | undefined): value is { readonly [key: string]: JsonValue | undefined } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function canonicalText(value: JsonValue): string {
  return JSON.stringify(value, (_key, member: JsonValue) => {
    if (!isObject(member)) return member;
    const entries = Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1));
    // Assigned one by one, a member called __proto__ would vanish.
    return Object.fromEntries(entries);
  });
}

function depthOf(text: string): number {
  // A depth beyond the limit needs that many opening and closing brackets.
  if (text.length <= 2 * STATE_VALUE_DEPTH_MAX) return 0;
  let depth = 0;
  let deepest = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (isInString) {
      if (character === "\\") at++;
      else if (character === '"') isInString = false;
    } else if (character === '"') isInString = true;
    else if (character === "{" || character === "[") deepest = Math.max(deepest, ++depth);
    else if (character === "}" || character === "]") depth--;
  }
  return deepest;
}

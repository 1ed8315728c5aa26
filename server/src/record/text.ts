/** Rules for ids, short texts and JSON: what may be stored, and what to say when it may not. */
import { JSON_BYTES_MAX, JSON_DEPTH_MAX } from "../limits.js";

/** Anything below U+0020, DEL, and the C1 controls. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** What a terminal or a log would obey instead of show: controls, marks of writing direction, line and paragraph ends. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const OBEYED = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** `text` for people: well-formed, at most `charsMax` UTF-16 units of it, and nothing in it that would be obeyed. */
export function printable(text: string, charsMax: number): string {
  const whole = text.replace(OBEYED, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return (whole.length > charsMax ? `${whole.slice(0, charsMax - 1)}…` : whole).toWellFormed();
}

/** Number of characters (code points), as VARCHAR counts them. */
function chars(text: string): number {
  let count = text.length;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit >= 0xd800 && unit <= 0xdbff) count--;
  }
  return count;
}

/** Undefined if `text` may be stored as a short text of at most `charsMax` characters, else what to do about it. */
export function shortTextProblem(text: string, charsMax: number): string | undefined {
  if (text.length > charsMax && chars(text) > charsMax) {
    return `has ${chars(text)} characters; use at most ${charsMax}`;
  }
  if (CONTROL.test(text)) return "has control characters; remove them";
  return undefined;
}

/** Undefined if `text` is a good id of at most `charsMax` characters, else what to do about it. */
export function idProblem(text: string, charsMax: number): string | undefined {
  if (text.length === 0) return `is empty; set it to 1 to ${charsMax} characters`;
  // MySQL pads when it compares: 'a' and 'a ' would be one key there and two on SQLite.
  if (text.trim() !== text) return "begins or ends with white space; trim it";
  return shortTextProblem(text, charsMax);
}

/** Greatest nesting of arrays and objects in JSON text that is known to be valid. */
function jsonDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (inString) {
      if (unit === 0x5c) at++;
      else if (unit === 0x22) inString = false;
    } else if (unit === 0x22) inString = true;
    else if (unit === 0x7b || unit === 0x5b) {
      depth++;
      if (depth > deepest) deepest = depth;
    } else if (unit === 0x7d || unit === 0x5d) depth--;
  }
  return deepest;
}

/** Undefined if `text`, of `bytes` bytes, may be stored as JSON, else what to do about it. */
export function jsonProblem(text: string, bytes: number, bytesMax = JSON_BYTES_MAX): string | undefined {
  if (bytes > bytesMax) return `has ${bytes} bytes; use at most ${bytesMax}`;
  try {
    JSON.parse(text);
  } catch (error) {
    return `is not JSON (${error instanceof Error ? printable(error.message, 120) : "unreadable"}); send JSON text`;
  }
  // A depth beyond the limit needs that many opening and closing brackets.
  if (text.length > 2 * JSON_DEPTH_MAX && jsonDepth(text) > JSON_DEPTH_MAX) {
    return `is nested more than ${JSON_DEPTH_MAX} deep; flatten it`;
  }
  return undefined;
}

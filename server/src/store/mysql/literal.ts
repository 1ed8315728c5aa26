/**
 * SQL literals of values. Ours, because rows are written as text (multi-row INSERT is the fastest way in) and most of
 * what the driver's general escaping looks for cannot occur here.
 *
 * Safe only where the session's sql_mode lacks NO_BACKSLASH_ESCAPES, which connection.ts sets and asserts.
 */
import type { Value } from "../../record/tables.js";

// biome-ignore lint/suspicious/noControlCharactersInRegex: MySQL's list of characters to escape has control characters
const SPECIAL = /[\u0000\b\t\n\r\u001a"'\\]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above
const SPECIAL_ALL = /[\u0000\b\t\n\r\u001a"'\\]/g;

const ESCAPES: Record<string, string> = {
  "\u0000": "\\0",
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\r": "\\r",
  "\u001a": "\\Z",
  '"': '\\"',
  "'": "\\'",
  "\\": "\\\\",
};

export function textLiteral(text: string): string {
  if (!SPECIAL.test(text)) return `'${text}'`;
  return `'${text.replace(SPECIAL_ALL, (character) => ESCAPES[character] as string)}'`;
}

export function literal(value: Value): string {
  if (value === null) return "NULL";
  return typeof value === "number" ? String(value) : textLiteral(value);
}

export function blobLiteral(bytes: Uint8Array | null): string {
  return bytes === null ? "NULL" : `x'${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex")}'`;
}

/**
 * Names of documents as file names, the same on every platform and reversible.
 *
 * Lower-case letters, digits, `-` and `_` stand for themselves; a capital is `=` and its small letter, as many file
 * systems take both for one; every other byte of the UTF-8 text is `%` and two digits, among them `/`, `.` and blanks.
 * Windows reserves `con`, `nul` and the like with any ending: their first letter is written as a byte. A stem that would
 * be too long is cut and ends in `~` and a hash of the name; that name is read from the file.
 */

import { createHash } from "node:crypto";
import { STATE_FILE_STEM_LENGTH_MAX } from "../limits.js";

const RESERVED = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])$/;
const TOKEN = /[a-z0-9_-]|=[a-z]|%[0-9a-f]{2}/y;
const HASH_LENGTH = 40;
const CUT_HEAD_LENGTH = 96;

/** The file name without its ending. */
export function fileStem(name: string): string {
  const tokens = tokensOf(name);
  let stem = tokens.join("");
  if (RESERVED.test(stem)) stem = byteToken(stem.charCodeAt(0)) + stem.slice(1);
  if (stem.length <= STATE_FILE_STEM_LENGTH_MAX) return stem;
  let head = "";
  for (const token of tokens) {
    if (head.length + token.length > CUT_HEAD_LENGTH) break;
    head += token;
  }
  return `${head}~${createHash("sha256").update(name).digest("hex").slice(0, HASH_LENGTH)}`;
}

/** Undefined for a stem that was cut, or that `fileStem` does not make. */
export function nameOfStem(stem: string): string | undefined {
  const bytes: number[] = [];
  TOKEN.lastIndex = 0;
  for (let token = TOKEN.exec(stem); token !== null; token = TOKEN.exec(stem)) {
    const [text] = token;
    if (text.startsWith("%")) bytes.push(Number.parseInt(text.slice(1), 16));
    else bytes.push((text.startsWith("=") ? text.slice(1).toUpperCase() : text).charCodeAt(0));
    if (TOKEN.lastIndex === stem.length) {
      const name = Buffer.from(bytes).toString("utf8");
      return fileStem(name) === stem ? name : undefined;
    }
  }
  return undefined;
}

/** Whether the name must be read from the file. */
export function isCutStem(stem: string): boolean {
  return stem.includes("~");
}

function tokensOf(name: string): string[] {
  const tokens: string[] = [];
  for (const byte of Buffer.from(name, "utf8")) {
    const character = String.fromCharCode(byte);
    if (/[a-z0-9_-]/.test(character)) tokens.push(character);
    else if (/[A-Z]/.test(character)) tokens.push(`=${character.toLowerCase()}`);
    else tokens.push(byteToken(byte));
  }
  return tokens;
}

function byteToken(byte: number): string {
  return `%${byte.toString(16).padStart(2, "0")}`;
}

/**
 * A JSON file that knows whether it is whole: its own body's hash stands at its head. A crash may leave a file that is cut
 * off, empty or full of zeros; an editor may leave one that is nearly right. Neither is taken for what was written.
 */

import { createHash } from "node:crypto";

const HEAD = '{"sha256":"';
const MIDDLE = '","document":';
const END = "}\n";
const HASH_LENGTH = 64;
const BODY_AT = HEAD.length + HASH_LENGTH + MIDDLE.length;

export type OpenedText =
  | { readonly body: string }
  /** What is wrong with it, as the end of a sentence that begins with the file. */
  | { readonly wrong: string };

/** `body` is JSON text. The whole is JSON text too. */
export function sealText(body: string): string {
  return `${HEAD}${hashOf(body)}${MIDDLE}${body}${END}`;
}

export function openText(bytes: Buffer): OpenedText {
  const text = bytes.toString("utf8");
  if (text === "") return { wrong: "is empty" };
  if (!text.startsWith(HEAD) || text.slice(BODY_AT - MIDDLE.length, BODY_AT) !== MIDDLE) {
    return { wrong: HEAD.startsWith(text.slice(0, HEAD.length)) ? "is cut off" : "was not written by a state store" };
  }
  if (!text.endsWith(END)) return { wrong: "is cut off" };
  const body = text.slice(BODY_AT, -END.length);
  if (hashOf(body) !== text.slice(HEAD.length, HEAD.length + HASH_LENGTH))
    return { wrong: "was changed, or is cut off" };
  return { body };
}

function hashOf(body: string): string {
  return createHash("sha256").update(body).digest("hex");
}

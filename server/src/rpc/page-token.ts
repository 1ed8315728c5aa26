/**
 * Page tokens: where a listing stopped, and a fingerprint of the question, so that a token used with another question is
 * refused instead of answering nonsense.
 */
import { createHash } from "node:crypto";
import { RpcError } from "./errors.js";

function fingerprint(question: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(question)).digest("base64url").slice(0, 8);
}

/** @param position JSON values that say where to go on */
export function encodePageToken(question: readonly unknown[], position: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify([fingerprint(question), ...position])).toString("base64url");
}

/** A stream's key, as text of a number that the databases have. */
function isKey(part: string | number): boolean {
  return typeof part === "string" && /^\d{1,19}$/.test(part) && BigInt(part) < 1n << 63n;
}

/**
 * The position, or undefined for an empty token. The fingerprint is no signature: every part of a forged one is judged,
 * `key` being the text of a stream's key.
 * @throws RpcError (BAD_PAGE_TOKEN)
 */
export function decodePageToken(
  token: string,
  question: readonly unknown[],
  shape: readonly ("string" | "number" | "key")[],
): (string | number)[] | undefined {
  if (token === "") return undefined;
  const bad = new RpcError(
    "BAD_PAGE_TOKEN",
    "page_token: is not from this listing; use next_page_token of the previous answer with the same request, or leave it empty",
  );
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
  } catch {
    throw bad;
  }
  if (!Array.isArray(parts) || parts.length !== shape.length + 1 || parts[0] !== fingerprint(question)) throw bad;
  const position = parts.slice(1) as (string | number)[];
  for (const [at, type] of shape.entries()) {
    const part = position[at] as string | number;
    const good = type === "key" ? isKey(part) : typeof part === type;
    if (!good || (typeof part === "number" && !Number.isSafeInteger(part))) throw bad;
  }
  return position;
}

/** A page_size between 1 and `most`; 0 means `fallback`. @throws RpcError */
export function pageSize(size: number, fallback: number, most: number): number {
  if (size === 0) return fallback;
  if (size < 0 || size > most) {
    throw new RpcError("BAD_FIELD", `page_size: is ${size}; use 1 to ${most}, or 0 for ${fallback}`);
  }
  return size;
}

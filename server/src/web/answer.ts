/** Answers of the pages and their API: one set of headers, and JSON as the page reads it. */
import type { ServerResponse } from "node:http";

/** Nothing is loaded from elsewhere, nothing is framed, no script or style stands in a page itself. */
export const SECURITY_HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cache-control": "no-store",
} as const;

/** Integers are safe ones throughout; what JSON has no number for is its name. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => {
    if (typeof each === "bigint") return Number(each);
    if (typeof each === "number" && !Number.isFinite(each)) return String(each);
    if (each instanceof Uint8Array) return Buffer.from(each).toString("base64");
    return each;
  });
}

export function sendText(response: ServerResponse, code: number, text: string): void {
  response.writeHead(code, { ...SECURITY_HEADERS, "content-type": "text/plain; charset=utf-8" });
  response.end(`${text}\n`);
}

export function sendJson(response: ServerResponse, code: number, value: unknown): void {
  response.writeHead(code, { ...SECURITY_HEADERS, "content-type": "application/json" });
  response.end(jsonText(value));
}

/** What a call may end with, whatever it was sent. */
import { type StatusObject, status } from "@grpc/grpc-js";

/** Statuses that say what is wrong with a request, or that the server cannot take it now. */
const ALLOWED: ReadonlySet<status> = new Set([
  status.OK,
  status.INVALID_ARGUMENT,
  status.NOT_FOUND,
  status.ABORTED,
  status.FAILED_PRECONDITION,
  status.RESOURCE_EXHAUSTED,
]);

/** `request`, or the path of a field or the name of a setting, and then what is wrong with it. */
const NAMES_A_FIELD = /^[a-zA-Z_]+(\[.*\]|\.[a-zA-Z_]+)*:? /s;

/** Undefined where the ending is one of those that may be. */
export function wrongEnding(method: string, { code, details, metadata }: StatusObject): string | undefined {
  const tailkeepCode = metadata.get("tailkeep-code")[0]?.toString();
  const said = `${method} ended ${status[code]} (${tailkeepCode ?? "no code"}): ${details}`;
  if (!ALLOWED.has(code)) {
    // A session is being deleted by another input: that is a moment, and said so.
    if (code === status.UNAVAILABLE && /is being deleted/.test(details)) return undefined;
    return said;
  }
  // What HTTP/2 itself refuses, before there is a call.
  if (code === status.RESOURCE_EXHAUSTED && details.startsWith("Bandwidth exhausted")) return undefined;
  if (code !== status.OK && tailkeepCode === undefined) return `without tailkeep-code: ${said}`;
  if (code === status.INVALID_ARGUMENT && !NAMES_A_FIELD.test(details)) return `names no field: ${said}`;
  return undefined;
}

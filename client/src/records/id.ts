import { InvalidArgumentError } from "../errors/errors.js";
import { ID_LENGTH_MAX } from "../limits.js";

/** An id as records.proto wants it; the rest of its rules are checked by the server. */
export function id(value: string, name: string): string {
  if (typeof value !== "string" || value.length === 0 || value.length > ID_LENGTH_MAX || value.trim() !== value) {
    throw new InvalidArgumentError(
      `${name} must have 1 to ${ID_LENGTH_MAX} characters without spaces around them, but is ${JSON.stringify(value)}`,
      { code: "BAD_FIELD", retryable: false, grpcStatus: 3 },
    );
  }
  return value;
}

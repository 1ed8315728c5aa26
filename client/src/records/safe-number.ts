import { ProtocolError } from "../errors/errors.js";

/** An int64 of the wire as a number. Throws ProtocolError where it would not be exact. */
export function safeNumber(value: bigint, field: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) {
    throw new ProtocolError(`${field} is ${value}, beyond 2^53 - 1: the server must not send that`, {
      code: "NUMBER_TOO_LARGE",
      retryable: false,
    });
  }
  return number;
}

import { InvalidArgumentError } from "../errors/errors.js";

/** A bug of the caller, said where it is made. */
export function badOption(message: string): InvalidArgumentError {
  return new InvalidArgumentError(message, { code: "BAD_FIELD", retryable: false, grpcStatus: 3 });
}

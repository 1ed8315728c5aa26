import { AbortedBySignalError } from "./errors.js";

/** What a caller gets who aborted its own signal. */
export function abortedBy(signal: AbortSignal | undefined): AbortedBySignalError {
  return new AbortedBySignalError("the caller's signal was aborted", {
    code: "ABORTED_BY_SIGNAL",
    retryable: false,
    grpcStatus: 1,
    cause: signal?.reason,
  });
}

/**
 * What a caller is told when something cannot be done: a gRPC status, a stable code in the trailing metadata
 * (`tailkeep-code`), and a message that names the field and the remedy. The table of codes stands in ingest.proto.
 */
import { Metadata, status } from "@grpc/grpc-js";
import { ERROR_MESSAGE_CHARS_MAX, OVERLOAD_RETRY_AFTER_MS } from "../limits.js";
import { printable } from "../record/text.js";
import { StoreError } from "../store/errors.js";

export const STATUS_OF_CODE = {
  MALFORMED: status.INVALID_ARGUMENT,
  BAD_FIELD: status.INVALID_ARGUMENT,
  UNKNOWN_TYPE: status.INVALID_ARGUMENT,
  BAD_PAGE_TOKEN: status.INVALID_ARGUMENT,
  NO_KEY: status.UNAUTHENTICATED,
  BAD_KEY: status.UNAUTHENTICATED,
  NOT_PERMITTED: status.PERMISSION_DENIED,
  NOT_FOUND: status.NOT_FOUND,
  SEQUENCE_GAP: status.ABORTED,
  SUPERSEDED: status.ABORTED,
  VERSION_MISMATCH: status.ABORTED,
  FENCED: status.FAILED_PRECONDITION,
  NOT_OPENED: status.FAILED_PRECONDITION,
  ALREADY_OPENED: status.FAILED_PRECONDITION,
  SESSION_ACTIVE: status.FAILED_PRECONDITION,
  TOO_MANY_STREAMS: status.FAILED_PRECONDITION,
  TOO_MANY_PINS: status.FAILED_PRECONDITION,
  CLOCKS_APART: status.FAILED_PRECONDITION,
  MESSAGE_TOO_LARGE: status.RESOURCE_EXHAUSTED,
  BATCH_TOO_LARGE: status.RESOURCE_EXHAUSTED,
  OVERLOADED: status.RESOURCE_EXHAUSTED,
  RATE_LIMITED: status.RESOURCE_EXHAUSTED,
  TOO_MANY_KEYS: status.RESOURCE_EXHAUSTED,
  STORE_UNAVAILABLE: status.UNAVAILABLE,
  SHUTTING_DOWN: status.UNAVAILABLE,
  SECRET_ROTATED: status.UNAVAILABLE,
  BROKEN_INVARIANT: status.DATA_LOSS,
  INTERNAL: status.INTERNAL,
} as const;

export type ErrorCode = keyof typeof STATUS_OF_CODE;

export interface ErrorDetails {
  expectedSeq?: number;
  retryAfterMs?: number;
}

export class RpcError extends Error {
  override readonly name = "RpcError";
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: ErrorDetails = {},
  ) {
    super(message);
  }

  /**
   * As grpc-js ends a call with it. What callers sent may be quoted in the message, cut anywhere: half a surrogate pair
   * would throw inside of grpc-js and end the process, and an endless name would not fit a header.
   */
  toStatus(): { code: status; details: string; metadata: Metadata } {
    const metadata = new Metadata();
    metadata.set("tailkeep-code", this.code);
    const { expectedSeq, retryAfterMs } = this.details;
    if (expectedSeq !== undefined) metadata.set("tailkeep-expected-seq", String(expectedSeq));
    if (retryAfterMs !== undefined) metadata.set("tailkeep-retry-after-ms", String(retryAfterMs));
    return { code: STATUS_OF_CODE[this.code], details: printable(this.message, ERROR_MESSAGE_CHARS_MAX), metadata };
  }
}

/** A field of a request that may not be as it is. */
export function badField(field: string, problem: string): RpcError {
  return new RpcError("BAD_FIELD", `${field}: ${problem}`);
}

/** Turns whatever was thrown into what the caller may know of it; `unexpected` gets what only the log may know. */
export function rpcError(thrown: unknown, unexpected: (error: unknown) => void): RpcError {
  if (thrown instanceof RpcError) return thrown;
  if (thrown instanceof StoreError) {
    if (thrown.code === "READ_QUEUE_FULL") {
      return new RpcError("OVERLOADED", "too many reads are waiting; try again", {
        retryAfterMs: OVERLOAD_RETRY_AFTER_MS,
      });
    }
    // The database's own words may name hosts and accounts; they are for the log.
    unexpected(thrown);
    return new RpcError("STORE_UNAVAILABLE", `the store cannot answer now (${thrown.kind}); try again`, {
      retryAfterMs: OVERLOAD_RETRY_AFTER_MS,
    });
  }
  unexpected(thrown);
  return new RpcError("INTERNAL", "the server failed in a way it should not; its log says more");
}

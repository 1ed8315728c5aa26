import { status as GrpcStatus } from "@grpc/grpc-js";

/** What an error says besides its message. */
export interface TailkeepErrorFields {
  /** Stable, upper case: the server's `tailkeep-code`, or one of the client's own. */
  readonly code: string;
  /** Whether the same call may succeed later without being changed. */
  readonly retryable: boolean;
  /** gRPC status number; UNKNOWN (2) where the client itself refused. */
  readonly grpcStatus?: number | undefined;
  /** The server asked to wait this long before trying again. */
  readonly retryAfterMs?: number | undefined;
  /** What caused it. */
  readonly cause?: unknown;
}

/** Base of everything this package throws or rejects with. Decide by class or by `code`, never by the message. */
export class TailkeepError extends Error {
  override readonly name: string = "TailkeepError";
  readonly code: string;
  readonly retryable: boolean;
  readonly grpcStatus: number;
  readonly retryAfterMs: number | undefined;

  constructor(message: string, fields: TailkeepErrorFields) {
    super(message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.code = fields.code;
    this.retryable = fields.retryable;
    this.grpcStatus = fields.grpcStatus ?? GrpcStatus.UNKNOWN;
    this.retryAfterMs = fields.retryAfterMs;
  }
}

/** A field breaks a rule; sending it again unchanged is useless. */
export class InvalidArgumentError extends TailkeepError {
  override readonly name = "InvalidArgumentError";
}

/** There is no such session or document. */
export class NotFoundError extends TailkeepError {
  override readonly name = "NotFoundError";
}

/** Another writer owns the stream, or a twin of this one does. This stream stops; use a fresh one. */
export class FencedError extends TailkeepError {
  override readonly name = "FencedError";
}

/** The stored version is another one than expected: read the document again and repeat the change. */
export class VersionMismatchError extends TailkeepError {
  override readonly name = "VersionMismatchError";
}

/** The state of the thing forbids this now, such as deleting a session that is being written. */
export class FailedPreconditionError extends TailkeepError {
  override readonly name = "FailedPreconditionError";
}

/** The time given was up. What was in flight may or may not have happened. */
export class DeadlineError extends TailkeepError {
  override readonly name = "DeadlineError";
  /** Records appended and not yet acked when the time was up; 0 for calls other than flush, write and close. */
  readonly pendingRecords: number;

  constructor(message: string, fields: TailkeepErrorFields & { readonly pendingRecords?: number }) {
    super(message, fields);
    this.pendingRecords = fields.pendingRecords ?? 0;
  }
}

/** The server cannot be reached or is shutting down. */
export class UnavailableError extends TailkeepError {
  override readonly name = "UnavailableError";
}

/** The server is at one of its limits. */
export class ResourceExhaustedError extends TailkeepError {
  override readonly name = "ResourceExhaustedError";
}

/** The credentials are missing, wrong, or not enough. */
export class PermissionError extends TailkeepError {
  override readonly name = "PermissionError";
}

/** The caller's own signal was aborted. */
export class AbortedBySignalError extends TailkeepError {
  override readonly name = "AbortedBySignalError";
}

/** The client or the stream was closed before. */
export class ClosedError extends TailkeepError {
  override readonly name = "ClosedError";
}

/** A record cannot be encoded: see `code` and the message for the field. */
export class UnencodableError extends TailkeepError {
  override readonly name = "UnencodableError";
}

/** One side breaks the protocol. A stream ends with it, never the process. Please report it. */
export class ProtocolError extends TailkeepError {
  override readonly name = "ProtocolError";
}

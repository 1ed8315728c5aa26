import { status as GrpcStatus } from "@grpc/grpc-js";
import {
  AbortedBySignalError,
  DeadlineError,
  FailedPreconditionError,
  FencedError,
  InvalidArgumentError,
  NotFoundError,
  PermissionError,
  ResourceExhaustedError,
  TailkeepError,
  type TailkeepErrorFields,
  UnavailableError,
  VersionMismatchError,
} from "./errors.js";

/** How a call ended, as the transport saw it. */
export interface CallStatus {
  /** gRPC status number. */
  readonly status: number;
  readonly message: string;
  /** Trailing `tailkeep-code`. */
  readonly code?: string | undefined;
  /** Trailing `tailkeep-retry-after-ms`. */
  readonly retryAfterMs?: number | undefined;
  /** Trailing `tailkeep-expected-seq`. */
  readonly expectedSeq?: number | undefined;
}

type ErrorClass = new (message: string, fields: TailkeepErrorFields) => TailkeepError;

interface ErrorRule {
  readonly code: string;
  readonly class: ErrorClass;
  readonly retryable: boolean;
  /** What to do, appended to the server's words. */
  readonly remedy?: string;
}

/** The one table: gRPC status to class, and what to do about it. */
const BY_STATUS: ReadonlyMap<number, ErrorRule> = new Map<number, ErrorRule>([
  [GrpcStatus.CANCELLED, { code: "CANCELLED", class: AbortedBySignalError, retryable: true }],
  [GrpcStatus.UNKNOWN, { code: "UNKNOWN", class: TailkeepError, retryable: true }],
  [GrpcStatus.INVALID_ARGUMENT, { code: "INVALID_ARGUMENT", class: InvalidArgumentError, retryable: false }],
  [
    GrpcStatus.DEADLINE_EXCEEDED,
    {
      code: "DEADLINE_EXCEEDED",
      class: DeadlineError,
      retryable: true,
      remedy: "raise timeoutMs, or check that the server is up",
    },
  ],
  [GrpcStatus.NOT_FOUND, { code: "NOT_FOUND", class: NotFoundError, retryable: false }],
  [GrpcStatus.ALREADY_EXISTS, { code: "ALREADY_EXISTS", class: FailedPreconditionError, retryable: false }],
  [GrpcStatus.PERMISSION_DENIED, { code: "PERMISSION_DENIED", class: PermissionError, retryable: false }],
  [GrpcStatus.RESOURCE_EXHAUSTED, { code: "RESOURCE_EXHAUSTED", class: ResourceExhaustedError, retryable: true }],
  [GrpcStatus.FAILED_PRECONDITION, { code: "FAILED_PRECONDITION", class: FailedPreconditionError, retryable: false }],
  [GrpcStatus.ABORTED, { code: "ABORTED", class: TailkeepError, retryable: true }],
  [GrpcStatus.OUT_OF_RANGE, { code: "OUT_OF_RANGE", class: InvalidArgumentError, retryable: false }],
  [
    GrpcStatus.UNIMPLEMENTED,
    {
      code: "UNIMPLEMENTED",
      class: TailkeepError,
      retryable: false,
      remedy: "the server is older than this client, or is not Tailkeep",
    },
  ],
  // A connection that breaks mid-call may surface as INTERNAL in grpc-js.
  [GrpcStatus.INTERNAL, { code: "INTERNAL", class: TailkeepError, retryable: true }],
  [
    GrpcStatus.UNAVAILABLE,
    {
      code: "UNAVAILABLE",
      class: UnavailableError,
      retryable: true,
      remedy: "check that the server runs at the address given by `server` or TAILKEEP_SERVER",
    },
  ],
  [GrpcStatus.DATA_LOSS, { code: "DATA_LOSS", class: TailkeepError, retryable: false }],
  [
    GrpcStatus.UNAUTHENTICATED,
    { code: "UNAUTHENTICATED", class: PermissionError, retryable: false, remedy: "check the API key" },
  ],
]);

/** Codes that decide against their status. */
const BY_CODE: ReadonlyMap<string, { readonly class: ErrorClass; readonly retryable: boolean }> = new Map([
  ["FENCED", { class: FencedError, retryable: false }],
  ["VERSION_MISMATCH", { class: VersionMismatchError, retryable: false }],
  ["MESSAGE_TOO_LARGE", { class: ResourceExhaustedError, retryable: false }],
  ["BATCH_TOO_LARGE", { class: ResourceExhaustedError, retryable: false }],
]);

const UNKNOWN_RULE: ErrorRule = { code: "UNKNOWN", class: TailkeepError, retryable: true };

/** The error that a call's end means. Not for status OK. */
export function errorFromStatus(end: CallStatus, cause?: unknown): TailkeepError {
  const byStatus = BY_STATUS.get(end.status) ?? UNKNOWN_RULE;
  const byCode = end.code === undefined ? undefined : BY_CODE.get(end.code);
  const words = end.message === "" ? byStatus.code.toLowerCase().replaceAll("_", " ") : end.message;
  const message = end.code === undefined && byStatus.remedy !== undefined ? `${words}: ${byStatus.remedy}` : words;
  return new (byCode?.class ?? byStatus.class)(message, {
    code: end.code ?? byStatus.code,
    retryable: byCode?.retryable ?? byStatus.retryable,
    grpcStatus: end.status,
    retryAfterMs: end.retryAfterMs,
    cause,
  });
}

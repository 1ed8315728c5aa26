/** What the end of an Ingest call means for its stream: the table of ingest.proto, and the statuses it leaves out. */

import { status as GrpcStatus } from "@grpc/grpc-js";
import type { CallStatus } from "../errors/from-status.js";

/**
 * - `retry`: wait, reopen, resend what is not durable.
 * - `bad-batch`: a batch cannot be decoded or is too large; find it and take it apart.
 * - `superseded`: the same writer opened the stream again elsewhere.
 * - `fatal`: reopening cannot help.
 */
export type CallEndMeaning = "ended" | "retry" | "bad-batch" | "superseded" | "fatal";

const BY_CODE: ReadonlyMap<string, CallEndMeaning> = new Map<string, CallEndMeaning>([
  ["MALFORMED", "bad-batch"],
  ["BAD_FIELD", "bad-batch"],
  ["UNKNOWN_TYPE", "bad-batch"],
  ["MESSAGE_TOO_LARGE", "bad-batch"],
  ["BATCH_TOO_LARGE", "bad-batch"],
  ["SEQUENCE_GAP", "retry"],
  ["SUPERSEDED", "superseded"],
  ["FENCED", "fatal"],
  ["NOT_OPENED", "fatal"],
  ["ALREADY_OPENED", "fatal"],
  ["OVERLOADED", "retry"],
  ["STORE_UNAVAILABLE", "retry"],
  ["SHUTTING_DOWN", "retry"],
]);

const BY_STATUS: ReadonlyMap<number, CallEndMeaning> = new Map<number, CallEndMeaning>([
  [GrpcStatus.OK, "ended"],
  // grpc itself says this, without a code, when it cannot decode a message.
  [GrpcStatus.INVALID_ARGUMENT, "bad-batch"],
  [GrpcStatus.FAILED_PRECONDITION, "fatal"],
  [GrpcStatus.UNIMPLEMENTED, "fatal"],
  [GrpcStatus.UNAUTHENTICATED, "fatal"],
  [GrpcStatus.PERMISSION_DENIED, "fatal"],
  [GrpcStatus.NOT_FOUND, "fatal"],
  // The stream's history would not add up: the server has stopped it and waits for somebody to look.
  [GrpcStatus.DATA_LOSS, "fatal"],
]);

/** Whatever is in neither table may pass: it is tried again. */
export function meaningOf(end: CallStatus): CallEndMeaning {
  const byCode = end.code === undefined ? undefined : BY_CODE.get(end.code);
  return byCode ?? BY_STATUS.get(end.status) ?? "retry";
}

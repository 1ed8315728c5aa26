/** What a service refused, in the words of HTTP. */
import type { ServerResponse } from "node:http";
import { status } from "@grpc/grpc-js";
import { ERROR_MESSAGE_CHARS_MAX } from "../limits.js";
import { printable } from "../record/text.js";
import { type RpcError, STATUS_OF_CODE } from "../rpc/errors.js";
import { sendJson } from "./answer.js";

const HTTP_STATUS: Partial<Record<status, number>> = {
  [status.INVALID_ARGUMENT]: 400,
  [status.UNAUTHENTICATED]: 401,
  [status.PERMISSION_DENIED]: 403,
  [status.NOT_FOUND]: 404,
  [status.ABORTED]: 409,
  [status.FAILED_PRECONDITION]: 409,
  [status.RESOURCE_EXHAUSTED]: 429,
  [status.UNAVAILABLE]: 503,
};

export function sendError(response: ServerResponse, { code, message, details }: RpcError): void {
  const http = HTTP_STATUS[STATUS_OF_CODE[code]] ?? 500;
  if (http === 401) response.setHeader("www-authenticate", "Bearer");
  if (details.retryAfterMs !== undefined) {
    response.setHeader("retry-after", String(Math.ceil(details.retryAfterMs / 1_000)));
  }
  sendJson(response, http, { code, message: printable(message, ERROR_MESSAGE_CHARS_MAX) });
}

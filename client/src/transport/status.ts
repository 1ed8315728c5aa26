import type { Metadata, StatusObject } from "@grpc/grpc-js";
import type { CallStatus } from "../errors/from-status.js";

/** A call's end in the client's own words: status, and the trailers that ingest.proto lists. */
export function callStatus(status: Partial<StatusObject> & { readonly message?: string }): CallStatus {
  const trailers = status.metadata;
  return {
    status: status.code ?? 2,
    message: status.details ?? status.message ?? "",
    code: textTrailer(trailers, "tailkeep-code"),
    retryAfterMs: numberTrailer(trailers, "tailkeep-retry-after-ms"),
    expectedSeq: numberTrailer(trailers, "tailkeep-expected-seq"),
  };
}

function textTrailer(trailers: Metadata | undefined, name: string): string | undefined {
  const value = trailers?.get(name)[0];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function numberTrailer(trailers: Metadata | undefined, name: string): number | undefined {
  const text = textTrailer(trailers, name);
  if (text === undefined) return undefined;
  const number = Number(text);
  return Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

/** What the writer is told when its stream cannot go on. */
import { OVERLOAD_RETRY_AFTER_MS, SESSION_STREAMS_MAX } from "../limits.js";
import { BatchError } from "../record/decode.js";
import { RpcError } from "../rpc/errors.js";
import type { Refusal } from "../session/session.js";

export function refusalError(refusal: Refusal): RpcError {
  switch (refusal.kind) {
    case "fenced": {
      const owner = refusal.writerId === undefined ? "another writer" : `writer ${refusal.writerId}`;
      return new RpcError(
        "FENCED",
        `open.writer_id: the stream belongs to ${owner}; use a fresh stream_id, or open with takeover to shut that writer out`,
      );
    }
    case "superseded":
      return new RpcError("SUPERSEDED", "this writer opened the stream again; only its newest call goes on");
    case "hole":
      return new RpcError(
        "SEQUENCE_GAP",
        `batch.first_seq: is ${refusal.firstSeq}, expected ${refusal.expectedSeq}; reopen and resend from there, or ` +
          "declare what is lost as a gap",
        { expectedSeq: refusal.expectedSeq },
      );
    case "tooManyStreams":
      return new RpcError(
        "TOO_MANY_STREAMS",
        `open.session_id: the session has ${SESSION_STREAMS_MAX} streams; use fewer writers, or a new session`,
      );
    case "deleting":
      return new RpcError(
        "STORE_UNAVAILABLE",
        "open.session_id: the session is being deleted; open it again afterwards",
        {
          retryAfterMs: OVERLOAD_RETRY_AFTER_MS,
        },
      );
    case "tooManyOpen":
      return new RpcError("OVERLOADED", "the server has as many open streams as it takes; try again later", {
        retryAfterMs: OVERLOAD_RETRY_AFTER_MS,
      });
    case "broken":
      return new RpcError(
        "BROKEN_INVARIANT",
        "the stream was stopped, because its history would not add up; report it",
      );
  }
}

/** The store is behind, and memory for what waits for it is used up. */
export function crowdedError(): RpcError {
  return new RpcError("OVERLOADED", "the store is behind, and too many calls wait for memory; try again later", {
    retryAfterMs: OVERLOAD_RETRY_AFTER_MS,
  });
}

/** A BatchError as the caller is told; anything else as it is. */
export function decodeError(error: unknown): unknown {
  return error instanceof BatchError ? new RpcError(error.code, error.message) : error;
}

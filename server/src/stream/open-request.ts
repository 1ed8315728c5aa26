/** Reads and judges the first message of a stream. */
import { OpenStream } from "@tailkeep/proto";
import { SAFE_INTEGER_MAX } from "../limits.js";
import { badField, RpcError } from "../rpc/errors.js";
import { checkLabels, requiredId } from "../rpc/fields.js";
import { strictReader } from "../rpc/strict-reader.js";
import type { OpenRequest } from "../session/sessions.js";

/** @throws RpcError naming the field */
export function readOpenStream(bytes: Uint8Array, namespace: string): OpenRequest {
  let open: OpenStream;
  try {
    open = OpenStream.decode(strictReader(bytes));
  } catch (error) {
    throw new RpcError("MALFORMED", `open: ${String(error)}; encode it with the stubs of tailkeep.v1`);
  }
  const ackedSeq = Number(open.ackedSeq);
  if (!(ackedSeq >= 0 && ackedSeq <= SAFE_INTEGER_MAX)) {
    throw badField("open.acked_seq", `must be 0 to ${SAFE_INTEGER_MAX}: the highest number ever seen acked`);
  }
  return {
    namespace,
    sessionId: requiredId("open.session_id", open.sessionId),
    streamId: requiredId("open.stream_id", open.streamId),
    writerId: requiredId("open.writer_id", open.writerId),
    ackedSeq,
    takeover: open.takeover,
    labels: checkLabels("open.labels", open.labels),
    mode: "open",
  };
}

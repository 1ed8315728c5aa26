/** Reads and judges the first message of a stream. */
import { OpenStream } from "@tailkeep/proto";
import { ID_CHARS_MAX, LABEL_KEY_CHARS_MAX, LABEL_VALUE_CHARS_MAX, LABELS_MAX, SAFE_INTEGER_MAX } from "../limits.js";
import { idProblem, shortTextProblem } from "../record/text.js";
import { badField, RpcError } from "../rpc/errors.js";
import type { OpenRequest } from "../store/store.js";

export function checkId(field: string, id: string): string {
  const problem = idProblem(id, ID_CHARS_MAX);
  if (problem !== undefined) throw badField(field, problem);
  return id;
}

export function checkLabels(field: string, labels: Record<string, string>): Record<string, string> {
  const entries = Object.entries(labels);
  if (entries.length > LABELS_MAX) throw badField(field, `has ${entries.length} labels; use at most ${LABELS_MAX}`);
  for (const [key, value] of entries) {
    const keyProblem = idProblem(key, LABEL_KEY_CHARS_MAX);
    if (keyProblem !== undefined) throw badField(`${field} key`, keyProblem);
    const valueProblem = shortTextProblem(value, LABEL_VALUE_CHARS_MAX);
    if (valueProblem !== undefined) throw badField(`${field}[${key}]`, valueProblem);
  }
  return labels;
}

/** @throws RpcError naming the field */
export function readOpenStream(bytes: Uint8Array, namespace: string): OpenRequest {
  let open: OpenStream;
  try {
    open = OpenStream.decode(bytes);
  } catch (error) {
    throw new RpcError("MALFORMED", `open: ${String(error)}; encode it with the stubs of tailkeep.v1`);
  }
  const ackedSeq = Number(open.ackedSeq);
  if (!(ackedSeq >= 0 && ackedSeq <= SAFE_INTEGER_MAX)) {
    throw badField("open.acked_seq", `must be 0 to ${SAFE_INTEGER_MAX}: the highest number ever seen acked`);
  }
  return {
    namespace,
    sessionId: checkId("open.session_id", open.sessionId),
    streamId: checkId("open.stream_id", open.streamId),
    writerId: checkId("open.writer_id", open.writerId),
    ackedSeq,
    takeover: open.takeover,
    labels: checkLabels("open.labels", open.labels),
    mode: "open",
  };
}

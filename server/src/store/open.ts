/** What an open does to its stream, decided from the stream's locked row. Pure, and the same for every store. */
import { LABELS_MAX } from "../limits.js";
import { TABLE_COUNT } from "../record/tables.js";
import type { StreamRow } from "./admit.js";
import type { OpenRequest } from "./store.js";

export type OpenDecision =
  | { kind: "fenced"; writerId: string }
  | { kind: "opened"; row: StreamRow; regressed: { firstSeq: number; lastSeq: number } | null };

/**
 * - A new stream begins at epoch 1.
 * - Its own writer gets the next epoch and resumes; a unary caller joins the current one.
 * - Another writer is refused unless it takes over, and a takeover is never silent: the epoch grows.
 * - A watermark below what the writer saw acked means that the database was restored: the range becomes a gap.
 */
export function openDecision(request: OpenRequest, row: StreamRow | undefined): OpenDecision {
  if (row !== undefined && row.writerId !== request.writerId && !request.takeover) {
    return { kind: "fenced", writerId: row.writerId };
  }
  const sameWriter = row?.writerId === request.writerId;
  const joins = request.mode === "attach" && sameWriter;
  const base = row ?? {
    writerId: request.writerId,
    epoch: 0,
    committedSeq: 0,
    storedByTable: new Array<number>(TABLE_COUNT).fill(0),
    rejected: 0,
    gapped: 0,
  };
  const lost = request.mode === "open" ? Math.max(0, request.ackedSeq - base.committedSeq) : 0;
  return {
    kind: "opened",
    row: {
      ...base,
      writerId: request.writerId,
      epoch: joins ? base.epoch : base.epoch + 1,
      committedSeq: base.committedSeq + lost,
      gapped: base.gapped + lost,
    },
    regressed: lost === 0 ? null : { firstSeq: base.committedSeq + 1, lastSeq: base.committedSeq + lost },
  };
}

/** The session's labels with those of an open added; a session that is full keeps what it has. JSON in, JSON out. */
export function mergeLabels(labelsJson: string, added: Record<string, string>): string {
  const labels = new Map<string, string>(Object.entries(JSON.parse(labelsJson) as Record<string, string>));
  for (const [key, value] of Object.entries(added)) {
    if (labels.has(key) || labels.size < LABELS_MAX) labels.set(key, value);
  }
  return JSON.stringify(Object.fromEntries(labels));
}

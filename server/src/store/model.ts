/** Words that writing and reading share. */

/** Who a stream belongs to. */
export interface StreamIdentity {
  namespace: string;
  sessionId: string;
  streamId: string;
}

/** stored + rejected + gapped = committedSeq, in every transaction. */
export interface StreamCounts {
  stored: number;
  rejected: number;
  gapped: number;
}

/** State of a session whose rows are being deleted; readers do not see it any more. */
export const DELETING = "deleting";

export type SessionStateName = "running" | "finished" | "lost";

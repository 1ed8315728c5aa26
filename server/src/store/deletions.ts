/** Deletions of sessions that a server began and did not live to finish. */
import { DELETION_ABANDONED_MS, DELETIONS_RESUMED_MAX } from "../limits.js";
import type { Store } from "./store.js";

export async function finishDeletions(
  store: Pick<Store, "reads" | "deleteSession">,
  nowUs: number,
  signal?: AbortSignal,
): Promise<void> {
  const abandoned = await store.reads.abandonedDeletions(nowUs - DELETION_ABANDONED_MS * 1_000, DELETIONS_RESUMED_MAX);
  for (const { namespace, sessionId } of abandoned) {
    if (signal?.aborted) return;
    await store.deleteSession(namespace, sessionId);
  }
}

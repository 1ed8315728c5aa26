/** Deletions of sessions: what goes in which order, and those that a server began and did not live to finish. */
import { DELETION_ABANDONED_MS, DELETIONS_RESUMED_MAX } from "../limits.js";
import { TABLES } from "../record/tables.js";
import { ROLLUP_TABLES } from "./rollups.js";
import { rowsTable } from "./schema.js";
import type { Store } from "./store.js";

/** What a session's records are in. */
export const RECORD_TABLES: readonly string[] = TABLES.map(rowsTable);

/** What is deleted of it slice by slice, in this order; a trainer may leave millions of dead letters. */
export const SLICED_TABLES: readonly string[] = [...ROLLUP_TABLES, ...RECORD_TABLES, "gaps", "dead_letters"];

export async function finishDeletions(
  store: Pick<Store, "reads" | "deleteSession">,
  nowUs: number,
  signal?: AbortSignal,
): Promise<void> {
  const beforeUs = nowUs - DELETION_ABANDONED_MS * 1_000;
  const abandoned = await store.reads.abandonedDeletions(beforeUs, DELETIONS_RESUMED_MAX);
  for (const { namespace, sessionId } of abandoned) {
    if (signal?.aborted) return;
    // Those before it took their time: another server may have finished this one, and its trainer begun it anew.
    await store.deleteSession(namespace, sessionId, beforeUs);
  }
}

/** How far the sessions that are being written are, by whichever server. */
import type { StreamCounts } from "../model.js";
import { STORED_COLUMNS } from "../schema.js";
import { run, type Source } from "./database.js";
import { exactTotal, total } from "./streams.js";

export interface RunningSession {
  namespace: string;
  sessionId: string;
  counts: StreamCounts;
}

/** Of all namespaces, at most `limit` sessions, those first that were seen last. */
export async function runningCounts(source: Source, limit: number): Promise<RunningSession[]> {
  const running = source.db
    .selectFrom("sessions")
    .select(["namespace_id", "session_id"])
    .where("state", "=", "running")
    .orderBy("last_seen_at_us", "desc")
    .limit(limit)
    .as("running");
  const query = source.db
    .selectFrom(running)
    .innerJoin("streams", (join) =>
      join
        .onRef("streams.namespace_id", "=", "running.namespace_id")
        .onRef("streams.session_id", "=", "running.session_id"),
    )
    .select([
      "running.namespace_id",
      "running.session_id",
      total(STORED_COLUMNS.join(" + ")).as("stored"),
      total("rejected").as("rejected"),
      total("gapped").as("gapped"),
    ])
    .groupBy(["running.namespace_id", "running.session_id"]);
  const rows = await run(source.execute, query);
  return rows.map((row) => ({
    namespace: row.namespace_id,
    sessionId: row.session_id,
    counts: {
      stored: Number(exactTotal(row.stored)),
      rejected: Number(exactTotal(row.rejected)),
      gapped: Number(exactTotal(row.gapped)),
    },
  }));
}

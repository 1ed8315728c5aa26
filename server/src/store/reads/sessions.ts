/** Sessions: one, or a page of them. */
import { DELETING, type SessionStateName } from "../model.js";
import { run, type Source } from "./database.js";

export interface SessionRow {
  sessionId: string;
  name: string;
  labels: Record<string, string>;
  configJson: string;
  state: SessionStateName;
  startedAtUs: number;
  lastSeenAtUs: number;
  endedAtUs: number | null;
}

export async function session(source: Source, namespace: string, sessionId: string): Promise<SessionRow | undefined> {
  const query = source.db
    .selectFrom("sessions")
    .selectAll()
    .where("namespace_id", "=", namespace)
    .where("session_id", "=", sessionId)
    .where("state", "!=", DELETING);
  const [row] = await run(source.execute, query);
  return row === undefined ? undefined : sessionRow(row);
}

/** Sessions by start, newest first, beginning after `after`. */
export async function listSessions(
  source: Source,
  namespace: string,
  state: SessionStateName | undefined,
  after: { startedAtUs: number; sessionId: string } | undefined,
  limit: number,
): Promise<SessionRow[]> {
  let query = source.db
    .selectFrom("sessions")
    .selectAll()
    .where("namespace_id", "=", namespace)
    .where("state", "!=", DELETING);
  if (state !== undefined) query = query.where("state", "=", state);
  if (after !== undefined) {
    query = query
      .where("started_at_us", "<=", after.startedAtUs)
      .where((eb) => eb.or([eb("started_at_us", "<", after.startedAtUs), eb("session_id", "<", after.sessionId)]));
  }
  const rows = await run(
    source.execute,
    query.orderBy("started_at_us", "desc").orderBy("session_id", "desc").limit(limit),
  );
  return rows.map(sessionRow);
}

/** Sessions whose deletion nobody has gone on with. */
export async function abandonedDeletions(
  source: Source,
  beforeUs: number,
  limit: number,
): Promise<{ namespace: string; sessionId: string }[]> {
  const query = source.db
    .selectFrom("sessions")
    .select(["namespace_id", "session_id"])
    .where("state", "=", DELETING)
    .where("ended_at_us", "<", beforeUs)
    .limit(limit);
  const rows = await run(source.execute, query);
  return rows.map((row) => ({ namespace: row.namespace_id, sessionId: row.session_id }));
}

function sessionRow(row: {
  session_id: string;
  name: string;
  labels: string;
  config: string;
  state: string;
  started_at_us: number;
  last_seen_at_us: number;
  ended_at_us: number | null;
}): SessionRow {
  return {
    sessionId: row.session_id,
    name: row.name,
    labels: JSON.parse(row.labels) as Record<string, string>,
    configJson: row.config,
    state: row.state as SessionStateName,
    startedAtUs: Number(row.started_at_us),
    lastSeenAtUs: Number(row.last_seen_at_us),
    endedAtUs: row.ended_at_us === null ? null : Number(row.ended_at_us),
  };
}

/** Sessions: one, or a page of them. */
import { sql } from "kysely";
import { PAGE_BYTES_MAX, PINNED_SESSIONS_MAX } from "../../limits.js";
import { DELETING, type SessionStateName } from "../model.js";
import { PINNED, type Pin, UNPINNED } from "../pins.js";
import { type Database, run, type Source } from "./database.js";

export interface SessionRow {
  sessionId: string;
  name: string;
  labels: Record<string, string>;
  configJson: string;
  state: SessionStateName;
  startedAtUs: number;
  lastSeenAtUs: number;
  endedAtUs: number | null;
  pinned: boolean;
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

export interface SessionCursor {
  startedAtUs: number;
  sessionId: string;
}

/** Sessions by start, newest first, beginning after `after`. */
export async function listSessions(
  source: Source,
  namespace: string,
  state: SessionStateName | undefined,
  after: SessionCursor | undefined,
  limit: number,
): Promise<SessionRow[]> {
  const rows = await run(source.execute, newestSessions(source, namespace, state, after, limit).selectAll());
  return rows.map(sessionRow);
}

/** The same, at most `limit` rows and PAGE_BYTES_MAX bytes of labels and configurations; `more` where a page follows. */
export async function listSessionPage(
  source: Source,
  namespace: string,
  state: SessionStateName | undefined,
  after: SessionCursor | undefined,
  limit: number,
): Promise<{ rows: SessionRow[]; more: boolean }> {
  const sizes = newestSessions(source, namespace, state, after, limit + 1).select(
    sql<number>`octet_length(labels) + octet_length(config)`.as("bytes"),
  );
  let bytes = 0;
  let count = 0;
  const found = await run(source.execute, sizes);
  for (const row of found) {
    bytes += Number(row.bytes);
    if (count === limit || (count > 0 && bytes > PAGE_BYTES_MAX)) break;
    count++;
  }
  const rows = count === 0 ? [] : await listSessions(source, namespace, state, after, count);
  return { rows, more: found.length > count };
}

function newestSessions(
  source: Source,
  namespace: string,
  state: SessionStateName | undefined,
  after: SessionCursor | undefined,
  limit: number,
) {
  let query = source.db.selectFrom("sessions").where("namespace_id", "=", namespace).where("state", "!=", DELETING);
  if (state !== undefined) query = query.where("state", "=", state);
  if (after !== undefined) {
    query = query
      .where("started_at_us", "<=", after.startedAtUs)
      .where((eb) => eb.or([eb("started_at_us", "<", after.startedAtUs), eb("session_id", "<", after.sessionId)]));
  }
  return query.orderBy("started_at_us", "desc").orderBy("session_id", "desc").limit(limit);
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

/** Sessions whose rows expiry has to look after, of all namespaces. */
export async function pins(source: Source): Promise<Pin[]> {
  const query = source.db
    .selectFrom("sessions")
    .select(["namespace_id", "session_id", "pinned"])
    .where("pinned", ">", UNPINNED)
    .limit(2 * PINNED_SESSIONS_MAX);
  const rows = await run(source.execute, query);
  return rows.map((row) => ({ namespace: row.namespace_id, sessionId: row.session_id, state: Number(row.pinned) }));
}

function sessionRow(row: Database["sessions"]): SessionRow {
  return {
    sessionId: row.session_id,
    name: row.name,
    labels: JSON.parse(row.labels) as Record<string, string>,
    configJson: row.config,
    state: row.state as SessionStateName,
    startedAtUs: Number(row.started_at_us),
    lastSeenAtUs: Number(row.last_seen_at_us),
    endedAtUs: row.ended_at_us === null ? null : Number(row.ended_at_us),
    pinned: Number(row.pinned) === PINNED,
  };
}

/** ListSessions, GetSession, UpdateSession, DeleteSession. */
import {
  type DeleteSessionRequest,
  type DeleteSessionResponse,
  type ListSessionsRequest,
  type ListSessionsResponse,
  type Session,
  SessionState,
  type UpdateSessionRequest,
} from "@tailkeep/proto";
import type { SessionCaches } from "../cache/session-cache.js";
import type { WatchHub } from "../cache/watch-hub.js";
import {
  PAGE_SIZE_MAX,
  PINNED_SESSIONS_MAX,
  SESSION_CONFIG_BYTES_MAX,
  SESSION_NAME_CHARS_MAX,
  SESSIONS_PAGE_SIZE_DEFAULT,
} from "../limits.js";
import { jsonProblem, shortTextProblem } from "../record/text.js";
import { badField, RpcError } from "../rpc/errors.js";
import { checkLabels, requiredId } from "../rpc/fields.js";
import { countsMessage } from "../rpc/messages.js";
import { decodePageToken, encodePageToken, pageSize } from "../rpc/page-token.js";
import type { SessionStateName } from "../store/model.js";
import type { SessionRow } from "../store/reads/reads.js";
import type { Store } from "../store/store.js";

/** Sessions looked at for one page when labels filter them; a page may then be short and have a next one. */
const SCAN_PAGES_MAX = 10;

const STATES: readonly [SessionState, SessionStateName][] = [
  [SessionState.RUNNING, "running"],
  [SessionState.FINISHED, "finished"],
  [SessionState.LOST, "lost"],
];

function stateName(field: string, state: SessionState): SessionStateName {
  const found = STATES.find(([value]) => value === state);
  if (found === undefined) throw badField(field, `${state} is not a state; use RUNNING, FINISHED or LOST`);
  return found[1];
}

function sessionMessage(row: SessionRow): Session {
  return {
    sessionId: row.sessionId,
    name: row.name,
    labels: row.labels,
    configJson: row.configJson,
    state: STATES.find(([, name]) => name === row.state)?.[0] ?? SessionState.UNSPECIFIED,
    startedAtUs: BigInt(row.startedAtUs),
    lastSeenAtUs: BigInt(row.lastSeenAtUs),
    endedAtUs: row.endedAtUs === null ? undefined : BigInt(row.endedAtUs),
    counts: undefined,
    streamCount: 0n,
    pinned: row.pinned,
  };
}

export async function listSessions(
  store: Store,
  namespace: string,
  request: ListSessionsRequest,
): Promise<ListSessionsResponse> {
  const limit = pageSize(request.pageSize, SESSIONS_PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX);
  const state = request.state === SessionState.UNSPECIFIED ? undefined : stateName("state", request.state);
  const wanted = Object.entries(checkLabels("labels", request.labels));
  const question = ["sessions", namespace, state, wanted];
  const token = decodePageToken(request.pageToken, question, ["number", "string"]);
  let after = token && { startedAtUs: Number(token[0]), sessionId: String(token[1]) };
  const sessions: Session[] = [];
  for (let scanned = 0; scanned < SCAN_PAGES_MAX; scanned++) {
    const { rows, more } = await store.reads.listSessionPage(namespace, state, after, limit);
    for (const row of rows) {
      after = { startedAtUs: row.startedAtUs, sessionId: row.sessionId };
      if (wanted.every(([key, value]) => row.labels[key] === value)) sessions.push(sessionMessage(row));
    }
    if (!more) return { sessions, nextPageToken: "" };
    // A page that was filtered may be short; one that was not has as many as fit.
    if (wanted.length === 0 || sessions.length > 0) break;
  }
  return { sessions, nextPageToken: after ? encodePageToken(question, [after.startedAtUs, after.sessionId]) : "" };
}

function notFound(sessionId: string): RpcError {
  return new RpcError("NOT_FOUND", `session_id: there is no session ${sessionId}; ListSessions has all of them`);
}

export async function getSession(store: Store, namespace: string, sessionId: string): Promise<Session> {
  const row = await store.reads.session(namespace, requiredId("session_id", sessionId));
  if (row === undefined) throw notFound(sessionId);
  const { counts, streams } = await store.reads.sessionTotals(namespace, sessionId);
  return { ...sessionMessage(row), counts: countsMessage(counts), streamCount: BigInt(streams) };
}

export async function updateSession(store: Store, namespace: string, request: UpdateSessionRequest): Promise<Session> {
  const sessionId = requiredId("session_id", request.sessionId);
  const { name, labels, configJson, state, pinned } = request;
  const nameProblem = name === undefined ? undefined : shortTextProblem(name, SESSION_NAME_CHARS_MAX);
  if (nameProblem !== undefined) throw badField("name", nameProblem);
  const configProblem =
    configJson === undefined || configJson === ""
      ? undefined
      : jsonProblem(configJson, Buffer.byteLength(configJson), SESSION_CONFIG_BYTES_MAX);
  if (configProblem !== undefined) throw badField("config_json", configProblem);
  if (pinned === true && (await store.reads.pins()).length >= PINNED_SESSIONS_MAX) {
    throw new RpcError("TOO_MANY_PINS", `pinned: ${PINNED_SESSIONS_MAX} sessions are pinned; unpin some`);
  }
  const changed = await store.updateSession(namespace, sessionId, {
    name,
    labels: labels === undefined ? undefined : checkLabels("labels", labels.labels),
    configJson,
    state: state === undefined ? undefined : stateName("state", state),
    pinned,
  });
  if (!changed) throw notFound(sessionId);
  return getSession(store, namespace, sessionId);
}

export interface DeletionContext {
  store: Store;
  caches: SessionCaches;
  hub: WatchHub;
  /** Whether a writer holds a stream of a session on this server, or another server has just stored records of it. */
  isWritten: (namespace: string, sessionId: string) => boolean;
}

export async function deleteSession(
  { store, caches, hub, isWritten }: DeletionContext,
  namespace: string,
  request: DeleteSessionRequest,
): Promise<DeleteSessionResponse> {
  const sessionId = requiredId("session_id", request.sessionId);
  if (!request.force && isWritten(namespace, sessionId)) {
    throw new RpcError("SESSION_ACTIVE", "session_id: a writer holds a stream of it; end the trainer, or set force");
  }
  const deleted = await store.deleteSession(namespace, sessionId);
  caches.forget(namespace, sessionId);
  hub.forget(namespace, sessionId);
  if (deleted === "missing") throw notFound(sessionId);
  return { deletedRecords: BigInt(deleted) };
}

/**
 * Sessions as the page lists them: by words found in id, name and labels, by state, and by a game that they played.
 *
 * Words are looked for among the newest sessions, and a game among its newest records, both up to a limit, and the answer
 * says whether that was all: an index for every word would cost every trainer for what a person asks now and then.
 */
import {
  ListRecordsRequest,
  type ListRecordsResponse,
  ListSessionsRequest,
  type ListSessionsResponse,
  type Session,
  type SessionState,
} from "@tailkeep/proto";
import { PAGE_SIZE_MAX, SEARCH_GAME_RECORDS_MAX, SEARCH_SESSIONS_MAX } from "../../limits.js";
import type { Ask } from "./ask.js";

export interface FoundSessions {
  sessions: Session[];
  nextPageToken: string;
  /** False: older sessions were not looked at. */
  complete: boolean;
}

/** Labels as `key=value`, which must match; words, of which all must be found in id, name or a label. */
export async function searchSessions(ask: Ask): Promise<FoundSessions> {
  const { params } = ask;
  const words = params.text("q").toLowerCase().split(/\s+/).filter(Boolean);
  const game = params.text("game");
  const request = {
    state: params.whole("state") as SessionState,
    labels: labelsOf(params.texts("label")),
    pageSize: params.whole("page_size"),
    pageToken: params.text("page_token"),
  };
  if (words.length === 0 && game === "") {
    const page = await listPage(ask, request);
    return { ...page, sessions: page.sessions.map(withoutConfig), complete: true };
  }
  const players = game === "" ? undefined : await playersOf(ask, game);
  const limit = request.pageSize || 50;
  const sessions: Session[] = [];
  let { pageToken } = request;
  for (let looked = 0; looked < SEARCH_SESSIONS_MAX; ) {
    const page = await listPage(ask, { ...request, pageSize: PAGE_SIZE_MAX, pageToken });
    for (const session of page.sessions) {
      const isPlayer = players === undefined || players.ids.has(session.sessionId);
      if (isPlayer && words.every((word) => hasWord(session, word))) sessions.push(withoutConfig(session));
    }
    looked += page.sessions.length;
    pageToken = page.nextPageToken;
    const isAll = pageToken === "";
    // A page may be longer than asked for: cutting it would lose what follows, for its token is that of the listing.
    if (isAll || sessions.length >= limit) {
      return { sessions, nextPageToken: pageToken, complete: players?.complete ?? true };
    }
  }
  return { sessions, nextPageToken: pageToken, complete: false };
}

function listPage(ask: Ask, request: ListSessionsRequest): Promise<ListSessionsResponse> {
  return ask.call("listSessions", ListSessionsRequest, request) as Promise<ListSessionsResponse>;
}

/** Configurations may be large, and a list does not show them. */
function withoutConfig(session: Session): Session {
  return { ...session, configJson: "" };
}

function labelsOf(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf("=");
      return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

function hasWord({ sessionId, name, labels }: Session, word: string): boolean {
  const texts = [sessionId, name, ...Object.entries(labels).map(([key, value]) => `${key}=${value}`)];
  return texts.some((text) => text.toLowerCase().includes(word));
}

async function playersOf(ask: Ask, gameId: string): Promise<{ ids: ReadonlySet<string>; complete: boolean }> {
  const ids = new Set<string>();
  let pageToken = "";
  for (let looked = 0; looked < SEARCH_GAME_RECORDS_MAX; ) {
    const request = ListRecordsRequest.fromPartial({ gameId, pageSize: PAGE_SIZE_MAX, pageToken });
    const page = (await ask.call("listRecords", ListRecordsRequest, request)) as ListRecordsResponse;
    for (const { sessionId } of page.records) ids.add(sessionId);
    looked += page.records.length;
    pageToken = page.nextPageToken;
    if (pageToken === "") return { ids, complete: true };
  }
  return { ids, complete: false };
}

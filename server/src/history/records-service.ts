/** ListRecords, TailRecords, GetStatistics. */
import {
  type GetStatisticsRequest,
  type GetStatisticsResponse,
  type ListRecordsRequest,
  ListRecordsResponse,
  SortOrder,
  type TailRecordsRequest,
} from "@tailkeep/proto";
import { type SessionCaches, tailFromStore } from "../cache/session-cache.js";
import { PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX, TAIL_LIMIT_DEFAULT, TAIL_LIMIT_MAX } from "../limits.js";
import { encodeRecords, type StoredRow } from "../record/stored-row.js";
import { TABLES } from "../record/tables.js";
import { EncodedAnswer } from "../rpc/encoded-answer.js";
import { badField } from "../rpc/errors.js";
import { optionalId, requiredId } from "../rpc/fields.js";
import { countsMessage } from "../rpc/messages.js";
import { decodePageToken, encodePageToken, pageSize } from "../rpc/page-token.js";
import type { RecordCursor } from "../store/reads/records.js";
import type { Store } from "../store/store.js";
import { keyValues, optionalTime, tablesOf } from "./filters.js";

export async function listRecords(
  store: Store,
  namespace: string,
  request: ListRecordsRequest,
): Promise<EncodedAnswer> {
  const sessionId = optionalId("session_id", request.sessionId);
  const gameId = optionalId("game_id", request.gameId);
  if (sessionId === undefined && gameId === undefined) {
    throw badField("session_id", "and game_id are empty; set at least one, records are found by session or by game");
  }
  const tables = tablesOf(request.types);
  const key = keyValues(request.key, sessionId, tables);
  const sinceUs = optionalTime("since_us", request.sinceUs);
  const untilUs = optionalTime("until_us", request.untilUs);
  if (request.order < 0 || request.order > SortOrder.OLDEST_FIRST) {
    throw badField("order", `${request.order} is not an order; use NEWEST_FIRST or OLDEST_FIRST`);
  }
  const newestFirst = request.order !== SortOrder.OLDEST_FIRST;
  const limit = pageSize(request.pageSize, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX);
  const question = ["records", namespace, sessionId, gameId, tables, sinceUs, untilUs, newestFirst, ...(key ?? [])];
  const position = decodePageToken(request.pageToken, question, ["number", "key", "number"]);
  const page = await store.reads.listRecords({
    namespace,
    sessionId,
    gameId,
    tables,
    key,
    sinceUs,
    untilUs,
    newestFirst,
    limit,
    after: position === undefined ? undefined : cursorOf(position),
  });
  const { next } = page;
  const nextPageToken =
    next === undefined ? "" : encodePageToken(question, [next.timeUs, String(next.stream), next.seq]);
  const rest = ListRecordsResponse.encode({ records: [], nextPageToken }).finish();
  return new EncodedAnswer(encodeRecords(page.rows), rest);
}

function cursorOf([timeUs, stream, seq]: readonly (string | number)[]): RecordCursor {
  return { timeUs: Number(timeUs), stream: BigInt(stream as string), seq: Number(seq) };
}

function encodedAnswer(rows: readonly StoredRow[]): EncodedAnswer {
  return new EncodedAnswer(encodeRecords(rows));
}

export async function tailRecords(
  store: Store,
  caches: SessionCaches,
  namespace: string,
  request: TailRecordsRequest,
): Promise<EncodedAnswer> {
  const sessionId = requiredId("session_id", request.sessionId);
  const gameId = optionalId("game_id", request.gameId);
  const tables = tablesOf(request.types);
  const limit = request.limit === 0 ? TAIL_LIMIT_DEFAULT : request.limit;
  if (limit < 1 || limit > TAIL_LIMIT_MAX) throw badField("limit", `is ${limit}; use 1 to ${TAIL_LIMIT_MAX}`);
  if (gameId === undefined) return caches.tail(namespace, sessionId, tables, limit, encodedAnswer);
  return encodedAnswer(await tailFromStore(store, namespace, sessionId, gameId, tables, limit));
}

export async function getStatistics(
  store: Store,
  namespace: string,
  request: GetStatisticsRequest,
): Promise<GetStatisticsResponse> {
  const found = await store.reads.statistics(namespace, optionalId("session_id", request.sessionId));
  return {
    stored: TABLES.map((table) => ({ type: table.type, count: BigInt(found.storedByTable[table.index] ?? 0) })),
    counts: countsMessage(found.counts),
    sessionCount: BigInt(found.sessions),
    streamCount: BigInt(found.streams),
  };
}

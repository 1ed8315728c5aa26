/** Reading what was stored. */

import * as wire from "@tailkeep/proto";
import { jsonText } from "../encode/json-text.js";
import { SNAPSHOT_RECORDS_MAX } from "../limits.js";
import {
  recordTypeName,
  recordTypeNumber,
  type SessionStateName,
  sessionStateName,
  sessionStateNumber,
} from "../records/names.js";
import { safeNumber } from "../records/safe-number.js";
import { historyRecord, json } from "../records/stored.js";
import type { StreamTotals } from "../records/totals.js";
import { streamTotals } from "../records/totals.js";
import {
  type HistoryRecord,
  type JsonValue,
  RECORD_TYPE_NAMES,
  type RecordTypeName,
} from "../records/training-record.js";
import type { Channel } from "../transport/channel.js";
import { readingRecords } from "../transport/record-reader.js";
import type { CallOptions, UnaryCaller } from "../transport/unary-call.js";
import { type Listing, listing } from "./pages.js";
import {
  type SeriesAnswer,
  type SeriesList,
  type SeriesQuestion,
  seriesAnswer,
  seriesList,
  seriesRequest,
} from "./series.js";
import { type RecordWatch, RecordWatcher, type WatchOptions, type WatchQuestion } from "./watch.js";

/** A training run. */
export interface SessionInfo {
  readonly sessionId: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The run's settings; undefined if none. */
  readonly config: JsonValue | undefined;
  readonly state: SessionStateName;
  /** Microseconds since 1970, as the others. */
  readonly startedAtUs: number;
  /** To about a minute. */
  readonly lastSeenAtUs: number;
  /** Absent while running. */
  readonly endedAtUs: number | undefined;
  /** Its records never expire. */
  readonly pinned: boolean;
  /** Sums over its streams; only in `getSession`. */
  readonly counts: StreamTotals | undefined;
  /** Only in `getSession`. */
  readonly streamCount: number | undefined;
}

/** Which sessions. */
export interface ListSessionsQuestion {
  /** @default all */
  readonly state?: SessionStateName | undefined;
  /** Only sessions that have all these. @default none */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** 1 to 1,000. @default 50 */
  readonly pageSize?: number | undefined;
  /** From an earlier page. @default the first page */
  readonly pageToken?: string | undefined;
  /** Stop after this many. @default all */
  readonly limit?: number | undefined;
}

/** Fields that are absent stay. */
export interface SessionChange {
  /** At most 256 characters. */
  readonly name?: string | undefined;
  /** Replaces all labels; at most 32. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** At most 262,144 bytes as JSON text. */
  readonly config?: JsonValue | undefined;
  readonly state?: SessionStateName | undefined;
  /** Whether its records never expire; unpinned, the earliest expire a whole retention from now. */
  readonly pinned?: boolean | undefined;
}

/** At least one of `sessionId` and `gameId` must be set. */
export interface ListRecordsQuestion {
  readonly sessionId?: string | undefined;
  readonly gameId?: string | undefined;
  /** @default all six */
  readonly types?: readonly RecordTypeName[] | undefined;
  /**
   * Only records of this key; needs `sessionId` and exactly one of `types`, for each type has its own key: the game of
   * performance_history and session_history, the action type, the score type, the frame hash, and "x,y" of a coordinate.
   * Served by an index. @default all
   */
  readonly key?: string | undefined;
  /** At or after this time: microseconds since 1970. */
  readonly sinceUs?: number | undefined;
  /** Before this time: microseconds since 1970. */
  readonly untilUs?: number | undefined;
  /** By event time. @default "newest" */
  readonly order?: "newest" | "oldest" | undefined;
  /** 1 to 1,000. @default 100 */
  readonly pageSize?: number | undefined;
  /** From an earlier page of the same question. @default the first page */
  readonly pageToken?: string | undefined;
  /** Stop after this many. @default all */
  readonly limit?: number | undefined;
}

/** The newest records of a session, by event time. */
export interface TailRecordsQuestion {
  readonly sessionId: string;
  /** @default all six */
  readonly types?: readonly RecordTypeName[] | undefined;
  /** 1 to 1,000, in all. @default 100 */
  readonly limit?: number | undefined;
  readonly gameId?: string | undefined;
}

/** Counts of a session, or of everything; kept by the server, not counted when asked. */
export interface Statistics {
  /** Stored records by type, since the beginning. */
  readonly stored: Readonly<Record<RecordTypeName, number>>;
  readonly counts: StreamTotals;
  readonly sessionCount: number;
  readonly streamCount: number;
}

const service = wire.HistoryServiceService;
const LIST_RECORDS = readingRecords(service.listRecords, wire.ListRecordsResponse);
const TAIL_RECORDS = readingRecords(service.tailRecords, wire.TailRecordsResponse);

/** `client.history`. Every call rejects with a TailkeepError; reads repeat UNAVAILABLE within their deadline. */
export class HistoryClient {
  readonly #caller: UnaryCaller;
  readonly #channel: Channel;

  constructor(caller: UnaryCaller, channel: Channel) {
    this.#caller = caller;
    this.#channel = channel;
  }

  /** Sessions, most recently started first. The deadline is for each page. */
  listSessions(question: ListSessionsQuestion = {}, options: CallOptions = {}): Listing<SessionInfo> {
    const request = {
      pageSize: question.pageSize ?? 0,
      state: sessionStateNumber(question.state),
      labels: { ...question.labels },
    };
    return listing(async (pageToken) => {
      const answer = await this.#caller.call(service.listSessions, { ...request, pageToken }, options);
      const items = answer.sessions.map((session) => ({
        ...sessionInfo(session),
        counts: undefined,
        streamCount: undefined,
      }));
      return { items, nextPageToken: answer.nextPageToken };
    }, pageBounds(question));
  }

  /** Rejects with NotFoundError if there is none. */
  async getSession(sessionId: string, options: CallOptions = {}): Promise<SessionInfo> {
    return sessionInfo(await this.#caller.call(service.getSession, { sessionId }, options));
  }

  /** Rejects with NotFoundError if there is none. */
  async updateSession(sessionId: string, change: SessionChange, options: CallOptions = {}): Promise<SessionInfo> {
    const request: wire.UpdateSessionRequest = {
      sessionId,
      name: change.name,
      labels: change.labels === undefined ? undefined : { labels: { ...change.labels } },
      configJson: change.config === undefined ? undefined : jsonText(change.config, "config"),
      state: change.state === undefined ? undefined : sessionStateNumber(change.state),
      pinned: change.pinned,
    };
    return sessionInfo(await this.#caller.call(service.updateSession, request, options, "once"));
  }

  /**
   * Deletes a session with everything in it; resolves with the number of records. Rejects with FailedPreconditionError
   * (SESSION_ACTIVE) while it is being written unless `force` is set, and with NotFoundError if there is none.
   */
  async deleteSession(
    sessionId: string,
    options: CallOptions & { readonly force?: boolean | undefined } = {},
  ): Promise<number> {
    const request = { sessionId, force: options.force ?? false };
    const answer = await this.#caller.call(service.deleteSession, request, options, "once");
    return safeNumber(answer.deletedRecords, "deleted_records");
  }

  /** Records by event time: `for await`, or `.pages()`. The deadline is for each page. */
  listRecords(question: ListRecordsQuestion, options: CallOptions = {}): Listing<HistoryRecord> {
    const request = {
      sessionId: question.sessionId ?? "",
      gameId: question.gameId ?? "",
      types: (question.types ?? []).map(recordTypeNumber),
      sinceUs: question.sinceUs === undefined ? undefined : BigInt(Math.trunc(question.sinceUs)),
      untilUs: question.untilUs === undefined ? undefined : BigInt(Math.trunc(question.untilUs)),
      order: question.order === "oldest" ? wire.SortOrder.OLDEST_FIRST : wire.SortOrder.NEWEST_FIRST,
      pageSize: question.pageSize ?? 0,
      key: question.key ?? "",
    };
    return listing(async (pageToken) => {
      const answer = await this.#caller.call(LIST_RECORDS, { ...request, pageToken }, options);
      return { items: answer.records.map(historyRecord), nextPageToken: answer.nextPageToken };
    }, pageBounds(question));
  }

  /** The newest records of a session, newest event time last, as in the list that the trainer keeps. */
  async tailRecords(question: TailRecordsQuestion, options: CallOptions = {}): Promise<HistoryRecord[]> {
    const request = {
      sessionId: question.sessionId,
      types: (question.types ?? []).map(recordTypeNumber),
      limit: question.limit ?? 0,
      gameId: question.gameId ?? "",
    };
    const answer = await this.#caller.call(TAIL_RECORDS, request, options);
    return answer.records.map(historyRecord);
  }

  /**
   * The newest records of a session, then every commit as it happens. Goes on by itself after the connection was lost,
   * without a gap or a repeat, and ends by `break`, by the signal, or with an error that trying again cannot help.
   */
  watchRecords(question: WatchQuestion, options: WatchOptions = {}): RecordWatch {
    const snapshotLimit = Math.min(question.snapshotLimit ?? 0, SNAPSHOT_RECORDS_MAX);
    return new RecordWatcher(this.#channel, { ...question, snapshotLimit }, options);
  }

  /** Which numeric series a session has. Rejects with NotFoundError if there is no such session. */
  async listSeries(sessionId: string, options: CallOptions = {}): Promise<SeriesList> {
    return seriesList(await this.#caller.call(service.listSeries, { sessionId }, options));
  }

  /**
   * One series as about `points` buckets, each with its exact minimum and maximum, from sums that the server keeps as
   * records are stored: a question costs by buckets, not by records, and is answered after the records have expired.
   * Rejects with NotFoundError if there is no such session, and with InvalidArgumentError where the type has no such column.
   */
  async getSeries(question: SeriesQuestion, options: CallOptions = {}): Promise<SeriesAnswer> {
    return seriesAnswer(await this.#caller.call(service.getSeries, seriesRequest(question), options));
  }

  /** Counts since the beginning, of one session or of all. */
  async getStatistics(
    question: { readonly sessionId?: string | undefined } = {},
    options: CallOptions = {},
  ): Promise<Statistics> {
    const answer = await this.#caller.call(service.getStatistics, { sessionId: question.sessionId ?? "" }, options);
    const stored = Object.fromEntries(RECORD_TYPE_NAMES.map((name) => [name, 0])) as Record<RecordTypeName, number>;
    for (const { type, count } of answer.stored) {
      const name = recordTypeName(type);
      if (name !== undefined) stored[name] = safeNumber(count, "stored.count");
    }
    return {
      stored,
      counts: streamTotals(answer.counts),
      sessionCount: safeNumber(answer.sessionCount, "session_count"),
      streamCount: safeNumber(answer.streamCount, "stream_count"),
    };
  }
}

function pageBounds(question: { readonly pageToken?: string | undefined; readonly limit?: number | undefined }): {
  readonly pageToken?: string | undefined;
  readonly itemsMax?: number | undefined;
} {
  return { pageToken: question.pageToken, itemsMax: question.limit };
}

function sessionInfo(session: wire.Session): SessionInfo {
  return {
    sessionId: session.sessionId,
    name: session.name,
    labels: session.labels,
    config: json(session.configJson),
    state: sessionStateName(session.state),
    startedAtUs: safeNumber(session.startedAtUs, "started_at_us"),
    lastSeenAtUs: safeNumber(session.lastSeenAtUs, "last_seen_at_us"),
    endedAtUs: session.endedAtUs === undefined ? undefined : safeNumber(session.endedAtUs, "ended_at_us"),
    pinned: session.pinned,
    counts: session.counts === undefined ? undefined : streamTotals(session.counts),
    streamCount: safeNumber(session.streamCount, "stream_count"),
  };
}

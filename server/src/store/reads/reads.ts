/** Every question the server asks of a store, the same for both: built with Kysely, run by the store. */

import type { RecordType } from "@tailkeep/proto";
import { sql } from "kysely";
import { PAGE_BYTES_MAX } from "../../limits.js";
import type { StoredRow } from "../../record/stored-row.js";
import { TABLES } from "../../record/tables.js";
import { DELETING, type SessionStateName, type StreamCounts } from "../model.js";
import { STORED_COLUMNS } from "../schema.js";
import type { StateRow } from "../state.js";
import { type Execute, type QueryBuilder, run } from "./database.js";
import { listRecords, listStreamRange, type RecordCursor, type RecordQuery } from "./records.js";

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

export interface SessionTotals {
  counts: StreamCounts;
  streams: number;
}

/**
 * Changes whenever anything is committed to a session or one of its streams is opened: number of streams, sum of their
 * epochs, sum of their committed numbers. All three only grow, so equal sums mean that every stream is as it was.
 */
export type SessionVersion = string;

export function sessionVersion(streams: number | bigint, epochs: bigint, committed: bigint): SessionVersion {
  return `${streams}:${epochs}:${committed}`;
}

export interface StreamProgress {
  key: bigint;
  sessionId: string;
  streamId: string;
  epoch: number;
  committedSeq: number;
}

export interface GapRow {
  sessionId: string;
  streamId: string;
  stream: bigint;
  firstSeq: number;
  lastSeq: number;
  type: number;
  cause: number;
  createdAtUs: number;
}

export interface DeadLetterRow {
  sessionId: string;
  streamId: string;
  stream: bigint;
  seq: number;
  type: number;
  reason: number;
  field: string;
  message: string;
  body: Uint8Array | null;
  createdAtUs: number;
}

export interface LedgerRow extends StreamProgress {
  writerId: string;
  counts: StreamCounts;
}

export interface Statistics {
  storedByTable: number[];
  counts: StreamCounts;
  sessions: number;
  streams: number;
}

/** Position of a gap or dead letter in its listing. */
export interface StreamCursor {
  stream: bigint;
  seq: number;
}

const streamKeyText = (column: string) => sql<string>`cast(${sql.ref(column)} as char)`;
const storedSum = sql<number>`${sql.raw(STORED_COLUMNS.join(" + "))}`;
// As text: a sum of many streams may exceed what a JavaScript number holds.
const total = (column: string) => sql<string>`cast(coalesce(sum(${sql.raw(column)}), 0) as char)`;

export class Reads {
  readonly #db: QueryBuilder;
  readonly #execute: Execute;

  constructor(db: QueryBuilder, execute: Execute) {
    this.#db = db;
    this.#execute = execute;
  }

  listRecords(query: RecordQuery): Promise<{ rows: StoredRow[]; next: RecordCursor | undefined }> {
    return listRecords(this.#db, this.#execute, query);
  }

  listStreamRange(
    stream: bigint,
    fromSeq: number,
    toSeq: number,
    tables: readonly number[],
    limit: number,
  ): Promise<StoredRow[]> {
    return listStreamRange(this.#db, this.#execute, stream, fromSeq, toSeq, tables, limit);
  }

  async session(namespace: string, sessionId: string): Promise<SessionRow | undefined> {
    const query = this.#db
      .selectFrom("sessions")
      .selectAll()
      .where("namespace_id", "=", namespace)
      .where("session_id", "=", sessionId)
      .where("state", "!=", DELETING);
    const [row] = await run(this.#execute, query);
    return row === undefined ? undefined : sessionRow(row);
  }

  /** Sessions by start, newest first, beginning after `after`. */
  async listSessions(
    namespace: string,
    state: SessionStateName | undefined,
    after: { startedAtUs: number; sessionId: string } | undefined,
    limit: number,
  ): Promise<SessionRow[]> {
    let query = this.#db
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
      this.#execute,
      query.orderBy("started_at_us", "desc").orderBy("session_id", "desc").limit(limit),
    );
    return rows.map(sessionRow);
  }

  async sessionTotals(namespace: string, sessionId: string): Promise<SessionTotals> {
    const query = this.#db
      .selectFrom("streams")
      .select([
        sql<number>`count(*)`.as("streams"),
        total(STORED_COLUMNS.join(" + ")).as("stored"),
        total("rejected").as("rejected"),
        total("gapped").as("gapped"),
      ])
      .where("namespace_id", "=", namespace)
      .where("session_id", "=", sessionId);
    const [row] = await run(this.#execute, query);
    return { counts: countsRow(row), streams: Number(row?.streams) };
  }

  async sessionVersion(namespace: string, sessionId: string): Promise<SessionVersion> {
    const query = this.#db
      .selectFrom("streams")
      .select([
        sql<number>`count(*)`.as("streams"),
        total("epoch").as("epochs"),
        total("committed_seq").as("committed"),
      ])
      .where("namespace_id", "=", namespace)
      .where("session_id", "=", sessionId);
    const [row] = await run(this.#execute, query);
    return sessionVersion(Number(row?.streams), BigInt(row?.epochs ?? 0), BigInt(row?.committed ?? 0));
  }

  /** Streams of sessions, at most `limit` of each. */
  async streamsOf(namespace: string, sessionIds: readonly string[], limit: number): Promise<StreamProgress[]> {
    if (sessionIds.length === 0) return [];
    const query = this.#db
      .selectFrom("streams")
      .select([streamKeyText("stream").as("stream_key"), "session_id", "stream_id", "epoch", "committed_seq"])
      .where("namespace_id", "=", namespace)
      .where("session_id", "in", [...sessionIds])
      .orderBy("session_id")
      .orderBy("stream_id")
      .limit(limit * sessionIds.length);
    const rows = await run(this.#execute, query);
    return rows.map((row) => ({
      key: BigInt(row.stream_key),
      sessionId: row.session_id,
      streamId: row.stream_id,
      epoch: Number(row.epoch),
      committedSeq: Number(row.committed_seq),
    }));
  }

  async ledger(namespace: string, sessionId: string, afterStreamId: string, limit: number): Promise<LedgerRow[]> {
    const query = this.#db
      .selectFrom("streams")
      .select([
        streamKeyText("stream").as("stream_key"),
        "stream_id",
        "writer_id",
        "epoch",
        "committed_seq",
        storedSum.as("stored"),
        "rejected",
        "gapped",
      ])
      .where("namespace_id", "=", namespace)
      .where("session_id", "=", sessionId)
      .where("stream_id", ">", afterStreamId)
      .orderBy("stream_id")
      .limit(limit);
    const rows = await run(this.#execute, query);
    return rows.map((row) => ({
      key: BigInt(row.stream_key),
      sessionId,
      streamId: row.stream_id,
      writerId: row.writer_id,
      epoch: Number(row.epoch),
      committedSeq: Number(row.committed_seq),
      counts: countsRow(row),
    }));
  }

  async statistics(namespace: string, sessionId: string | undefined): Promise<Statistics> {
    let streams = this.#db
      .selectFrom("streams")
      .select([
        sql<number>`count(*)`.as("streams"),
        total("rejected").as("rejected"),
        total("gapped").as("gapped"),
        ...TABLES.map((table, index) => total(STORED_COLUMNS[index] as string).as(table.name)),
      ])
      .where("namespace_id", "=", namespace);
    let sessions = this.#db
      .selectFrom("sessions")
      .select(sql<number>`count(*)`.as("sessions"))
      .where("namespace_id", "=", namespace)
      .where("state", "!=", DELETING);
    if (sessionId !== undefined) {
      streams = streams.where("session_id", "=", sessionId);
      sessions = sessions.where("session_id", "=", sessionId);
    }
    const [[sums], [count]] = await Promise.all([run(this.#execute, streams), run(this.#execute, sessions)]);
    const storedByTable = TABLES.map((table) => Number(sums?.[table.name]));
    return {
      storedByTable,
      counts: {
        stored: storedByTable.reduce((sum, each) => sum + each, 0),
        rejected: Number(sums?.rejected),
        gapped: Number(sums?.gapped),
      },
      sessions: Number(count?.sessions),
      streams: Number(sums?.streams),
    };
  }

  async listGaps(
    namespace: string,
    sessionId: string | undefined,
    after: StreamCursor | undefined,
    limit: number,
  ): Promise<GapRow[]> {
    let query = this.#gaps().where("g.namespace_id", "=", namespace);
    if (sessionId !== undefined) query = query.where("g.session_id", "=", sessionId);
    if (after !== undefined) {
      query = query
        .where("g.stream", ">=", after.stream)
        .where((eb) => eb.or([eb("g.stream", ">", after.stream), eb("g.first_seq", ">", after.seq)]));
    }
    return (await run(this.#execute, query.orderBy("g.stream").orderBy("g.first_seq").limit(limit))).map(gapRow);
  }

  /** Gaps of one stream that touch the numbers from `fromSeq` to `toSeq`. */
  async gapsBetween(stream: bigint, fromSeq: number, toSeq: number, limit: number): Promise<GapRow[]> {
    const query = this.#gaps()
      .where("g.stream", "=", stream)
      .where("g.last_seq", ">=", fromSeq)
      .where("g.first_seq", "<=", toSeq)
      .orderBy("g.first_seq")
      .limit(limit);
    return (await run(this.#execute, query)).map(gapRow);
  }

  async listDeadLetters(
    namespace: string,
    sessionId: string | undefined,
    after: StreamCursor | undefined,
    limit: number,
  ): Promise<DeadLetterRow[]> {
    let query = this.#deadLetters().where("d.namespace_id", "=", namespace);
    if (sessionId !== undefined) query = query.where("d.session_id", "=", sessionId);
    if (after !== undefined) {
      query = query
        .where("d.stream", ">=", after.stream)
        .where((eb) => eb.or([eb("d.stream", ">", after.stream), eb("d.seq", ">", after.seq)]));
    }
    const rows = await run(this.#execute, query.orderBy("d.stream").orderBy("d.seq").limit(limit));
    return rows.map(deadLetterRow);
  }

  /** Dead letters of one stream with numbers from `fromSeq` to `toSeq`. */
  async deadLettersBetween(stream: bigint, fromSeq: number, toSeq: number, limit: number): Promise<DeadLetterRow[]> {
    const query = this.#deadLetters()
      .where("d.stream", "=", stream)
      .where("d.seq", ">=", fromSeq)
      .where("d.seq", "<=", toSeq)
      .orderBy("d.seq")
      .limit(limit);
    return (await run(this.#execute, query)).map(deadLetterRow);
  }

  async state(namespace: string, name: string): Promise<StateRow | undefined> {
    const query = this.#db
      .selectFrom("states")
      .selectAll()
      .where("namespace_id", "=", namespace)
      .where("name", "=", name);
    const [row] = await run(this.#execute, query);
    return row === undefined ? undefined : stateRow(row);
  }

  /** Sessions whose deletion nobody has gone on with. */
  async abandonedDeletions(beforeUs: number, limit: number): Promise<{ namespace: string; sessionId: string }[]> {
    const query = this.#db
      .selectFrom("sessions")
      .select(["namespace_id", "session_id"])
      .where("state", "=", DELETING)
      .where("ended_at_us", "<", beforeUs)
      .limit(limit);
    const rows = await run(this.#execute, query);
    return rows.map((row) => ({ namespace: row.namespace_id, sessionId: row.session_id }));
  }

  /** Documents by name after `afterName`; values only if asked, and then at most PAGE_BYTES_MAX of them. */
  async listStates(
    namespace: string,
    prefix: string,
    afterName: string,
    limit: number,
    values: boolean,
  ): Promise<StateRow[]> {
    let query = this.#db
      .selectFrom("states")
      .select(["name", "version", "updated_at_us", sql<number>`octet_length(value)`.as("bytes")])
      .where("namespace_id", "=", namespace)
      .where("name", ">", afterName);
    if (prefix !== "") {
      // A range, not LIKE: it uses the key and needs no escaping. U+10FFFF sorts after every other character.
      query = query.where("name", ">=", prefix).where("name", "<", `${prefix}\u{10ffff}`);
      // MySQL pads when it compares: "a" is not below "a ". A name has no blank at its end, so it equals only that one.
      if (prefix.endsWith(" ")) query = query.where("name", "!=", prefix);
    }
    const found = await run(this.#execute, query.orderBy("name").limit(limit));
    const rows: StateRow[] = [];
    let bytes = 0;
    for (const each of found) {
      bytes += Number(each.bytes);
      if (values && rows.length > 0 && bytes > PAGE_BYTES_MAX) break;
      const whole = values ? await this.state(namespace, each.name) : undefined;
      if (values && whole === undefined) continue;
      rows.push(whole ?? stateRow({ ...each, value: "" }));
    }
    return rows;
  }

  #gaps() {
    return this.#db
      .selectFrom("gaps as g")
      .leftJoin("streams as s", "s.stream", "g.stream")
      .select([
        streamKeyText("g.stream").as("stream_key"),
        "s.stream_id",
        "g.session_id",
        "g.first_seq",
        "g.last_seq",
        "g.type",
        "g.cause",
        "g.created_at_us",
      ]);
  }

  #deadLetters() {
    return this.#db
      .selectFrom("dead_letters as d")
      .leftJoin("streams as s", "s.stream", "d.stream")
      .select([
        streamKeyText("d.stream").as("stream_key"),
        "s.stream_id",
        "d.session_id",
        "d.seq",
        "d.type",
        "d.reason",
        "d.field",
        "d.message",
        "d.body",
        "d.created_at_us",
      ]);
  }
}

function countsRow(row: { stored?: unknown; rejected?: unknown; gapped?: unknown } | undefined): StreamCounts {
  return { stored: Number(row?.stored), rejected: Number(row?.rejected), gapped: Number(row?.gapped) };
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

function stateRow(row: { name: string; value: string; version: number; updated_at_us: number }): StateRow {
  return {
    name: row.name,
    valueJson: row.value,
    version: Number(row.version),
    updatedAtUs: Number(row.updated_at_us),
  };
}

function gapRow(row: {
  stream_key: string;
  stream_id: string | null;
  session_id: string;
  first_seq: number;
  last_seq: number;
  type: number;
  cause: number;
  created_at_us: number;
}): GapRow {
  return {
    sessionId: row.session_id,
    streamId: row.stream_id ?? "",
    stream: BigInt(row.stream_key),
    firstSeq: Number(row.first_seq),
    lastSeq: Number(row.last_seq),
    type: Number(row.type),
    cause: Number(row.cause),
    createdAtUs: Number(row.created_at_us),
  };
}

function deadLetterRow(row: {
  stream_key: string;
  stream_id: string | null;
  session_id: string;
  seq: number;
  type: number;
  reason: number;
  field: string;
  message: string;
  body: Uint8Array | null;
  created_at_us: number;
}): DeadLetterRow {
  return {
    sessionId: row.session_id,
    streamId: row.stream_id ?? "",
    stream: BigInt(row.stream_key),
    seq: Number(row.seq),
    type: Number(row.type) as RecordType,
    reason: Number(row.reason),
    field: row.field,
    message: row.message,
    body: row.body,
    createdAtUs: Number(row.created_at_us),
  };
}

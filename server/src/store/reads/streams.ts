/** What the streams' own rows tell: progress, counts, the ledger. Nothing here counts records in their tables. */
import { sql } from "kysely";
import { TABLES } from "../../record/tables.js";
import { DELETING, type StreamCounts } from "../model.js";
import { STORED_COLUMNS } from "../schema.js";
import { type QueryBuilder, run, type Source, streamKeyText } from "./database.js";

export interface SessionTotals {
  counts: StreamCounts;
  streams: number;
}

/**
 * Changes whenever anything is committed to a session or one of its streams is opened: when the session began, number of
 * streams, sum of their keys, of their epochs and of their committed numbers. The last two only grow, so equal sums mean
 * that every stream is as it was; the begin tells a session from one of the same id that was deleted.
 */
export type SessionVersion = string;

/** @param startedAtUs 0 where there is no such session */
export function sessionVersion(
  startedAtUs: number,
  streams: number,
  keys: bigint,
  epochs: bigint,
  committed: bigint,
): SessionVersion {
  return `${startedAtUs}:${streams}:${keys}:${epochs}:${committed}`;
}

export interface StreamProgress {
  key: bigint;
  sessionId: string;
  streamId: string;
  epoch: number;
  committedSeq: number;
}

/** A stream, and which of the sessions that had its session's id one after the other it belongs to. */
export interface SessionStream extends StreamProgress {
  sessionStartedAtUs: number;
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

const storedSum = sql<number>`${sql.raw(STORED_COLUMNS.join(" + "))}`;
/**
 * A sum as two: of the upper and of the lower 32 bits. A writer may claim numbers up to 2^53, and 1,024 of those are more
 * than SQLite's sum takes; it then fails for good. As text, because a JavaScript number holds less still.
 */
export const total = (column: string) => {
  const part = (bits: string) => sql`coalesce(sum((${sql.raw(column)}) ${sql.raw(bits)}), 0)`;
  return sql<string>`concat(${part(">> 32")}, ':', ${part("& 4294967295")})`;
};

export function exactTotal(sums: string | undefined): bigint {
  const [upper = 0, lower = 0] = sums?.split(":") ?? [];
  return (BigInt(upper) << 32n) + BigInt(lower);
}

export async function sessionTotals(source: Source, namespace: string, sessionId: string): Promise<SessionTotals> {
  const query = source.db
    .selectFrom("streams")
    .select([
      sql<number>`count(*)`.as("streams"),
      total(STORED_COLUMNS.join(" + ")).as("stored"),
      total("rejected").as("rejected"),
      total("gapped").as("gapped"),
    ])
    .where("namespace_id", "=", namespace)
    .where("session_id", "=", sessionId);
  const [row] = await run(source.execute, query);
  const counts = {
    stored: Number(exactTotal(row?.stored)),
    rejected: Number(exactTotal(row?.rejected)),
    gapped: Number(exactTotal(row?.gapped)),
  };
  return { counts, streams: Number(row?.streams) };
}

export async function readSessionVersion(
  source: Source,
  namespace: string,
  sessionId: string,
): Promise<SessionVersion> {
  const { sql: text, parameters } = versionQuery(source.db);
  const [row] = await source.execute(
    text,
    parameters.map((each) => (each === NAMESPACE ? namespace : each === SESSION ? sessionId : each)),
  );
  return sessionVersion(
    Number(row?.["started"] ?? 0),
    Number(row?.["streams"]),
    exactTotal(row?.["keys"] as string),
    exactTotal(row?.["epochs"] as string),
    exactTotal(row?.["committed"] as string),
  );
}

/** Stand where the values of a question go. */
const NAMESPACE = Symbol("namespace");
const SESSION = Symbol("session");

interface Compiled {
  sql: string;
  parameters: readonly unknown[];
}

const versionQueries = new WeakMap<QueryBuilder, Compiled>();

/** Asked before every answer from a cache on a shared store: building it anew took a third of such an answer. */
function versionQuery(db: QueryBuilder): Compiled {
  let compiled = versionQueries.get(db);
  if (compiled === undefined) {
    const started = db
      .selectFrom("sessions")
      .select("started_at_us")
      .where("namespace_id", "=", NAMESPACE as unknown as string)
      .where("session_id", "=", SESSION as unknown as string)
      .where("state", "!=", DELETING);
    compiled = db
      .selectFrom("streams")
      .select([
        started.as("started"),
        sql<number>`count(*)`.as("streams"),
        total("stream").as("keys"),
        total("epoch").as("epochs"),
        total("committed_seq").as("committed"),
      ])
      .where("namespace_id", "=", NAMESPACE as unknown as string)
      .where("session_id", "=", SESSION as unknown as string)
      .compile();
    versionQueries.set(db, compiled);
  }
  return compiled;
}

/** Streams of sessions, at most `limit` of each. */
export async function streamsOf(
  source: Source,
  namespace: string,
  sessionIds: readonly string[],
  limit: number,
): Promise<SessionStream[]> {
  if (sessionIds.length === 0) return [];
  const query = source.db
    .selectFrom("streams as t")
    .leftJoin("sessions as s", (join) =>
      join.onRef("s.namespace_id", "=", "t.namespace_id").onRef("s.session_id", "=", "t.session_id"),
    )
    .select([
      streamKeyText("t.stream").as("stream_key"),
      "t.session_id",
      "t.stream_id",
      "t.epoch",
      "t.committed_seq",
      "s.started_at_us",
    ])
    .where("t.namespace_id", "=", namespace)
    .where("t.session_id", "in", [...sessionIds])
    .orderBy("t.session_id")
    .orderBy("t.stream_id")
    .limit(limit * sessionIds.length);
  const rows = await run(source.execute, query);
  return rows.map((row) => ({
    key: BigInt(row.stream_key),
    sessionId: row.session_id,
    streamId: row.stream_id,
    epoch: Number(row.epoch),
    committedSeq: Number(row.committed_seq),
    sessionStartedAtUs: Number(row.started_at_us ?? 0),
  }));
}

export async function ledger(
  source: Source,
  namespace: string,
  sessionId: string,
  afterStreamId: string,
  limit: number,
): Promise<LedgerRow[]> {
  const query = source.db
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
  const rows = await run(source.execute, query);
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

export async function statistics(
  source: Source,
  namespace: string,
  sessionId: string | undefined,
): Promise<Statistics> {
  let streams = source.db
    .selectFrom("streams")
    .select([
      sql<number>`count(*)`.as("streams"),
      total("rejected").as("rejected"),
      total("gapped").as("gapped"),
      ...TABLES.map((table, index) => total(STORED_COLUMNS[index] as string).as(table.name)),
    ])
    .where("namespace_id", "=", namespace);
  let sessions = source.db
    .selectFrom("sessions")
    .select(sql<number>`count(*)`.as("sessions"))
    .where("namespace_id", "=", namespace)
    .where("state", "!=", DELETING);
  if (sessionId !== undefined) {
    streams = streams.where("session_id", "=", sessionId);
    sessions = sessions.where("session_id", "=", sessionId);
  }
  const [[sums], [count]] = await Promise.all([run(source.execute, streams), run(source.execute, sessions)]);
  const storedByTable = TABLES.map((table) => Number(exactTotal(sums?.[table.name])));
  return {
    storedByTable,
    counts: {
      stored: storedByTable.reduce((sum, each) => sum + each, 0),
      rejected: Number(exactTotal(sums?.rejected)),
      gapped: Number(exactTotal(sums?.gapped)),
    },
    sessions: Number(count?.sessions),
    streams: Number(sums?.streams),
  };
}

function countsRow(row: { stored: number; rejected: number; gapped: number }): StreamCounts {
  return { stored: Number(row.stored), rejected: Number(row.rejected), gapped: Number(row.gapped) };
}

/** Rollups of series. */
import { sql } from "kysely";
import type { NodePlace, NodeRow } from "../rollups.js";
import { run, type Source, streamKeyText } from "./database.js";

export interface RollupStreamRow {
  key: bigint;
  rolledSeq: number;
  summary: string;
}

export interface RollupStreamPage {
  readonly rows: RollupStreamRow[];
  /** Whether there is nothing behind the page. */
  readonly isLast: boolean;
  /** Bytes of the longest summary that was met, on the page or right behind it. */
  readonly longest: number;
}

/**
 * What has been summed up of a session, stream after stream from the one after `after`: at most `limit`, and up to the first
 * summary of more than `bytesMax` bytes, which is not sent.
 */
export async function rollupStreams(
  source: Source,
  namespace: string,
  sessionId: string,
  after: bigint,
  limit: number,
  bytesMax: number,
): Promise<RollupStreamPage> {
  const query = source.db
    .selectFrom("rollup_streams")
    .select([
      streamKeyText("stream").as("stream_key"),
      "rolled_seq",
      sql<string>`case when octet_length(summary) <= ${bytesMax} then summary end`.as("summary"),
      sql<number>`octet_length(summary)`.as("bytes"),
    ])
    .where("namespace_id", "=", namespace)
    .where("session_id", "=", sessionId)
    .where("stream", ">", after)
    .orderBy("stream")
    .limit(limit);
  const found = await run(source.execute, query);
  const rows: RollupStreamRow[] = [];
  let longest = 0;
  for (const row of found) {
    longest = Math.max(longest, Number(row.bytes));
    if (longest > bytesMax) break;
    rows.push(streamRow(row));
  }
  return { rows, isLast: rows.length === found.length && found.length < limit, longest };
}

export async function rollupStream(source: Source, key: bigint): Promise<RollupStreamRow | undefined> {
  const query = source.db
    .selectFrom("rollup_streams")
    .select([streamKeyText("stream").as("stream_key"), "rolled_seq", "summary"])
    .where("stream", "=", key);
  const [row] = await run(source.execute, query);
  return row === undefined ? undefined : streamRow(row);
}

function streamRow(row: { stream_key: string; rolled_seq: number; summary: string }): RollupStreamRow {
  return { key: BigInt(row.stream_key), rolledSeq: Number(row.rolled_seq), summary: row.summary };
}

/** Nodes of one level of a group from number `from` to `to`, in order; those that have expired are missing. */
export async function nodeRange(
  source: Source,
  key: bigint,
  { table, game, level }: Omit<NodePlace, "node">,
  from: number,
  to: number,
): Promise<{ node: number; body: Uint8Array }[]> {
  const query = source.db
    .selectFrom("rollup_nodes")
    .select(["node", "body"])
    .where("stream", "=", key)
    .where("type_index", "=", table)
    .where("game", "=", game)
    .where("level", "=", level)
    .where("node", ">=", from)
    .where("node", "<=", to)
    .orderBy("node");
  return (await run(source.execute, query)).map(({ node, body }) => ({ node: Number(node), body }));
}

/** Nodes of one stream by their places, in any order. */
export async function nodesAt(source: Source, key: bigint, places: readonly NodePlace[]): Promise<NodeRow[]> {
  if (places.length === 0) return [];
  const query = source.db
    .selectFrom("rollup_nodes")
    .select(["type_index", "game", "level", "node", "body"])
    .where("stream", "=", key)
    .where((eb) =>
      eb.or(
        places.map(({ table, game, level, node }) =>
          eb.and([eb("type_index", "=", table), eb("game", "=", game), eb("level", "=", level), eb("node", "=", node)]),
        ),
      ),
    );
  return (await run(source.execute, query)).map(({ type_index: table, game, level, node, body }) => ({
    table: Number(table),
    game: Number(game),
    level: Number(level),
    node: Number(node),
    body,
  }));
}

export interface LaggingStream {
  key: bigint;
  namespace: string;
  sessionId: string;
  committedSeq: number;
}

/**
 * Streams with numbers that are not summed up, of sessions that nothing was heard of since `seenBeforeUs`: among the next
 * `looked` streams after `after`. `upTo` is the last of those; undefined where they are the last ones there are.
 */
export async function laggingStreams(
  source: Source,
  after: bigint,
  seenBeforeUs: number,
  looked: number,
): Promise<{ streams: LaggingStream[]; upTo: bigint | undefined }> {
  const last = source.db
    .selectFrom("streams")
    .select(streamKeyText("stream").as("stream_key"))
    .where("stream", ">", after)
    .orderBy("stream")
    .limit(1)
    .offset(looked - 1);
  const [end] = await run(source.execute, last);
  const upTo = end === undefined ? undefined : BigInt(end.stream_key);
  let query = source.db
    .selectFrom("streams as s")
    .innerJoin("sessions as e", (join) =>
      join.onRef("e.namespace_id", "=", "s.namespace_id").onRef("e.session_id", "=", "s.session_id"),
    )
    .leftJoin("rollup_streams as r", "r.stream", "s.stream")
    .select([streamKeyText("s.stream").as("stream_key"), "s.namespace_id", "s.session_id", "s.committed_seq"])
    .where("s.stream", ">", after)
    .where("e.last_seen_at_us", "<", seenBeforeUs)
    .where("s.committed_seq", ">", 0)
    .where((eb) => eb.or([eb("r.rolled_seq", "is", null), eb("r.rolled_seq", "<", eb.ref("s.committed_seq"))]));
  if (upTo !== undefined) query = query.where("s.stream", "<=", upTo);
  const streams = (await run(source.execute, query)).map((row) => ({
    key: BigInt(row.stream_key),
    namespace: row.namespace_id,
    sessionId: row.session_id,
    committedSeq: Number(row.committed_seq),
  }));
  return { streams, upTo };
}

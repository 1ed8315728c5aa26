/** Gaps and dead letters. */
import type { RecordType, RejectionReason } from "@tailkeep/proto";
import type { RejectedEntry } from "../../record/batch.js";
import { run, type Source, streamKeyText } from "./database.js";

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

/** Position of a gap or dead letter in its listing. */
export interface StreamCursor {
  stream: bigint;
  seq: number;
}

export async function listGaps(
  source: Source,
  namespace: string,
  sessionId: string | undefined,
  after: StreamCursor | undefined,
  limit: number,
): Promise<GapRow[]> {
  let query = gaps(source).where("g.namespace_id", "=", namespace);
  if (sessionId !== undefined) query = query.where("g.session_id", "=", sessionId);
  if (after !== undefined) {
    query = query
      .where("g.stream", ">=", after.stream)
      .where((eb) => eb.or([eb("g.stream", ">", after.stream), eb("g.first_seq", ">", after.seq)]));
  }
  return (await run(source.execute, query.orderBy("g.stream").orderBy("g.first_seq").limit(limit))).map(gapRow);
}

/** Gaps of one stream that touch the numbers from `fromSeq` to `toSeq`. */
export async function gapsBetween(
  source: Source,
  stream: bigint,
  fromSeq: number,
  toSeq: number,
  limit: number,
): Promise<GapRow[]> {
  const query = gaps(source)
    .where("g.stream", "=", stream)
    .where("g.last_seq", ">=", fromSeq)
    .where("g.first_seq", "<=", toSeq)
    .orderBy("g.first_seq")
    .limit(limit);
  return (await run(source.execute, query)).map(gapRow);
}

export async function listDeadLetters(
  source: Source,
  namespace: string,
  sessionId: string | undefined,
  after: StreamCursor | undefined,
  limit: number,
): Promise<DeadLetterRow[]> {
  let query = deadLetters(source).where("d.namespace_id", "=", namespace);
  if (sessionId !== undefined) query = query.where("d.session_id", "=", sessionId);
  if (after !== undefined) {
    query = query
      .where("d.stream", ">=", after.stream)
      .where((eb) => eb.or([eb("d.stream", ">", after.stream), eb("d.seq", ">", after.seq)]));
  }
  const rows = await run(source.execute, query.orderBy("d.stream").orderBy("d.seq").limit(limit));
  return rows.map(deadLetterRow);
}

/** Dead letters of one stream with numbers from `fromSeq` to `toSeq`, for acks: without their bodies. */
export async function deadLettersBetween(
  source: Source,
  stream: bigint,
  fromSeq: number,
  toSeq: number,
  limit: number,
): Promise<RejectedEntry[]> {
  const query = source.db
    .selectFrom("dead_letters")
    .select(["seq", "type", "reason", "field", "message"])
    .where("stream", "=", stream)
    .where("seq", ">=", fromSeq)
    .where("seq", "<=", toSeq)
    .orderBy("seq")
    .limit(limit);
  return (await run(source.execute, query)).map(({ seq, type, reason, field, message }) => ({
    seq: Number(seq),
    type: Number(type) as RecordType,
    reason: Number(reason) as RejectionReason,
    field,
    message,
    body: null,
  }));
}

function gaps(source: Source) {
  return source.db
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

function deadLetters(source: Source) {
  return source.db
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

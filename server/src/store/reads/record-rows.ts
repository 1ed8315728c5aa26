/**
 * One question about records as SQL over one table.
 *
 * The order is total, over all tables: (timestamp, stream, seq), in the asked direction. A cursor is the last row given;
 * the next page begins strictly after it.
 */
import { type RawBuilder, sql } from "kysely";
import type { StoredRow } from "../../record/stored-row.js";
import type { Table, Value } from "../../record/tables.js";
import { timestampText, timestampUs } from "../../record/time.js";
import { keyIndex } from "../key-index.js";
import { rowsTable } from "../schema.js";
import { type Database, type QueryBuilder, run, type Source } from "./database.js";
import { type Feed, TableFeed } from "./feeds.js";

export interface RecordCursor {
  timeUs: number;
  stream: bigint;
  seq: number;
}

export interface RecordQuery {
  namespace: string;
  sessionId: string | undefined;
  gameId: string | undefined;
  /** Indexes of tables, rising. */
  tables: readonly number[];
  /** Values of the key columns of the one table there is; undefined: whatever they are. */
  key: readonly Value[] | undefined;
  sinceUs: number | undefined;
  untilUs: number | undefined;
  newestFirst: boolean;
  limit: number;
  after: RecordCursor | undefined;
}

type RawRow = Record<string, unknown>;

function storedRow(table: Table, raw: RawRow): StoredRow {
  return {
    table,
    sessionId: String(raw["session_id"]),
    streamId: String(raw["stream_id"] ?? ""),
    stream: BigInt(raw["stream_key"] as string),
    seq: Number(raw["seq"]),
    timeUs: timestampUs(String(raw["timestamp"])),
    nonfinite: raw["nonfinite"] as string | null,
    values: table.columns.map((column) => {
      const value = raw[column.name] as Value;
      return column.kind === "int64" && value !== null ? Number(value) : value;
    }),
  };
}

/** @param index the only one to use, where it must be said; else the database chooses */
function selectRows(db: QueryBuilder, table: Table, index?: string) {
  const name = rowsTable(table) as "score_history_rows";
  const rows = sql<Database["score_history_rows"]>`${sql.table(name)}`;
  return db
    .selectFrom(rows.as<"r">(sql.raw(index === undefined ? "r" : `r force index (${index})`)))
    .leftJoin("streams as s", "s.stream", "r.stream")
    .select([
      // As text: a 63-bit key does not fit a JavaScript number.
      sql<string>`cast(r.stream as char)`.as("stream_key"),
      "s.stream_id",
      "r.session_id",
      "r.seq",
      "r.timestamp",
      "r.nonfinite",
      ...table.columns.map((column) => sql<Value>`${sql.ref(`r.${column.name}`)}`.as(column.name)),
    ]);
}

/** Whether a row has the key, as SQL. `prefix` names the table: `r.` */
export function hasKey(table: Table, key: readonly Value[], prefix: string): RawBuilder<boolean> {
  const conditions = key.flatMap((value, at) => {
    const column = sql.raw(`${prefix}${table.key[at]?.name}`);
    if (typeof value !== "string") return [sql<boolean>`${column} = ${value}`];
    // MySQL pads when it compares: "a" equals "a " there. A length is a number to both.
    return [sql<boolean>`${column} = ${value}`, sql<boolean>`octet_length(${column}) = ${Buffer.byteLength(value)}`];
  });
  return sql<boolean>`${sql.join(conditions, sql` and `)}`;
}

/**
 * Left to itself, MariaDB reads the whole session from its end where a page begins in the middle of it: measured 260 ms a
 * page at a million records, and with the range of the index below 2.
 */
function rangeIndex(table: Table, query: RecordQuery): string {
  if (query.key !== undefined) return keyIndex(table.name);
  return `${rowsTable(table)}_by_${query.sessionId === undefined ? "game" : "session"}`;
}

/** Numbers of one stream, both ends included. */
export interface SeqRange<Seq extends number | RawBuilder<number>> {
  stream: bigint;
  firstSeq: Seq;
  lastSeq: Seq;
}

/** One fetch from one table, beginning after `after`; of `range`, where it is given, which must be of the session. */
function tablePage(
  source: Source,
  table: Table,
  query: RecordQuery,
  after: RecordCursor | undefined,
  limit: number,
  range: SeqRange<RawBuilder<number>> | undefined,
) {
  const direction = query.newestFirst ? "desc" : "asc";
  let select: ReturnType<typeof selectRows>;
  if (range === undefined) {
    const index = source.hintsIndexes ? rangeIndex(table, query) : undefined;
    select = selectRows(source.db, table, index).where("r.namespace_id", "=", query.namespace);
    if (query.sessionId !== undefined) select = select.where("r.session_id", "=", query.sessionId);
  } else {
    select = selectRows(source.db, table)
      .where("r.stream", "=", range.stream)
      .where("r.seq", ">=", range.firstSeq)
      .where("r.seq", "<=", range.lastSeq);
  }
  if (query.gameId !== undefined) select = select.where("r.game_id", "=", query.gameId);
  if (query.key !== undefined) select = select.where(hasKey(table, query.key, "r."));
  if (query.sinceUs !== undefined) select = select.where("r.timestamp", ">=", timestampText(query.sinceUs));
  if (query.untilUs !== undefined) select = select.where("r.timestamp", "<", timestampText(query.untilUs));
  if (after !== undefined) {
    const beyond = query.newestFirst ? "<" : ">";
    const time = timestampText(after.timeUs);
    // Written so that the first condition alone bounds the index range; a row comparison would not.
    select = select
      .where("r.timestamp", `${beyond}=`, time)
      .where((eb) =>
        eb.or([
          eb("r.timestamp", beyond, time),
          eb("r.stream", beyond, after.stream),
          eb.and([eb("r.stream", "=", after.stream), eb("r.seq", beyond, after.seq)]),
        ]),
      );
  }
  return select
    .orderBy("r.timestamp", direction)
    .orderBy("r.stream", direction)
    .orderBy("r.seq", direction)
    .limit(limit);
}

export function cursorOf(row: StoredRow): RecordCursor {
  return { timeUs: row.timeUs, stream: row.stream, seq: row.seq };
}

/** The records of one table that a question asks for, in its order. */
export function rowsFeed(source: Source, table: Table, query: RecordQuery, range?: SeqRange<RawBuilder<number>>): Feed {
  return new TableFeed(table, async (last, limit) => {
    const after = last === undefined ? query.after : cursorOf(last);
    const raw = await run<RawRow>(source.execute, tablePage(source, table, query, after, limit, range));
    return raw.map((each) => storedRow(table, each));
  });
}

/** The records of one table in a range of numbers, in their order. */
export function rangeFeed(source: Source, table: Table, range: SeqRange<number>): Feed {
  return new TableFeed(table, async (last, limit) => {
    const select = selectRows(source.db, table)
      .where("r.stream", "=", range.stream)
      .where("r.seq", ">=", last === undefined ? range.firstSeq : last.seq + 1)
      .where("r.seq", "<=", range.lastSeq)
      .orderBy("r.seq")
      .limit(limit);
    return (await run<RawRow>(source.execute, select)).map((each) => storedRow(table, each));
  });
}

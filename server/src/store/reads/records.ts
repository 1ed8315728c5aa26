/**
 * Records by session or game and event time, over one or more of the six tables, in pages.
 *
 * The order is total, over all tables: (timestamp, stream, seq), in the asked direction. A cursor is the last row given;
 * the next page begins strictly after it.
 */
import { sql } from "kysely";
import { PAGE_BYTES_MAX, PAGE_SIZE_DEFAULT } from "../../limits.js";
import { byTime, rowBytes, type StoredRow } from "../../record/stored-row.js";
import { type Table, tableAt, type Value } from "../../record/tables.js";
import { timestampText, timestampUs } from "../../record/time.js";
import { rowsTable } from "../schema.js";
import type { Database, QueryBuilder, Source } from "./database.js";
import { run } from "./database.js";

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

/**
 * Rows fetched from one table at a time: few at first, more where those so far were small. A page of the largest records
 * must not fill the memory, and a page of small ones should take one or two queries.
 */
const FETCH_ROWS_FIRST = 16;

/** Rows of a first fetch where the last rows of the table were small: a page of the default size in one query. */
const FETCH_ROWS_EXPECTED = PAGE_SIZE_DEFAULT + 1;
const FETCH_ROWS = 500;
const FETCH_GROWTH = 4;
const FETCH_BYTES = 1024 * 1024;

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

/** One fetch from one table, beginning after `after`. */
function tablePage(source: Source, table: Table, query: RecordQuery, after: RecordCursor | undefined, limit: number) {
  const direction = query.newestFirst ? "desc" : "asc";
  // Left to itself, MariaDB reads the whole session from its end where a page begins in the middle of it: measured
  // 260 ms a page at a million records, and with the range of the index below 2.
  const by = query.sessionId === undefined ? "game" : "session";
  const index = source.hintsIndexes ? `${rowsTable(table)}_by_${by}` : undefined;
  let select = selectRows(source.db, table, index).where("r.namespace_id", "=", query.namespace);
  if (query.sessionId !== undefined) select = select.where("r.session_id", "=", query.sessionId);
  if (query.gameId !== undefined) select = select.where("r.game_id", "=", query.gameId);
  for (const [at, value] of (query.key ?? []).entries()) {
    const column = sql.ref(`r.${table.key[at]?.name}`);
    select = select.where(sql<boolean>`${column} = ${value}`);
    // MySQL pads when it compares: "a" equals "a " there. A length is a number to both.
    if (typeof value === "string")
      select = select.where(sql<boolean>`octet_length(${column}) = ${Buffer.byteLength(value)}`);
  }
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

function cursorOf(row: StoredRow): RecordCursor {
  return { timeUs: row.timeUs, stream: row.stream, seq: row.seq };
}

/** Bytes of a row of each table in the last fetch: what the next question may expect. */
const lastRowBytes = new Map<number, number>();

/** One table's rows in order, fetched as they are needed. */
class TableFeed {
  readonly #table: Table;
  readonly #fetch: (after: StoredRow | undefined, limit: number) => Promise<StoredRow[]>;
  #rows: StoredRow[] = [];
  #at = 0;
  #last: StoredRow | undefined;
  #fetchRows: number;
  #ended = false;

  constructor(table: Table, fetch: (after: StoredRow | undefined, limit: number) => Promise<StoredRow[]>) {
    this.#table = table;
    this.#fetch = fetch;
    const expected = Math.floor(FETCH_BYTES / (lastRowBytes.get(table.index) ?? FETCH_BYTES));
    this.#fetchRows = Math.min(FETCH_ROWS_EXPECTED, Math.max(FETCH_ROWS_FIRST, expected));
  }

  async peek(wanted: number): Promise<StoredRow | undefined> {
    if (this.#at === this.#rows.length && !this.#ended) {
      const limit = Math.min(this.#fetchRows, wanted);
      this.#rows = await this.#fetch(this.#last, limit);
      this.#at = 0;
      this.#ended = this.#rows.length < limit;
      this.#last = this.#rows.at(-1) ?? this.#last;
      this.#adapt();
    }
    return this.#rows[this.#at];
  }

  take(): void {
    this.#at++;
  }

  #adapt(): void {
    if (this.#rows.length === 0) return;
    const bytesEach = this.#rows.reduce((sum, row) => sum + rowBytes(row), 0) / this.#rows.length;
    lastRowBytes.set(this.#table.index, bytesEach);
    const fitting = Math.max(1, Math.floor(FETCH_BYTES / bytesEach));
    this.#fetchRows = Math.min(FETCH_ROWS, this.#fetchRows * FETCH_GROWTH, fitting);
  }
}

/** The first of the feeds' next rows in the order of `compare`, and whose it is. */
async function firstOf(
  feeds: readonly TableFeed[],
  wanted: number,
  compare: (a: StoredRow, b: StoredRow) => number,
): Promise<{ row: StoredRow; feed: TableFeed } | undefined> {
  const heads = await Promise.all(feeds.map((feed) => feed.peek(wanted)));
  let best: { row: StoredRow; feed: TableFeed } | undefined;
  for (const [at, row] of heads.entries()) {
    if (row === undefined) continue;
    if (best === undefined || compare(row, best.row) < 0) best = { row, feed: feeds[at] as TableFeed };
  }
  return best;
}

/** At most `query.limit` rows and PAGE_BYTES_MAX bytes; `next` is set where there may be more. */
export async function listRecords(
  source: Source,
  query: RecordQuery,
): Promise<{ rows: StoredRow[]; next: RecordCursor | undefined }> {
  const feeds = query.tables.map((index) => {
    const table = tableAt(index);
    return new TableFeed(table, async (last, limit) => {
      const after = last === undefined ? query.after : cursorOf(last);
      const raw = await run<RawRow>(source.execute, tablePage(source, table, query, after, limit));
      return raw.map((each) => storedRow(table, each));
    });
  });
  const rows: StoredRow[] = [];
  let bytes = 0;
  // One more than asked for, to know whether there is a next page.
  const wanted = query.limit + 1;
  while (rows.length <= query.limit) {
    const next = await firstOf(feeds, wanted - rows.length, query.newestFirst ? (a, b) => byTime(b, a) : byTime);
    if (next === undefined) return { rows, next: undefined };
    bytes += rowBytes(next.row);
    const full = rows.length === query.limit || (rows.length > 0 && bytes > PAGE_BYTES_MAX);
    if (full) return { rows, next: cursorOf(rows.at(-1) as StoredRow) };
    rows.push(next.row);
    next.feed.take();
  }
  return { rows, next: undefined };
}

/**
 * Records of one stream with numbers from `fromSeq` to `toSeq`, in order: at most `limit` rows and PAGE_BYTES_MAX bytes.
 * `upTo` is how far the page reaches: no record up to there is missing from it.
 */
export async function listStreamPage(
  source: Source,
  stream: bigint,
  fromSeq: number,
  toSeq: number,
  tables: readonly number[],
  limit: number,
): Promise<{ rows: StoredRow[]; upTo: number }> {
  const feeds = tables.map((index) => {
    const table = tableAt(index);
    return new TableFeed(table, async (last, rowsMax) => {
      const select = selectRows(source.db, table)
        .where("r.stream", "=", stream)
        .where("r.seq", ">=", last === undefined ? fromSeq : last.seq + 1)
        .where("r.seq", "<=", toSeq)
        .orderBy("r.seq")
        .limit(rowsMax);
      return (await run<RawRow>(source.execute, select)).map((each) => storedRow(table, each));
    });
  });
  const rows: StoredRow[] = [];
  let bytes = 0;
  for (;;) {
    const next = await firstOf(feeds, limit + 1 - rows.length, (a, b) => a.seq - b.seq);
    if (next === undefined) return { rows, upTo: toSeq };
    bytes += rowBytes(next.row);
    if (rows.length === limit || (rows.length > 0 && bytes > PAGE_BYTES_MAX)) return { rows, upTo: next.row.seq - 1 };
    rows.push(next.row);
    next.feed.take();
  }
}

/** The same without a bound in bytes: for few rows, or small ones. */
export async function listStreamRange(
  source: Source,
  stream: bigint,
  fromSeq: number,
  toSeq: number,
  tables: readonly number[],
  limit: number,
): Promise<StoredRow[]> {
  const found: StoredRow[] = [];
  for (let from = fromSeq; from <= toSeq && found.length < limit; ) {
    const { rows, upTo } = await listStreamPage(source, stream, from, toSeq, tables, limit - found.length);
    for (const row of rows) found.push(row);
    from = upTo + 1;
  }
  return found;
}

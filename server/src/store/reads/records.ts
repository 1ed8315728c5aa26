/**
 * Records by session or game and event time, over one or more of the six tables, in pages.
 *
 * The order is total, over all tables: (timestamp, stream, seq), in the asked direction. A cursor is the last row given;
 * the next page begins strictly after it.
 */
import { sql } from "kysely";
import { PAGE_BYTES_MAX } from "../../limits.js";
import { byTime, rowBytes, type StoredRow } from "../../record/stored-row.js";
import { type Table, tableAt, type Value } from "../../record/tables.js";
import { timestampText, timestampUs } from "../../record/time.js";
import { rowsTable } from "../schema.js";
import type { QueryBuilder, Source } from "./database.js";
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
  sinceUs: number | undefined;
  untilUs: number | undefined;
  newestFirst: boolean;
  limit: number;
  after: RecordCursor | undefined;
}

/** Rows fetched from one table at a time: a page of the largest records must not fill the memory. */
const FETCH_ROWS = 100;

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

function selectRows(db: QueryBuilder, table: Table) {
  const name = rowsTable(table) as "score_history_rows";
  return db
    .selectFrom(`${name} as r`)
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
function tablePage(db: QueryBuilder, table: Table, query: RecordQuery, after: RecordCursor | undefined, limit: number) {
  const direction = query.newestFirst ? "desc" : "asc";
  let select = selectRows(db, table).where("r.namespace_id", "=", query.namespace);
  if (query.sessionId !== undefined) select = select.where("r.session_id", "=", query.sessionId);
  if (query.gameId !== undefined) select = select.where("r.game_id", "=", query.gameId);
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

/** One table's rows in order, fetched as they are needed. */
class TableFeed {
  readonly #fetch: (after: RecordCursor | undefined, limit: number) => Promise<StoredRow[]>;
  #rows: StoredRow[] = [];
  #at = 0;
  #after: RecordCursor | undefined;
  #ended = false;

  constructor(
    fetch: (after: RecordCursor | undefined, limit: number) => Promise<StoredRow[]>,
    after: RecordCursor | undefined,
  ) {
    this.#fetch = fetch;
    this.#after = after;
  }

  async peek(wanted: number): Promise<StoredRow | undefined> {
    if (this.#at === this.#rows.length && !this.#ended) {
      const limit = Math.min(FETCH_ROWS, wanted);
      this.#rows = await this.#fetch(this.#after, limit);
      this.#at = 0;
      this.#ended = this.#rows.length < limit;
      const last = this.#rows.at(-1);
      if (last !== undefined) this.#after = cursorOf(last);
    }
    return this.#rows[this.#at];
  }

  take(): void {
    this.#at++;
  }
}

/** At most `query.limit` rows and PAGE_BYTES_MAX bytes; `next` is set where there may be more. */
export async function listRecords(
  source: Source,
  query: RecordQuery,
): Promise<{ rows: StoredRow[]; next: RecordCursor | undefined }> {
  const feeds = query.tables.map((index) => {
    const table = tableAt(index);
    return new TableFeed(async (after, limit) => {
      const raw = await run<RawRow>(source.execute, tablePage(source.db, table, query, after, limit));
      return raw.map((each) => storedRow(table, each));
    }, query.after);
  });
  const rows: StoredRow[] = [];
  let bytes = 0;
  // One more than asked for, to know whether there is a next page.
  const wanted = query.limit + 1;
  while (rows.length <= query.limit) {
    const heads = await Promise.all(feeds.map((feed) => feed.peek(wanted - rows.length)));
    let best = -1;
    for (let at = 0; at < heads.length; at++) {
      const head = heads[at];
      const leader = best < 0 ? undefined : heads[best];
      if (head === undefined) continue;
      if (leader === undefined || (query.newestFirst ? byTime(head, leader) > 0 : byTime(head, leader) < 0)) best = at;
    }
    const row = heads[best];
    if (row === undefined) return { rows, next: undefined };
    bytes += rowBytes(row);
    const full = rows.length === query.limit || (rows.length > 0 && bytes > PAGE_BYTES_MAX);
    if (full) return { rows, next: cursorOf(rows.at(-1) as StoredRow) };
    rows.push(row);
    feeds[best]?.take();
  }
  return { rows, next: undefined };
}

/** Records of one stream with numbers from `fromSeq` to `toSeq`, in order, at most `limit`. */
export async function listStreamRange(
  source: Source,
  stream: bigint,
  fromSeq: number,
  toSeq: number,
  tables: readonly number[],
  limit: number,
): Promise<StoredRow[]> {
  const found = await Promise.all(
    tables.map(async (index) => {
      const table = tableAt(index);
      const select = selectRows(source.db, table)
        .where("r.stream", "=", stream)
        .where("r.seq", ">=", fromSeq)
        .where("r.seq", "<=", toSeq)
        .orderBy("r.seq")
        .limit(limit);
      return (await run<RawRow>(source.execute, select)).map((each) => storedRow(table, each));
    }),
  );
  return found
    .flat()
    .sort((a, b) => a.seq - b.seq)
    .slice(0, limit);
}

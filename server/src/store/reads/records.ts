/** Records by session or game and event time, over one or more of the six tables, in pages; and those of one stream. */
import { PAGE_BYTES_MAX } from "../../limits.js";
import { byTime, rowBytes, type StoredRow } from "../../record/stored-row.js";
import { tableAt } from "../../record/tables.js";
import type { Source } from "./database.js";
import { type Feed, firstOf } from "./feeds.js";
import { KeyBlocksFeed } from "./key-blocks.js";
import { cursorOf, type RecordCursor, type RecordQuery, rangeFeed, rowsFeed } from "./record-rows.js";

export type { RecordCursor, RecordQuery } from "./record-rows.js";

/** At most `query.limit` rows and PAGE_BYTES_MAX bytes; `next` is set where there may be more. */
export async function listRecords(
  source: Source,
  query: RecordQuery,
): Promise<{ rows: StoredRow[]; next: RecordCursor | undefined }> {
  const feeds = query.tables.map((index): Feed => {
    const table = tableAt(index);
    const { key } = query;
    if (key !== undefined && source.keyBlocks) return new KeyBlocksFeed(source, table, { ...query, key });
    return rowsFeed(source, table, query);
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
  const feeds = tables.map((index) => rangeFeed(source, tableAt(index), { stream, firstSeq: fromSeq, lastSeq: toSeq }));
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

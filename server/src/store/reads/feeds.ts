/** Rows in order from several places, each fetched as it is needed. */
import { PAGE_SIZE_DEFAULT } from "../../limits.js";
import { rowBytes, type StoredRow } from "../../record/stored-row.js";
import type { Table } from "../../record/tables.js";

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

/** A place that rows come from, in its order. */
export interface Feed {
  /** The next row, which stays the next one; undefined at the end. `wanted`: how many rows are worth fetching. */
  peek(wanted: number): Promise<StoredRow | undefined>;
  /** Goes on behind the row that was peeked at last. */
  take(): void;
}

/** Bytes of a row of each table in the last fetch: what the next question may expect. */
const lastRowBytes = new Map<number, number>();

/** One table's rows in order, fetched as they are needed. */
export class TableFeed implements Feed {
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
export async function firstOf(
  feeds: readonly Feed[],
  wanted: number,
  compare: (a: StoredRow, b: StoredRow) => number,
): Promise<{ row: StoredRow; feed: Feed } | undefined> {
  const heads = await Promise.all(feeds.map((feed) => feed.peek(wanted)));
  let best: { row: StoredRow; feed: Feed } | undefined;
  for (const [at, row] of heads.entries()) {
    if (row === undefined) continue;
    if (best === undefined || compare(row, best.row) < 0) best = { row, feed: feeds[at] as Feed };
  }
  return best;
}

/**
 * Reads records for their series, in pages that are bounded in rows and in bytes: a JSON column is read whole for the one
 * number in it, and may have a quarter of a megabyte in every row. A page is also what is parsed in one go.
 */
import { SERIES_BYTES_PER_READ, SERIES_ROW_BYTES_FIRST, SERIES_ROWS_PER_READ } from "../limits.js";
import type { Table } from "../record/tables.js";
import type { Reads, SeriesRange, SeriesRow } from "../store/reads/reads.js";

/** How many times as many rows the next page may have at the most: long values may come among short ones. */
const GROWTH = 4;

const ROW_BYTES_LEAST = SERIES_BYTES_PER_READ / SERIES_ROWS_PER_READ;

export class SeriesRows {
  readonly #reads: Reads;
  readonly #table: Table;
  readonly #columns: readonly string[];
  /** What a row's JSON may have on the next page. */
  #rowBytes: number;

  constructor(reads: Reads, table: Table, columns: readonly string[]) {
    this.#reads = reads;
    this.#table = table;
    this.#columns = columns;
    const hasJson = table.columns.some(({ name, kind }) => kind === "json" && columns.includes(name));
    this.#rowBytes = hasJson ? SERIES_ROW_BYTES_FIRST : ROW_BYTES_LEAST;
  }

  /** Page after page to the end of the range, or of the budget, which is charged with every row. */
  async *read(range: SeriesRange, budget: { rows: number }): AsyncGenerator<SeriesRow[]> {
    for (let from: number | undefined = range.fromSeq; from !== undefined && budget.rows > 0; ) {
      const rowBytes = this.#rowBytes;
      const limit = Math.max(1, Math.min(Math.floor(SERIES_BYTES_PER_READ / rowBytes), budget.rows));
      const { rows, next, longest } = await this.#reads.seriesRows(
        this.#table,
        { ...range, fromSeq: from },
        this.#columns,
        limit,
        rowBytes,
      );
      this.#rowBytes = Math.max(longest, Math.ceil(rowBytes / GROWTH), ROW_BYTES_LEAST);
      budget.rows -= rows.length;
      yield rows;
      from = next;
    }
  }
}

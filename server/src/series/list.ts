/** Which series a session has, and what each comes to. */
import type { ListSeriesResponse, Series } from "@tailkeep/proto";
import { SAFE_INTEGER_MAX, SERIES_KEYS_LEFT_OUT_MAX, SERIES_LISTED_MAX, SERIES_ROWS_READ_MAX } from "../limits.js";
import { TABLES, tableAt } from "../record/tables.js";
import type { Reads, SeriesRow } from "../store/reads/reads.js";
import { eachNumber, SERIES_COLUMNS, type SeriesColumns } from "./columns.js";
import { KeysOfSession } from "./keys.js";
import { SeriesRows } from "./rows.js";
import type { Keep, SeriesStream } from "./streams.js";
import { EMPTY_SUMMARY, type StreamSummary } from "./summary.js";
import { addTotals, addValue, emptyTotals, type Totals } from "./totals.js";

class SeriesList {
  readonly #found = new Map<string, { table: number; gameId: string; column: string; totals: Totals }>();
  /** Whether there was room for all. */
  isComplete = true;

  of(table: number, gameId: string, column: string): Totals {
    const name = `${table}\u0000${gameId}\u0000${column}`;
    let series = this.#found.get(name);
    if (series === undefined) {
      if (this.#found.size === SERIES_LISTED_MAX) {
        this.isComplete = false;
        return emptyTotals();
      }
      series = { table, gameId, column, totals: emptyTotals() };
      this.#found.set(name, series);
    }
    return series.totals;
  }

  answer(): Series[] {
    return [...this.#found.values()]
      .filter(({ totals }) => totals.count > 0)
      .sort((a, b) => a.table - b.table || compare(a.gameId, b.gameId) || compare(a.column, b.column))
      .map(({ table, gameId, column, totals }) => ({
        type: tableAt(table).type,
        gameId,
        column,
        count: BigInt(totals.count),
        min: totals.min,
        max: totals.max,
        sum: totals.sum,
        last: totals.last,
        firstTimeUs: BigInt(totals.firstTimeUs),
        lastTimeUs: BigInt(totals.lastTimeUs),
      }));
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What the series of a session come to: first what is summed up, stream after stream, then the records that are not. */
export class SessionSeries {
  readonly #list = new SeriesList();
  readonly #keys = new KeysOfSession();

  readonly keep: Keep<StreamSummary> = {
    of: (stream) => this.#add(stream),
    nothing: EMPTY_SUMMARY,
    size: ({ groups }) => groups.length,
  };

  /** @returns what must be known of the stream for the records that are not summed up */
  #add({ committedSeq, rolledSeq, summary }: SeriesStream<StreamSummary>): StreamSummary {
    for (const { table, gameId, totals } of summary.groups) {
      for (const [name, of] of totals) {
        addTotals(this.#list.of(table, gameId, name), of);
        this.#keys.saw(name);
      }
    }
    for (const key of summary.keysLeftOut) this.#keys.leaveOut(key);
    if (committedSeq <= rolledSeq) return EMPTY_SUMMARY;
    return { groups: summary.groups.map((group) => ({ ...group, totals: new Map() })), keysLeftOut: [] };
  }

  async answer(reads: Reads, streams: readonly SeriesStream<StreamSummary>[]): Promise<ListSeriesResponse> {
    const list = this.#list;
    const keys = this.#keys;
    const budget = { rows: SERIES_ROWS_READ_MAX };
    const readers = TABLES.map((table) => {
      const { numeric, keyed } = SERIES_COLUMNS[table.index] as SeriesColumns;
      const columns = [...numeric, ...keyed].map(({ name }) => name);
      return new SeriesRows(reads, table, columns);
    });
    for (const stream of streams) {
      const { key, committedSeq, rolledSeq } = stream;
      if (committedSeq <= rolledSeq) continue;
      const range = { key, gameId: undefined, fromSeq: rolledSeq + 1, toSeq: SAFE_INTEGER_MAX };
      for (const [table, reader] of readers.entries()) {
        for await (const rows of reader.read(range, budget)) {
          for (const row of rows) addRow(list, keys, stream, table, row);
        }
      }
    }
    return {
      series: list.answer(),
      keysLeftOut: keys.leftOut.slice(0, SERIES_KEYS_LEFT_OUT_MAX),
      complete: list.isComplete,
    };
  }
}

function addRow(
  list: SeriesList,
  keys: KeysOfSession,
  { summary }: SeriesStream<StreamSummary>,
  table: number,
  row: SeriesRow,
): void {
  const { numeric, keyed } = SERIES_COLUMNS[table] as SeriesColumns;
  const games = summary.groups.filter((group) => group.table === table);
  const isOwn = games.some(({ gameId }) => gameId === row.gameId) || games.every(({ gameId }) => gameId !== "");
  const game = isOwn ? row.gameId : "";
  for (const [at, { name }] of numeric.entries()) {
    const value = row.values[at];
    if (typeof value === "number") addValue(list.of(table, game, name), value, row.timeUs, row.seq);
  }
  for (const [at, { name }] of keyed.entries()) {
    const text = row.values[numeric.length + at];
    if (typeof text !== "string") continue;
    eachNumber(text, (key, value) => {
      const series = `${name}.${key}`;
      if (keys.admit(series)) addValue(list.of(table, game, series), value, row.timeUs, row.seq);
    });
  }
}

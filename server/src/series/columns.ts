/** Which numbers of a record have series: its numeric columns, and the numeric top-level keys of its JSON columns. */
import { SERIES_KEY_CHARS_MAX } from "../limits.js";
import { type Column, TABLES, type Table } from "../record/tables.js";

/** A JSON column that is an object by its meaning; action_sequence is a list. */
const KEYED: ReadonlySet<string> = new Set(["metadata", "context", "frame_analysis"]);

const NUMERIC: ReadonlySet<string> = new Set(["double", "int32", "int64", "bool"]);

/** Where a column stands among the values of a row. */
export interface Place {
  readonly name: string;
  readonly at: number;
}

export interface SeriesColumns {
  readonly numeric: readonly Place[];
  readonly keyed: readonly Place[];
  /** Where game_id stands. */
  readonly game: number;
}

function places(table: Table, wanted: (column: Column) => boolean): Place[] {
  return table.columns.flatMap((column, at) => (wanted(column) ? [{ name: column.name, at }] : []));
}

/** By table index. */
export const SERIES_COLUMNS: readonly SeriesColumns[] = TABLES.map((table) => ({
  numeric: places(table, ({ kind }) => NUMERIC.has(kind)),
  keyed: places(table, ({ name }) => KEYED.has(name)),
  game: table.columns.findIndex(({ name }) => name === "game_id"),
}));

/** A series as it is asked for: a column's own number, or the one under a key of a JSON column. */
export interface SeriesName {
  readonly name: string;
  readonly column: string;
  readonly key: string | undefined;
}

/** Undefined where the table has no such column. */
export function seriesName(table: Table, name: string): SeriesName | undefined {
  const { numeric, keyed } = SERIES_COLUMNS[table.index] as SeriesColumns;
  if (numeric.some((each) => each.name === name)) return { name, column: name, key: undefined };
  const dot = name.indexOf(".");
  const column = name.slice(0, dot);
  const key = name.slice(dot + 1);
  if (dot < 0 || key === "" || !keyed.some((each) => each.name === column)) return undefined;
  return { name, column, key };
}

/** What may be asked for, for the message that says that something else may not. */
export function seriesNames(table: Table): string {
  const { numeric, keyed } = SERIES_COLUMNS[table.index] as SeriesColumns;
  return [...numeric.map(({ name }) => name), ...keyed.map(({ name }) => `${name}.<key>`)].join(", ");
}

/** Calls `each` for every finite number under a top-level key of JSON text that is an object. */
export function eachNumber(text: string, each: (key: string, value: number) => void): void {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return;
  const object = value as Record<string, unknown>;
  for (const key in object) {
    const number = object[key];
    if (typeof number === "number" && Number.isFinite(number) && isSeriesKey(key)) each(key, number);
  }
}

function isSeriesKey(key: string): boolean {
  return key !== "" && key.length <= SERIES_KEY_CHARS_MAX && key.isWellFormed();
}

/** The number under one key; null where there is none. */
export function numberAt(text: string, key: string): number | null {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return null;
  const number = (value as Record<string, unknown>)[key];
  return typeof number === "number" && Number.isFinite(number) ? number : null;
}

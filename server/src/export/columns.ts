/** A record as one flat row: the names and the order of the columns are those of its SQL table. */
import type { HistoryRecord, JsonValue, RecordTypeName } from "@tailkeep/client";
import { type Column, type ColumnKind, TABLES } from "../record/tables.js";
import { timestampText } from "../record/time.js";

/** NaN and the infinities are texts: neither JSON nor CSV has them. */
export type Cell = JsonValue;

/** What every record has, in front of its own columns. */
export const COMMON_COLUMNS: readonly string[] = ["type", "session_id", "stream_id", "seq", "timestamp"];

const PROPERTY_OF_COLUMN = new Map<Column, string>(
  TABLES.flatMap((table) => table.columns.map((column) => [column, camel(column.name)] as const)),
);

const COLUMNS_OF_TYPE = new Map<string, readonly Column[]>(TABLES.map((table) => [table.name, table.columns]));

/** Names of the columns of records of these types; a name that several types have stands once. */
export function columnNames(types: readonly RecordTypeName[]): string[] {
  const own = types.flatMap((type) => (COLUMNS_OF_TYPE.get(type) ?? []).map((column) => column.name));
  return [...new Set([...COMMON_COLUMNS, ...own])];
}

const COLUMN_OF_NAME = new Map<string, Column>(
  TABLES.flatMap(({ columns }) => columns.map((each) => [each.name, each])),
);

/** What a column holds; a name means the same in every type that has it. */
export function kindOf(name: string): ColumnKind {
  return COLUMN_OF_NAME.get(name)?.kind ?? "text";
}

/** A record's value in one of its own columns; undefined where it has none. */
export function columnValue(record: HistoryRecord, name: string): JsonValue | undefined {
  const column = COLUMNS_OF_TYPE.get(record.type)?.find((each) => each.name === name);
  if (column === undefined) return undefined;
  return (record as unknown as Readonly<Record<string, JsonValue | undefined>>)[
    PROPERTY_OF_COLUMN.get(column) as string
  ];
}

/** All columns of a record; null where it has no value. */
export function rowOf(record: HistoryRecord): Record<string, Cell> {
  const row: Record<string, Cell> = {
    type: record.type,
    session_id: record.sessionId,
    stream_id: record.streamId,
    seq: record.seq,
    timestamp: isoTime(record.eventTimeUs),
  };
  const fields = record as unknown as Readonly<Record<string, JsonValue | undefined>>;
  for (const column of COLUMNS_OF_TYPE.get(record.type) ?? []) {
    const value = fields[PROPERTY_OF_COLUMN.get(column) as string];
    row[column.name] = typeof value === "number" && !Number.isFinite(value) ? String(value) : (value ?? null);
  }
  return row;
}

/** UTC with microseconds: `2026-11-22T12:00:00.123456Z`. */
export function isoTime(us: number): string {
  return `${timestampText(us).replace(" ", "T")}Z`;
}

function camel(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/**
 * Records as an Apache Parquet file: typed columns, times in microseconds UTC, NaN and the infinities as doubles have them.
 *
 * Rows are kept until a row group is full, so memory is bounded whatever the history is; the file appears under its name
 * when it is complete.
 */
import { rename, rm } from "node:fs/promises";
import type { HistoryRecord, RecordTypeName } from "@tailkeep/client";
import type { SchemaElement } from "hyparquet";
import { fileWriter, ParquetWriter } from "hyparquet-writer";
import type { ColumnKind } from "../record/tables.js";
import { columnNames, columnValue, kindOf } from "./columns.js";
import type { RecordSink } from "./run.js";

/** Readers skip and load whole groups: some ten thousand rows are what they are made for. */
const GROUP_ROWS_MAX = 65_536;

/** Texts of a group, in characters: a row with 256 KiB of JSON in each column must not fill the memory. */
const GROUP_CHARS_MAX = 16 * 2 ** 20;

type Cell = string | number | bigint | boolean | null;

/** A column's name is its kind's in every type that has it. */
const TYPES: Record<ColumnKind, Omit<SchemaElement, "name" | "repetition_type">> = {
  id: { type: "BYTE_ARRAY", converted_type: "UTF8" },
  text: { type: "BYTE_ARRAY", converted_type: "UTF8" },
  // As text: the library would write it as values, and a JSON null would be no value.
  json: { type: "BYTE_ARRAY", converted_type: "UTF8" },
  double: { type: "DOUBLE" },
  int32: { type: "INT32" },
  int64: { type: "INT64" },
  bool: { type: "BOOLEAN" },
};

const TIMESTAMP: Omit<SchemaElement, "name" | "repetition_type"> = {
  type: "INT64",
  converted_type: "TIMESTAMP_MICROS",
  logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MICROS" },
};

/** What every record has is required, so that no reader looks for nulls there. */
function elementOf(name: string): SchemaElement {
  if (name === "timestamp") return { name, repetition_type: "REQUIRED", ...TIMESTAMP };
  if (name === "seq") return { name, repetition_type: "REQUIRED", ...TYPES.int64 };
  if (["type", "session_id", "stream_id"].includes(name)) return { name, repetition_type: "REQUIRED", ...TYPES.text };
  return { name, repetition_type: "OPTIONAL", ...TYPES[kindOf(name)] };
}

/** With one type it has its columns, with several the columns of all of them. */
export function parquetFile(file: string, types: readonly RecordTypeName[]): RecordSink {
  const unfinished = `${file}.unfinished`;
  const names = columnNames(types);
  const schema: SchemaElement[] = [{ name: "tailkeep", num_children: names.length }, ...names.map(elementOf)];
  const writer = new ParquetWriter({ writer: fileWriter(unfinished), schema, createdBy: "Tailkeep" });
  let columns: Cell[][] = names.map(() => []);
  let rows = 0;
  let chars = 0;
  const endGroup = async () => {
    if (rows === 0) return;
    await writer.write({
      columnData: names.map((name, at) => ({ name, data: columns[at] as Cell[] })),
      rowGroupSize: rows,
    });
    columns = names.map(() => []);
    rows = 0;
    chars = 0;
  };
  return {
    begin: () => Promise.resolve(true),
    write: async (records) => {
      for (const record of records) {
        for (const [at, name] of names.entries()) {
          const cell = cellOf(record, name);
          if (typeof cell === "string") chars += cell.length;
          (columns[at] as Cell[]).push(cell);
        }
        rows++;
        if (rows >= GROUP_ROWS_MAX || chars >= GROUP_CHARS_MAX) await endGroup();
      }
      return true;
    },
    finish: async () => {
      await endGroup();
      await writer.finish();
      await rename(unfinished, file);
    },
    discard: () => rm(unfinished, { force: true }),
  };
}

function cellOf(record: HistoryRecord, name: string): Cell {
  switch (name) {
    case "type":
      return record.type;
    case "session_id":
      return record.sessionId;
    case "stream_id":
      return record.streamId;
    case "seq":
      return BigInt(record.seq);
    case "timestamp":
      return BigInt(record.eventTimeUs);
  }
  const value = columnValue(record, name);
  if (value === undefined) return null;
  const kind = kindOf(name);
  if (kind === "json") return JSON.stringify(value);
  return kind === "int64" ? BigInt(value as number) : (value as Cell);
}

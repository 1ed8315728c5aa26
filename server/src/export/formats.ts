/** How rows are written: JSON Lines, or CSV by RFC 4180. */
import type { HistoryRecord, RecordTypeName } from "@tailkeep/client";
import { type Cell, columnNames, rowOf } from "./columns.js";

export type FormatName = "jsonl" | "csv" | "parquet";

export interface Format {
  /** Comes first, once. */
  readonly head: string;
  line(record: HistoryRecord): string;
}

/** With one type a CSV has its columns, with several the columns of all of them. */
export function formatOf(name: Exclude<FormatName, "parquet">, types: readonly RecordTypeName[]): Format {
  if (name === "jsonl") return { head: "", line: (record) => `${JSON.stringify(rowOf(record))}\n` };
  const names = columnNames(types);
  return {
    head: csvLine(names),
    line: (record) => {
      const row = rowOf(record);
      return csvLine(names.map((column) => row[column] ?? null));
    },
  };
}

function csvLine(cells: readonly Cell[]): string {
  return `${cells.map(csvCell).join(",")}\r\n`;
}

/** No value is an empty cell, an empty text is `""`: they stay apart. */
function csvCell(cell: Cell): string {
  if (cell === null) return "";
  const text = typeof cell === "object" ? JSON.stringify(cell) : String(cell);
  return text === "" || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

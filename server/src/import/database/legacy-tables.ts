/** The six tables of the earlier system's database as records: whatever a column has, and whichever are there. */
import type { JsonValue, RecordTypeName, TrainingRecord } from "@tailkeep/client";
import { asTimeUs } from "../fields.js";
import { jsonField, type Note, shortText } from "../items.js";
import { salvageJson } from "../salvage-json.js";
import { wellFormed } from "../well-formed.js";

export type LegacyCell = string | number | bigint | null | Uint8Array;
export type LegacyRow = Readonly<Record<string, LegacyCell | undefined>>;

type Kind = "number" | "integer" | "int32" | "bool" | "text" | "json";

/** Columns beside session, game and time, and what they are. */
const COLUMNS: Record<RecordTypeName, readonly (readonly [column: string, kind: Kind])[]> = {
  performance_history: [
    ["score", "number"],
    ["win_rate", "number"],
    ["learning_efficiency", "number"],
    ["metadata", "json"],
  ],
  session_history: [
    ["status", "text"],
    ["duration_seconds", "number"],
    ["actions_taken", "integer"],
    ["score", "number"],
    ["win", "bool"],
    ["metadata", "json"],
  ],
  action_tracking: [
    ["action_type", "text"],
    ["action_sequence", "json"],
    ["effectiveness", "number"],
    ["context", "json"],
  ],
  score_history: [
    ["score", "number"],
    ["score_type", "text"],
  ],
  coordinate_tracking: [
    ["coordinate_x", "int32"],
    ["coordinate_y", "int32"],
    ["action_type", "text"],
    ["success", "bool"],
    ["context", "json"],
  ],
  frame_tracking: [
    ["frame_hash", "text"],
    ["frame_analysis", "json"],
    ["stagnation_detected", "bool"],
  ],
};

/** Columns that are understood; others are named in the report and left behind. */
export function knownColumns(table: RecordTypeName): string[] {
  return ["id", "session_id", "game_id", "timestamp", "created_at", ...COLUMNS[table].map(([column]) => column)];
}

/** A row as a record. `note` hears of each value that could not be taken as what its column is. */
export function recordOf(table: RecordTypeName, row: LegacyRow, note: Note): TrainingRecord {
  const record: Record<string, unknown> = { type: table };
  const gameId = shortText(textOf(row["game_id"]));
  if (gameId !== undefined) record["gameId"] = gameId;
  const eventTimeUs = timeOf(row["timestamp"]) ?? timeOf(row["created_at"]);
  if (eventTimeUs === undefined) note(`${table}.timestamp: no time that can be read; the time of the import is taken`);
  else record["eventTimeUs"] = eventTimeUs;
  for (const [column, kind] of COLUMNS[table]) {
    const cell = row[column];
    if (cell === null || cell === undefined) continue;
    const what = `${table}.${column}`;
    const value = cellValue(kind, cell, what, note);
    if (value === undefined) note(`${what}: ${shown(cell)} is no ${kind}, and is left out`);
    else record[camel(column)] = value;
  }
  return record as unknown as TrainingRecord;
}

function cellValue(kind: Kind, cell: LegacyCell, what: string, note: Note): JsonValue | undefined {
  switch (kind) {
    case "number":
      return numberOf(cell);
    case "integer":
      return integerOf(cell, Number.MAX_SAFE_INTEGER);
    case "int32":
      return integerOf(cell, 2 ** 31 - 1);
    case "bool":
      return booleanOf(cell);
    case "text":
      return shortText(textOf(cell));
    case "json":
      return jsonOf(cell, what, note);
  }
}

function numberOf(cell: LegacyCell): number | undefined {
  if (typeof cell === "number") return cell;
  if (typeof cell === "bigint") return Number(cell);
  const text = textOf(cell)?.trim();
  if (text === undefined || text === "") return undefined;
  const spelled = /^([+-]?)(nan|inf|infinity)$/i.exec(text);
  if (spelled !== null) {
    if (spelled[2]?.toLowerCase() === "nan") return Number.NaN;
    return spelled[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  const value = Number(text);
  return Number.isNaN(value) ? undefined : value;
}

/** A whole number that was stored as 3.0 is one. */
function integerOf(cell: LegacyCell, max: number): number | undefined {
  const value = numberOf(cell);
  return Number.isSafeInteger(value) && Math.abs(value as number) <= max ? value : undefined;
}

function booleanOf(cell: LegacyCell): boolean | undefined {
  const text = String(textOf(cell) ?? cell)
    .trim()
    .toLowerCase();
  if (["1", "1.0", "true"].includes(text)) return true;
  return ["0", "0.0", "false"].includes(text) ? false : undefined;
}

/** The earlier system's own writer made JSON; by hand, or by str(), anything may be there. */
function jsonOf(cell: LegacyCell, what: string, note: Note): JsonValue {
  const text = textOf(cell);
  if (text === undefined) return typeof cell === "bigint" ? Number(cell) : (cell as number);
  const { value, torn } = salvageJson(Buffer.from(text));
  if (value !== undefined && !torn) return jsonField(value, what, note) as JsonValue;
  note(`${what}: some texts are no JSON, and are kept as texts`);
  return jsonField(wellFormed(text), what, note) as JsonValue;
}

/** Epoch seconds, milliseconds, or ISO text; a text without a zone is UTC, as SQLite's own clock is. */
function timeOf(cell: LegacyCell | undefined): number | undefined {
  if (cell === null || cell === undefined) return undefined;
  const number = numberOf(cell);
  if (number !== undefined) return asTimeUs(Math.abs(number) > MILLISECONDS_FROM ? number / 1_000 : number);
  const text = textOf(cell)?.trim();
  return asTimeUs(text !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text} 00:00:00` : text);
}

/** As seconds it is the year 5138. */
const MILLISECONDS_FROM = 100_000_000_000;

export function textOf(cell: LegacyCell | undefined): string | undefined {
  if (typeof cell === "string") return cell;
  return cell instanceof Uint8Array ? Buffer.from(cell).toString("utf8") : undefined;
}

function shown(cell: LegacyCell): string {
  return JSON.stringify(String(textOf(cell) ?? cell).slice(0, 40));
}

function camel(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/**
 * What a record says, as one number: equal content, equal hash, whether it comes from the trainer, from a row of a table
 * or from the History API. The columns stand here again, apart from the server's own list, which is under test.
 */
import { createHash } from "node:crypto";
import { type HistoryRecord, RECORD_TYPE_NAMES, type RecordTypeName, type TrainingRecord } from "@tailkeep/client";

type ColumnKind = "text" | "number" | "flag" | "json";

export interface ContentColumn {
  /** In SQL. */
  readonly name: string;
  /** In a TrainingRecord. */
  readonly property: string;
  readonly kind: ColumnKind;
}

const column = (name: string, kind: ColumnKind): ContentColumn => ({
  name,
  kind,
  property: name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
});

export const CONTENT_COLUMNS: Readonly<Record<RecordTypeName, readonly ContentColumn[]>> = {
  performance_history: [
    column("game_id", "text"),
    column("score", "number"),
    column("win_rate", "number"),
    column("learning_efficiency", "number"),
    column("metadata", "json"),
  ],
  session_history: [
    column("game_id", "text"),
    column("status", "text"),
    column("duration_seconds", "number"),
    column("actions_taken", "number"),
    column("score", "number"),
    column("win", "flag"),
    column("metadata", "json"),
  ],
  action_tracking: [
    column("game_id", "text"),
    column("action_type", "text"),
    column("action_sequence", "json"),
    column("effectiveness", "number"),
    column("context", "json"),
  ],
  score_history: [column("game_id", "text"), column("score", "number"), column("score_type", "text")],
  coordinate_tracking: [
    column("game_id", "text"),
    column("coordinate_x", "number"),
    column("coordinate_y", "number"),
    column("action_type", "text"),
    column("success", "flag"),
    column("context", "json"),
  ],
  frame_tracking: [
    column("game_id", "text"),
    column("frame_hash", "text"),
    column("frame_analysis", "json"),
    column("stagnation_detected", "flag"),
  ],
};

export const TYPES: readonly RecordTypeName[] = RECORD_TYPE_NAMES;

/** Of a record as it was appended or read back. `timeUs`: null where the server chose it. */
export function hashOfRecord(record: TrainingRecord | HistoryRecord, timeUs: number | null): number {
  const fields = record as unknown as Readonly<Record<string, unknown>>;
  const values = CONTENT_COLUMNS[record.type].map(({ name, property, kind }) => {
    const value = fields[property];
    if (value === undefined || value === "") return unset(name, value);
    return kind === "json" ? jsonText(value) : scalar(value);
  });
  return hash(record.type, timeUs, values);
}

/** Of a row by SQL: numbers, texts and nulls, NaN and the infinities in `nonfinite`. */
export function hashOfRow(type: RecordTypeName, row: Readonly<Record<string, unknown>>, timeUs: number | null): number {
  const nonfinite = new Map(
    String(row["nonfinite"] ?? "")
      .split(",")
      .filter(Boolean)
      .map((part) => part.split("=") as [string, string]),
  );
  const values = CONTENT_COLUMNS[type].map(({ name, kind }) => {
    const value = row[name];
    if (nonfinite.has(name)) return nonfinite.get(name) as string;
    if (value === null || value === undefined) return null;
    if (kind === "flag") return scalar(Number(value) !== 0);
    if (kind === "json") return jsonText(JSON.parse(String(value)));
    return kind === "number" ? scalar(Number(value)) : String(value);
  });
  return hash(type, timeUs, values);
}

/** What the contract says about a field that is not set, or is an empty text: both are the same for two fields only. */
function unset(name: string, value: "" | undefined): string | null {
  if (name === "game_id") return "unknown";
  if (name === "score_type") return "current";
  return value ?? null;
}

function scalar(value: unknown): string {
  return String(value);
}

function jsonText(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "number" && !Number.isFinite(inner) ? String(inner) : inner,
  );
}

/** 48 bits, so that a million of them are a plain array of numbers. */
function hash(type: RecordTypeName, timeUs: number | null, values: readonly (string | null)[]): number {
  const content = JSON.stringify([type, timeUs, values]);
  return createHash("sha1").update(content).digest().readUIntBE(0, 6);
}

/**
 * The six tables: one description that decoding, both stores and every reader follow.
 *
 * Columns stand in the order of the earlier system; `field` is the number in the protobuf message of the type.
 */
import { RecordType } from "@tailkeep/proto";

/** Name of a table, and of the type's field in `Record.kind`. */
export type TableName =
  | "performance_history"
  | "session_history"
  | "action_tracking"
  | "score_history"
  | "coordinate_tracking"
  | "frame_tracking";

/** `text` is short (SHORT_TEXT_CHARS_MAX), `id` an id that defaults to "unknown". */
export type ColumnKind = "id" | "text" | "json" | "double" | "int32" | "int64" | "bool";

export interface Column {
  readonly name: string;
  readonly field: number;
  readonly kind: ColumnKind;
  /** Name of the property in the generated message. */
  readonly property: string;
}

export interface Table {
  /** Position in `TABLES`. */
  readonly index: number;
  readonly name: TableName;
  readonly type: RecordType;
  readonly columns: readonly Column[];
  /** Column by protobuf field number. */
  readonly columnOfField: readonly (number | undefined)[];
  /** What a dictionary over the table is keyed by. */
  readonly key: readonly Column[];
  /** Where these columns stand. */
  readonly keyPlaces: readonly number[];
}

/** What a column holds in memory: SQL's NULL is null; booleans are 0 and 1, as both databases store them. */
export type Value = string | number | null;

const KEYS: Record<TableName, readonly string[]> = {
  performance_history: ["game_id"],
  session_history: ["game_id"],
  action_tracking: ["action_type"],
  score_history: ["score_type"],
  coordinate_tracking: ["coordinate_x", "coordinate_y"],
  frame_tracking: ["frame_hash"],
};

function camel(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function table(index: number, name: TableName, type: RecordType, spec: readonly [string, ColumnKind][]): Table {
  const columns = spec.map(([column, kind], at) => ({
    name: column,
    field: at + 1,
    kind,
    property: camel(kind === "json" ? `${column}_json` : column),
  }));
  const columnOfField: (number | undefined)[] = [];
  for (const [at, column] of columns.entries()) columnOfField[column.field] = at;
  const key = columns.filter((column) => KEYS[name].includes(column.name));
  const keyPlaces = key.map((column) => columns.indexOf(column));
  return { index, name, type, columns, columnOfField, key, keyPlaces };
}

export const TABLES: readonly Table[] = [
  table(0, "performance_history", RecordType.PERFORMANCE_HISTORY, [
    ["game_id", "id"],
    ["score", "double"],
    ["win_rate", "double"],
    ["learning_efficiency", "double"],
    ["metadata", "json"],
  ]),
  table(1, "session_history", RecordType.SESSION_HISTORY, [
    ["game_id", "id"],
    ["status", "text"],
    ["duration_seconds", "double"],
    ["actions_taken", "int64"],
    ["score", "double"],
    ["win", "bool"],
    ["metadata", "json"],
  ]),
  table(2, "action_tracking", RecordType.ACTION_TRACKING, [
    ["game_id", "id"],
    ["action_type", "text"],
    ["action_sequence", "json"],
    ["effectiveness", "double"],
    ["context", "json"],
  ]),
  table(3, "score_history", RecordType.SCORE_HISTORY, [
    ["game_id", "id"],
    ["score", "double"],
    ["score_type", "text"],
  ]),
  table(4, "coordinate_tracking", RecordType.COORDINATE_TRACKING, [
    ["game_id", "id"],
    ["coordinate_x", "int32"],
    ["coordinate_y", "int32"],
    ["action_type", "text"],
    ["success", "bool"],
    ["context", "json"],
  ]),
  table(5, "frame_tracking", RecordType.FRAME_TRACKING, [
    ["game_id", "id"],
    ["frame_hash", "text"],
    ["frame_analysis", "json"],
    ["stagnation_detected", "bool"],
  ]),
];

export const TABLE_COUNT = TABLES.length;

/** What a missing game or session is stored as. */
export const UNKNOWN_ID = "unknown";

/** What a missing score_type is stored as. */
export const SCORE_TYPE_DEFAULT = "current";

export function tableAt(index: number): Table {
  const found = TABLES[index];
  if (found === undefined) throw new Error(`no table ${index}`);
  return found;
}

/** The table of a record type, or undefined where there is none. */
export function tableOfType(type: RecordType): Table | undefined {
  return TABLES.find((each) => each.type === type);
}

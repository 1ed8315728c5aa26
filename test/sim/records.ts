/** Records that can be told apart, and what the tables must hold of each. */
import type { RecordTypeName, TrainingRecord } from "@tailkeep/client";
import type { StoredRow } from "@tailkeep/server/dist/record/stored-row.js";
import { TABLES } from "@tailkeep/server/dist/record/tables.js";
import { EPOCH_US } from "./process.js";
import type { Random } from "./random.js";
import { POISON_GAME } from "./store.js";

/** What was handed over under one number. */
export interface Sent {
  readonly type: RecordTypeName;
  /** What its row must be, as text; its time only where it has one. */
  readonly content: string;
  readonly isTimeless: boolean;
  /** It must become a dead letter: against the rules, or refused by the database. */
  readonly isBad: boolean;
}

const TYPES = TABLES.map(({ name }) => name) as readonly RecordTypeName[];
const TOO_LONG = "x".repeat(200);

export function makeRecord(random: Random, n: number, paddingBytes: number): { record: TrainingRecord; sent: Sent } {
  const type = random.pick(TYPES);
  const isPoison = random.chance(0.03);
  const gameId = isPoison ? POISON_GAME : random.pick(["ls20", "ft09"]);
  // Event times are not in the order of the numbers.
  const isTimeless = random.chance(0.2);
  const common = { gameId, ...(isTimeless ? {} : { eventTimeUs: EPOCH_US + random.int(0, 5_000_000) }) };
  const payload = paddingBytes === 0 ? { n } : { n, text: "y".repeat(paddingBytes) };
  const isTooLong = random.chance(0.03);
  const text = isTooLong ? TOO_LONG : `t${n % 7}`;
  const record = ((): TrainingRecord => {
    switch (type) {
      case "performance_history":
        return { type, ...common, score: random.chance(0.1) ? Number.NaN : n, winRate: 0.5, metadata: payload };
      case "session_history":
        return { type, ...common, status: text, actionsTaken: n, win: n % 2 === 0, metadata: payload };
      case "action_tracking":
        return { type, ...common, actionType: text, actionSequence: [n, 1], context: payload };
      case "score_history":
        return { type, ...common, score: n, scoreType: text };
      case "coordinate_tracking":
        return { type, ...common, coordinateX: n, coordinateY: -n, actionType: text, success: true, context: payload };
      case "frame_tracking":
        return { type, ...common, frameHash: text, frameAnalysis: payload, stagnationDetected: n % 3 === 0 };
    }
  })();
  const hasText = type !== "performance_history";
  const isBad = isPoison || (isTooLong && hasText);
  return { record, sent: { type, content: contentOfRecord(record), isTimeless, isBad } };
}

function contentOfRecord(record: TrainingRecord): string {
  const fields = record as unknown as Record<string, unknown>;
  const table = TABLES.find(({ name }) => name === record.type);
  const values = (table?.columns ?? []).map(({ name, kind, property }) => {
    const value = fields[kind === "json" ? property.replace(/Json$/, "") : property];
    if (value === undefined) return null;
    if (kind === "json") return JSON.stringify(value);
    if (typeof value === "number" && Number.isNaN(value)) return `${name}=NaN`;
    return typeof value === "boolean" ? Number(value) : value;
  });
  return JSON.stringify([record.type, values, record.eventTimeUs ?? null]);
}

export function contentOfRow(row: StoredRow, isTimeless: boolean): string {
  const nonfinite = new Set(row.nonfinite?.split(",") ?? []);
  const values = row.table.columns.map(({ name, kind }, at) => {
    const value = row.values[at] ?? null;
    if (kind === "json" && typeof value === "string") return JSON.stringify(JSON.parse(value));
    return nonfinite.has(`${name}=NaN`) ? `${name}=NaN` : value;
  });
  return JSON.stringify([row.table.name, values, isTimeless ? null : row.timeUs]);
}

/** Records as the items that were appended. The counterpart of to-record.ts. */

import type { HistoryRecord } from "../records/training-record.js";
import { restored, saysAll } from "./whole.js";

/** How a list was used, where a record alone does not tell. */
export interface ItemForm {
  /** Scores were appended as bare numbers. */
  readonly bareScores: boolean;
  /** Scores were appended with the default `scoreType`, "current", written out. */
  readonly namesCurrent: boolean;
  /** The game that items need not name. */
  readonly gameId: string | undefined;
}

/** The item of a record. Equal in JSON value to what was appended, but for the row's game and time where the item named them beside columns alone. */
export function itemOf(record: HistoryRecord, form: ItemForm): unknown {
  switch (record.type) {
    case "score_history": {
      const { score, scoreType } = record;
      const isCurrent = scoreType === undefined || scoreType === "current";
      if (form.bareScores && isCurrent && record.gameId === (form.gameId ?? "unknown")) return score;
      const named = isCurrent && !form.namesCurrent ? undefined : scoreType;
      return { ...present({ score, scoreType: named }), ...gameOf(record, form) };
    }
    case "performance_history": {
      const { score, winRate, learningEfficiency, metadata } = record;
      return whole(metadata, "metadata", { score, winRate, learningEfficiency }, record, form);
    }
    case "session_history": {
      const { status, durationSeconds, actionsTaken, score, win, metadata } = record;
      return whole(metadata, "metadata", { status, durationSeconds, actionsTaken, score, win }, record, form);
    }
    case "action_tracking": {
      const { actionType, actionSequence, effectiveness, context } = record;
      return whole(context, "context", { actionType, actionSequence, effectiveness }, record, form);
    }
    case "coordinate_tracking": {
      const { coordinateX, coordinateY, actionType, success, context } = record;
      return whole(context, "context", { coordinateX, coordinateY, actionType, success }, record, form);
    }
    case "frame_tracking": {
      const { frameHash, frameAnalysis, stagnationDetected } = record;
      return whole(frameAnalysis, "frameAnalysis", { frameHash, stagnationDetected }, record, form);
    }
  }
}

function whole(
  json: unknown,
  jsonColumn: string,
  columns: Readonly<Record<string, unknown>>,
  record: HistoryRecord,
  form: ItemForm,
): unknown {
  const filled = present(columns);
  if (typeof json === "object" && json !== null && !Array.isArray(json)) {
    const object = json as Readonly<Record<string, unknown>>;
    const names = Object.keys(object);
    const hasColumns = Object.keys(filled).length > 0;
    if (!hasColumns && names.length === 1 && names[0] === "data") return object["data"];
    if (saysAll(object, filled)) return restored(object, filled);
  }
  return { ...filled, ...(json === undefined ? {} : { [jsonColumn]: json }), ...gameOf(record, form) };
}

/** Only where it is not the container's. */
function gameOf(record: HistoryRecord, form: ItemForm): { gameId?: string } {
  return record.gameId === (form.gameId ?? "unknown") ? {} : { gameId: record.gameId };
}

function present<Fields extends object>(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Fields;
}

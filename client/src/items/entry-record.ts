/**
 * Entries of dictionaries as records, and back. The key is the type's key column, by which the server finds it again; the
 * value fills columns by field name like an item of a list, and is kept as it is in the JSON column.
 */

import { UnencodableError } from "../errors/errors.js";
import type { HistoryRecord, JsonValue, RecordTypeName, TrainingRecord } from "../records/training-record.js";
import { boolean, fieldsOf, gameOf, integer, number, text, timeOf } from "./fields.js";

/** Makes the record of an entry. Throws UnencodableError for a key that its type cannot have. */
export type EntryToRecord = (key: string, value: unknown, gameId: string | undefined, nowUs: number) => TrainingRecord;

export const ENTRY_TO_RECORD: Readonly<Record<RecordTypeName, EntryToRecord>> = Object.freeze({
  performance_history(key, value, _gameId, nowUs) {
    const o = fieldsOf(value);
    return {
      type: "performance_history",
      gameId: key,
      eventTimeUs: timeOf(o, nowUs),
      score: number(o.score),
      winRate: number(o.winRate ?? o.win_rate),
      learningEfficiency: number(o.learningEfficiency ?? o.learning_efficiency),
      metadata: value as JsonValue,
    };
  },

  session_history(key, value, _gameId, nowUs) {
    const o = fieldsOf(value);
    return {
      type: "session_history",
      gameId: key,
      eventTimeUs: timeOf(o, nowUs),
      status: text(o.status),
      durationSeconds: number(o.durationSeconds ?? o.duration_seconds),
      actionsTaken: integer(o.actionsTaken ?? o.actions_taken),
      score: number(o.score),
      win: boolean(o.win),
      metadata: value as JsonValue,
    };
  },

  action_tracking(key, value, gameId, nowUs) {
    const o = fieldsOf(value);
    return {
      type: "action_tracking",
      gameId: gameOf(o, gameId),
      eventTimeUs: timeOf(o, nowUs),
      actionType: key,
      actionSequence: (o.actionSequence ?? o.action_sequence) as JsonValue | undefined,
      effectiveness: number(o.effectiveness),
      context: value as JsonValue,
    };
  },

  score_history(key, value, gameId, nowUs) {
    const o = typeof value === "number" ? { score: value } : fieldsOf(value);
    const { score } = o;
    if (score !== undefined && typeof score !== "number") throw badScore(score);
    return {
      type: "score_history",
      gameId: gameOf(o, gameId),
      eventTimeUs: timeOf(o, nowUs),
      score,
      scoreType: key,
    };
  },

  coordinate_tracking(key, value, gameId, nowUs) {
    const o = fieldsOf(value);
    const { x, y } = coordinatesOf(key);
    return {
      type: "coordinate_tracking",
      gameId: gameOf(o, gameId),
      eventTimeUs: timeOf(o, nowUs),
      coordinateX: x,
      coordinateY: y,
      actionType: text(o.actionType ?? o.action_type),
      success: boolean(o.success),
      context: value as JsonValue,
    };
  },

  frame_tracking(key, value, gameId, nowUs) {
    const o = fieldsOf(value);
    return {
      type: "frame_tracking",
      gameId: gameOf(o, gameId),
      eventTimeUs: timeOf(o, nowUs),
      frameHash: key,
      stagnationDetected: boolean(o.stagnationDetected ?? o.stagnation_detected),
      frameAnalysis: value as JsonValue,
    };
  },
} satisfies Record<RecordTypeName, EntryToRecord>);

/** The key and the value of a record that an entry may have been; undefined if its key column is empty. */
export function entryOf(record: HistoryRecord): { readonly key: string; readonly value: unknown } | undefined {
  switch (record.type) {
    case "performance_history":
    case "session_history":
      return { key: record.gameId, value: record.metadata };
    case "action_tracking":
      return record.actionType === undefined ? undefined : { key: record.actionType, value: record.context };
    case "score_history":
      return { key: record.scoreType ?? "current", value: record.score };
    case "coordinate_tracking": {
      const { coordinateX, coordinateY } = record;
      if (coordinateX === undefined || coordinateY === undefined) return undefined;
      return { key: `${coordinateX},${coordinateY}`, value: record.context };
    }
    case "frame_tracking":
      return record.frameHash === undefined ? undefined : { key: record.frameHash, value: record.frameAnalysis };
  }
}

const COORDINATES = /^\s*\(?\s*(-?\d{1,10})\s*,\s*(-?\d{1,10})\s*\)?\s*$/;

/** "x,y" as two 32-bit integers. Also "(x, y)", as the earlier system wrote tuples. */
function coordinatesOf(key: string): { readonly x: number; readonly y: number } {
  const match = COORDINATES.exec(key);
  const x = Number(match?.[1]);
  const y = Number(match?.[2]);
  if ((x | 0) !== x || (y | 0) !== y) {
    throw new UnencodableError(`the key ${JSON.stringify(key)} is not "x,y" with two 32-bit integers`, {
      code: "BAD_FIELD",
      retryable: false,
    });
  }
  return { x, y };
}

function badScore(score: unknown): UnencodableError {
  return new UnencodableError(`score must be a number, but is a ${typeof score}`, {
    code: "BAD_FIELD",
    retryable: false,
  });
}

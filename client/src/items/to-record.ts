/**
 * Items of lists as records, by hand for each type: this runs once an append. The counterpart is from-record.ts.
 *
 * Where the whole item is kept, it is kept as it is; only what reading back would mistake for something else is wrapped
 * in `{"data": ...}`: what is no object, and an object with `data` as its only field.
 */

import type { JsonValue, RecordTypeName, TrainingRecord } from "../records/training-record.js";
import { boolean, type Fields, fieldsOf, gameOf, int32, integer, NO_FIELDS, number, text, timeOf } from "./fields.js";
import { hasMoreThan, mistakenForWhole } from "./whole.js";

/** A record whose JSON column is put in last: copying the others into a new object would take longer than all else here. */
type Making<Type extends RecordTypeName, Made = Extract<TrainingRecord, { readonly type: Type }>> = {
  -readonly [Field in keyof Made]: Made[Field];
};

/** Makes the record of an item. `gameId` and `nowUs` where the item does not say. */
export type ToRecord = (item: unknown, gameId: string | undefined, nowUs: number) => TrainingRecord;

export const TO_RECORD: Readonly<Record<RecordTypeName, ToRecord>> = Object.freeze({
  performance_history(item, gameId, nowUs) {
    const o = fieldsOf(item);
    const record: Making<"performance_history"> = {
      type: "performance_history",
      gameId: gameOf(o, gameId),
      eventTimeUs: timeOf(o, nowUs),
      score: number(o.score),
      winRate: number(o.winRate ?? o.win_rate),
      learningEfficiency: number(o.learningEfficiency ?? o.learning_efficiency),
      metadata: undefined,
    };
    record.metadata = kept(record, item, o, "metadata", o.metadata, true);
    return record;
  },

  session_history(item, gameId, nowUs) {
    const o = fieldsOf(item);
    const record: Making<"session_history"> = {
      type: "session_history",
      gameId: gameOf(o, gameId),
      eventTimeUs: timeOf(o, nowUs),
      status: text(o.status),
      durationSeconds: number(o.durationSeconds ?? o.duration_seconds),
      actionsTaken: integer(o.actionsTaken ?? o.actions_taken),
      score: number(o.score),
      win: boolean(o.win),
      metadata: undefined,
    };
    record.metadata = kept(record, item, o, "metadata", o.metadata, true);
    return record;
  },

  action_tracking(item, gameId, nowUs) {
    const o = fieldsOf(item);
    const record: Making<"action_tracking"> = {
      type: "action_tracking",
      gameId: gameOf(o, gameId),
      eventTimeUs: timeOf(o, nowUs),
      actionType: text(o.actionType ?? o.action_type),
      actionSequence: (o.actionSequence ?? o.action_sequence) as JsonValue | undefined,
      effectiveness: number(o.effectiveness),
      context: undefined,
    };
    record.context = kept(record, item, o, "context", o.context, false);
    return record;
  },

  score_history(item, gameId, nowUs) {
    if (typeof item === "number") return { type: "score_history", gameId, eventTimeUs: nowUs, score: item };
    // There is no column to keep anything else in: what is no score is refused by the encoder, with its name.
    const o = typeof item === "object" && item !== null ? (item as Fields) : { score: item };
    return {
      type: "score_history",
      gameId: gameOf(o, gameId),
      eventTimeUs: timeOf(o, nowUs),
      score: o.score as number | undefined,
      scoreType: (o.scoreType ?? o.score_type) as string | undefined,
    };
  },

  coordinate_tracking(item, gameId, nowUs) {
    const o = fieldsOf(item);
    const record: Making<"coordinate_tracking"> = {
      type: "coordinate_tracking",
      gameId: gameOf(o, gameId),
      eventTimeUs: timeOf(o, nowUs),
      coordinateX: int32(o.coordinateX ?? o.coordinate_x),
      coordinateY: int32(o.coordinateY ?? o.coordinate_y),
      actionType: text(o.actionType ?? o.action_type),
      success: boolean(o.success),
      context: undefined,
    };
    record.context = kept(record, item, o, "context", o.context, false);
    return record;
  },

  frame_tracking(item, gameId, nowUs) {
    const o = fieldsOf(item);
    const record: Making<"frame_tracking"> = {
      type: "frame_tracking",
      gameId: gameOf(o, gameId),
      eventTimeUs: timeOf(o, nowUs),
      frameHash: text(o.frameHash ?? o.frame_hash),
      stagnationDetected: boolean(o.stagnationDetected ?? o.stagnation_detected),
      frameAnalysis: undefined,
    };
    record.frameAnalysis = kept(record, item, o, "frameAnalysis", o.frameAnalysis, false);
    return record;
  },
} satisfies Record<RecordTypeName, ToRecord>);

/**
 * What goes into the JSON column. `own` is what the item itself has under that column's name; `always`: the whole item is
 * kept even if the columns say all of it, as the earlier metadata did.
 */
function kept(
  columns: Readonly<Record<string, unknown>>,
  item: unknown,
  fields: Fields,
  jsonColumn: string,
  own: unknown,
  always: boolean,
): JsonValue | undefined {
  if (fields === NO_FIELDS) return { data: item } as JsonValue;
  // A column cannot tell null from nothing; the whole can.
  if (own !== null && (own !== undefined || !always)) {
    const hasMore = hasMoreThan(columns, fields as Readonly<Record<string, unknown>>, jsonColumn);
    if (!hasMore && (own === undefined || !mistakenForWhole(own, columns))) return own as JsonValue | undefined;
  }
  return isOnlyData(fields) ? ({ data: item } as JsonValue) : (item as JsonValue);
}

function isOnlyData(fields: object): boolean {
  if (!("data" in fields)) return false;
  for (const name in fields) if (name !== "data") return false;
  return true;
}

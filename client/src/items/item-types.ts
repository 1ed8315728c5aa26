/**
 * What may be put into the recording containers, type by type.
 *
 * An object fills the columns of its table by field name (`winRate` or `win_rate`) and is kept whole in the table's JSON
 * column; anything else JSON can say is stored as `{"data": item}`, in score_history as the score. A field of a column's
 * name but not of its type leaves the column empty, and stays in the whole.
 */

import type { RecordTypeName } from "../records/training-record.js";

/** Read from every object: the game, and when the event happened. */
export interface CommonFields {
  /** @default the container's game */
  readonly gameId?: string | undefined;
  /** Microseconds since 1970. @default now */
  readonly eventTimeUs?: number | undefined;
  /** The same as seconds or milliseconds since 1970, as ISO text, or as a Date. */
  readonly timestamp?: number | string | Date | undefined;
}

/** Columns of performance_history. */
export interface PerformanceFields extends CommonFields {
  readonly score?: number | undefined;
  readonly winRate?: number | undefined;
  readonly learningEfficiency?: number | undefined;
}

/** Columns of session_history. */
export interface SessionFields extends CommonFields {
  readonly status?: string | undefined;
  readonly durationSeconds?: number | undefined;
  readonly actionsTaken?: number | undefined;
  readonly score?: number | undefined;
  readonly win?: boolean | undefined;
}

/** Columns of action_tracking. */
export interface ActionFields extends CommonFields {
  readonly actionType?: string | undefined;
  /** Such as `[1, 6, 6, 2]`. */
  readonly actionSequence?: unknown;
  readonly effectiveness?: number | undefined;
  readonly context?: unknown;
}

/** Columns of score_history. */
export interface ScoreFields extends CommonFields {
  readonly score?: number | undefined;
  /** @default "current" */
  readonly scoreType?: string | undefined;
}

/** Columns of coordinate_tracking. */
export interface CoordinateFields extends CommonFields {
  readonly coordinateX?: number | undefined;
  readonly coordinateY?: number | undefined;
  readonly actionType?: string | undefined;
  readonly success?: boolean | undefined;
  readonly context?: unknown;
}

/** Columns of frame_tracking. */
export interface FrameFields extends CommonFields {
  readonly frameHash?: string | undefined;
  readonly frameAnalysis?: unknown;
  readonly stagnationDetected?: boolean | undefined;
}

/** The columns of each type, as fields of an object. */
export interface FieldsByType {
  readonly performance_history: PerformanceFields;
  readonly session_history: SessionFields;
  readonly action_tracking: ActionFields;
  readonly score_history: ScoreFields;
  readonly coordinate_tracking: CoordinateFields;
  readonly frame_tracking: FrameFields;
}

/** What a list keeps that is no object. */
export type OtherItem = number | string | boolean | null | readonly unknown[];

/** Fields that no column has are kept too. */
export type WithOtherFields<Fields> = Fields & { readonly [field: string]: unknown };

/** What a list takes at all, by type. */
export interface BoundsByType {
  readonly performance_history: PerformanceFields | OtherItem;
  readonly session_history: SessionFields | OtherItem;
  readonly action_tracking: ActionFields | OtherItem;
  readonly score_history: ScoreFields | number;
  readonly coordinate_tracking: CoordinateFields | OtherItem;
  readonly frame_tracking: FrameFields | OtherItem;
}

/** What a list takes when nothing else is said, by type. */
export interface ItemsByType {
  readonly performance_history: WithOtherFields<PerformanceFields> | OtherItem;
  readonly session_history: WithOtherFields<SessionFields> | OtherItem;
  readonly action_tracking: WithOtherFields<ActionFields> | OtherItem;
  readonly score_history: ScoreFields | number;
  readonly coordinate_tracking: WithOtherFields<CoordinateFields> | OtherItem;
  readonly frame_tracking: WithOtherFields<FrameFields> | OtherItem;
}

/** What a list of a type takes at all; the bound of its type parameter. */
export type ItemBound<Type extends RecordTypeName> = BoundsByType[Type];

/** What a list of a type takes when nothing else is said: its fields, and any others beside them. */
export type ItemOf<Type extends RecordTypeName> = ItemsByType[Type];

/** What a dictionary of a type keeps for a key. */
export type ValueOf<Type extends RecordTypeName> = ItemsByType[Type];

/**
 * What a key of a dictionary is: the column that is its type's key. Coordinates are written "x,y"; performance and session
 * history are kept by game, actions and scores by their type, frames by their hash.
 */
export type KeyOf<Type extends RecordTypeName> = Type extends "coordinate_tracking" ? `${number},${number}` : string;

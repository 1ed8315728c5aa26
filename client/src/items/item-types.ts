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

export interface PerformanceFields extends CommonFields {
  readonly score?: number | undefined;
  readonly winRate?: number | undefined;
  readonly learningEfficiency?: number | undefined;
}

export interface SessionFields extends CommonFields {
  readonly status?: string | undefined;
  readonly durationSeconds?: number | undefined;
  readonly actionsTaken?: number | undefined;
  readonly score?: number | undefined;
  readonly win?: boolean | undefined;
}

export interface ActionFields extends CommonFields {
  readonly actionType?: string | undefined;
  /** Such as `[1, 6, 6, 2]`. */
  readonly actionSequence?: unknown;
  readonly effectiveness?: number | undefined;
  readonly context?: unknown;
}

export interface ScoreFields extends CommonFields {
  readonly score?: number | undefined;
  /** @default "current" */
  readonly scoreType?: string | undefined;
}

export interface CoordinateFields extends CommonFields {
  readonly coordinateX?: number | undefined;
  readonly coordinateY?: number | undefined;
  readonly actionType?: string | undefined;
  readonly success?: boolean | undefined;
  readonly context?: unknown;
}

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

type Other = number | string | boolean | null | readonly unknown[];

/** Fields that no column has are kept too. */
type AndOthers<Fields> = Fields & { readonly [field: string]: unknown };

interface BoundsByType {
  readonly performance_history: PerformanceFields | Other;
  readonly session_history: SessionFields | Other;
  readonly action_tracking: ActionFields | Other;
  readonly score_history: ScoreFields | number;
  readonly coordinate_tracking: CoordinateFields | Other;
  readonly frame_tracking: FrameFields | Other;
}

interface ItemsByType {
  readonly performance_history: AndOthers<PerformanceFields> | Other;
  readonly session_history: AndOthers<SessionFields> | Other;
  readonly action_tracking: AndOthers<ActionFields> | Other;
  readonly score_history: ScoreFields | number;
  readonly coordinate_tracking: AndOthers<CoordinateFields> | Other;
  readonly frame_tracking: AndOthers<FrameFields> | Other;
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

/**
 * The six kinds of record as a trainer writes them. `type` is the name of the SQL table; `proto/tailkeep/v1/records.proto`
 * has the meaning of each field.
 */

/** What JSON can say. A property that is `undefined` is left out, as `JSON.stringify` does. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined };

/** Names of the six kinds of record, which are also the names of the SQL tables. */
export type RecordTypeName =
  | "performance_history"
  | "session_history"
  | "action_tracking"
  | "score_history"
  | "coordinate_tracking"
  | "frame_tracking";

/** All six, in the order of their field numbers. */
export const RECORD_TYPE_NAMES: readonly RecordTypeName[] = Object.freeze([
  "performance_history",
  "session_history",
  "action_tracking",
  "score_history",
  "coordinate_tracking",
  "frame_tracking",
] as const);

/** What every record may carry. */
export interface RecordCommon {
  /** The game played: 1 to 128 characters. @default "unknown", as the server stores it */
  readonly gameId?: string | undefined;
  /**
   * When the event happened: microseconds since 1970, within the safe integers; a fraction is cut off.
   * `Date.now() * 1000` is one. @default when the server received it
   */
  readonly eventTimeUs?: number | undefined;
}

/** How well a session is doing, at one moment. */
export interface PerformanceRecord extends RecordCommon {
  readonly type: "performance_history";
  /** Any unit; NaN and the infinities are kept. */
  readonly score?: number | undefined;
  /** Share of games won, 0 to 1 by convention. */
  readonly winRate?: number | undefined;
  /** Any unit. */
  readonly learningEfficiency?: number | undefined;
  /** Everything else: at most 262,144 bytes as JSON text, nested at most 64 deep. */
  readonly metadata?: JsonValue | undefined;
}

/** One episode or game of a session. */
export interface SessionRecord extends RecordCommon {
  readonly type: "session_history";
  /** How it ended, at most 128 characters: `WIN`, `GAME_OVER`. */
  readonly status?: string | undefined;
  /** Duration in seconds. */
  readonly durationSeconds?: number | undefined;
  /** Number of actions, a safe integer. */
  readonly actionsTaken?: number | undefined;
  /** Final score. */
  readonly score?: number | undefined;
  /** Whether it was won. */
  readonly win?: boolean | undefined;
  /** Everything else. */
  readonly metadata?: JsonValue | undefined;
}

/** One action, or a sequence of them. */
export interface ActionRecord extends RecordCommon {
  readonly type: "action_tracking";
  /** Name of the action, at most 128 characters. */
  readonly actionType?: string | undefined;
  /** A sequence of actions, such as `[1, 6, 6, 2]`. */
  readonly actionSequence?: JsonValue | undefined;
  /** Effectiveness, any unit. */
  readonly effectiveness?: number | undefined;
  /** Where and why. */
  readonly context?: JsonValue | undefined;
}

/** One score. */
export interface ScoreRecord extends RecordCommon {
  readonly type: "score_history";
  /** The score. */
  readonly score?: number | undefined;
  /** Which score this is, at most 128 characters. @default "current", as the server stores it */
  readonly scoreType?: string | undefined;
}

/** One attempt at a coordinate. */
export interface CoordinateRecord extends RecordCommon {
  readonly type: "coordinate_tracking";
  /** Column: a 32-bit integer. */
  readonly coordinateX?: number | undefined;
  /** Row: a 32-bit integer. */
  readonly coordinateY?: number | undefined;
  /** Name of the action tried there, at most 128 characters. */
  readonly actionType?: string | undefined;
  /** Whether it had an effect. */
  readonly success?: boolean | undefined;
  /** Where and why. */
  readonly context?: JsonValue | undefined;
}

/** One frame of a game. */
export interface FrameRecord extends RecordCommon {
  readonly type: "frame_tracking";
  /** Hash of the frame, at most 128 characters. */
  readonly frameHash?: string | undefined;
  /** What was seen in it. */
  readonly frameAnalysis?: JsonValue | undefined;
  /** Whether the game stood still. */
  readonly stagnationDetected?: boolean | undefined;
}

/** One event of a training run. */
export type TrainingRecord =
  | PerformanceRecord
  | SessionRecord
  | ActionRecord
  | ScoreRecord
  | CoordinateRecord
  | FrameRecord;

/** Where a record is stored, and when its event happened. */
export interface StoredPosition {
  readonly sessionId: string;
  readonly streamId: string;
  /** Its number in the stream, from 1. */
  readonly seq: number;
  /** Microseconds since 1970. */
  readonly eventTimeUs: number;
  /** Never empty. */
  readonly gameId: string;
}

/** A record as it is stored. */
export type HistoryRecord = TrainingRecord & StoredPosition;

/** Why numbers of a stream carry no record. */
export type GapCauseName = "unspecified" | "overflow" | "fenced" | "invalid" | "spill_corrupt" | "store_regressed";

/** Records that their writer had to drop before sending them. */
export interface GapInput {
  /** Sequence numbers it stands for: 1 to 1,000,000,000. */
  readonly count: number;
  /** Type of the lost records. @default a mix, or unknown */
  readonly type?: RecordTypeName | undefined;
  /** Why they were lost. @default "unspecified" */
  readonly cause?: Exclude<GapCauseName, "store_regressed"> | undefined;
}

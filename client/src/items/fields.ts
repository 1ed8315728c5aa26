/** Reads the fields of an item that fill columns, in both spellings, each only where it is of its column's type. */

import { COLUMN_TEXT_LENGTH_MAX } from "../limits.js";
import { itemTimeUs } from "./event-time.js";

/** Every field that any type reads, in both spellings. */
export interface Fields {
  readonly gameId?: unknown;
  readonly game_id?: unknown;
  readonly eventTimeUs?: unknown;
  readonly timestamp?: unknown;
  readonly score?: unknown;
  readonly winRate?: unknown;
  readonly win_rate?: unknown;
  readonly learningEfficiency?: unknown;
  readonly learning_efficiency?: unknown;
  readonly metadata?: unknown;
  readonly status?: unknown;
  readonly durationSeconds?: unknown;
  readonly duration_seconds?: unknown;
  readonly actionsTaken?: unknown;
  readonly actions_taken?: unknown;
  readonly win?: unknown;
  readonly actionType?: unknown;
  readonly action_type?: unknown;
  readonly actionSequence?: unknown;
  readonly action_sequence?: unknown;
  readonly effectiveness?: unknown;
  readonly context?: unknown;
  readonly scoreType?: unknown;
  readonly score_type?: unknown;
  readonly coordinateX?: unknown;
  readonly coordinate_x?: unknown;
  readonly coordinateY?: unknown;
  readonly coordinate_y?: unknown;
  readonly success?: unknown;
  readonly frameHash?: unknown;
  readonly frame_hash?: unknown;
  readonly frameAnalysis?: unknown;
  readonly stagnationDetected?: unknown;
  readonly stagnation_detected?: unknown;
}

export const NO_FIELDS: Fields = Object.freeze({});

/** The item's fields; none if it is no plain object. */
export function fieldsOf(item: unknown): Fields {
  return typeof item === "object" && item !== null && !Array.isArray(item) ? (item as Fields) : NO_FIELDS;
}

export function gameOf(fields: Fields, gameId: string | undefined): string | undefined {
  const own = fields.gameId ?? fields.game_id;
  return typeof own === "string" && own !== "" ? own : gameId;
}

export function timeOf(fields: Fields, nowUs: number): number {
  if (fields.eventTimeUs === undefined && fields.timestamp === undefined) return nowUs;
  return itemTimeUs(fields.eventTimeUs, fields.timestamp) ?? nowUs;
}

export function number(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

export function integer(value: unknown): number | undefined {
  return Number.isSafeInteger(value) ? (value as number) : undefined;
}

export function int32(value: unknown): number | undefined {
  return typeof value === "number" && (value | 0) === value ? value : undefined;
}

export function boolean(value: unknown): boolean | undefined {
  return typeof value === "boolean" ? value : undefined;
}

/** Longer than a column holds: it stays in the whole. */
export function text(value: unknown): string | undefined {
  return typeof value === "string" && value.length <= COLUMN_TEXT_LENGTH_MAX ? value : undefined;
}

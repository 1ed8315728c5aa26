/** Records as points of a question. */
import type { SeriesRow } from "../store/reads/reads.js";
import type { Piece } from "./buckets.js";
import { numberAt, type SeriesName } from "./columns.js";
import type { SeriesQuestion } from "./question.js";

export function seriesColumnsOf(question: SeriesQuestion): string[] {
  return typeof question.x === "string" ? [question.y.column] : [question.y.column, question.x.column];
}

function valueIn({ key }: SeriesName, value: unknown): number | null {
  if (key === undefined) return typeof value === "number" ? value : null;
  return typeof value === "string" ? numberAt(value, key) : null;
}

/** A record's x and y; undefined where it lacks one. */
export function pointOf(question: SeriesQuestion, row: SeriesRow): { x: number; y: number } | undefined {
  const y = valueIn(question.y, row.values[0]);
  if (y === null) return undefined;
  const { x: axis } = question;
  if (axis === "time") return { x: row.timeUs, y };
  if (axis === "seq") return { x: row.seq, y };
  const x = valueIn(axis, row.values[1]);
  return x === null ? undefined : { x, y };
}

export function recordPiece({ x, y }: { x: number; y: number }): Piece {
  return { xFirst: x, xLast: x, min: y, max: y, sum: y, count: 1 };
}

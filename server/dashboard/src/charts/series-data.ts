/** Answers of GetSeries as uPlot draws them: extremes stay extremes, whatever is merged. */
import uPlot from "uplot";

export interface Series {
  type: number;
  gameId: string;
  column: string;
  count: number;
  min: number;
  max: number;
  sum: number;
  last: number;
}

export interface SeriesValues {
  xFirst: number[];
  xLast: number[];
  min: number[];
  max: number[];
  sum: number[];
  count: number[];
  xMin?: number;
  xMax?: number;
  wideBuckets: number;
  complete: boolean;
}

export interface SeriesKey {
  type: number;
  column: string;
}

export const keyText = ({ type, column }: SeriesKey): string => `${type} ${column}`;

export interface Range {
  from: number;
  to: number;
}

/** What runs along the x axis; `step` is whichever step the records of a type carry. */
export type Axis = "time" | "seq" | "step";

const STEP_COLUMNS = ["metadata.step", "context.step"];

/** The x to ask for; undefined where records of this type have none. */
export function xOf(axis: Axis, type: number, all: readonly Series[]): string | undefined {
  if (axis !== "step") return axis;
  return STEP_COLUMNS.find((column) => all.some((each) => each.type === type && each.column === column));
}

/** Time runs in microseconds on the wire and in seconds on the axis. */
export const unitOf = (axis: Axis): number => (axis === "time" ? 1_000_000 : 1);

interface Bucket {
  x: number;
  min: number;
  max: number;
  sum: number;
  count: number;
}

/** In the order of x, one bucket for each x: those of several streams may share one. */
export function bucketsOf(values: SeriesValues, unit: number): Bucket[] {
  const byX = new Map<number, Bucket>();
  for (const [at, first] of values.xFirst.entries()) {
    const x = (first + (values.xLast[at] ?? first)) / 2 / unit;
    const [min, max] = [values.min[at] ?? 0, values.max[at] ?? 0];
    const [sum, count] = [values.sum[at] ?? 0, values.count[at] ?? 0];
    const known = byX.get(x);
    if (known === undefined) byX.set(x, { x, min, max, sum, count });
    else {
      known.min = Math.min(known.min, min);
      known.max = Math.max(known.max, max);
      known.sum += sum;
      known.count += count;
    }
  }
  return [...byX.values()].sort((a, b) => a.x - b.x);
}

/** Three lines for each session: mean, least, greatest. */
export function plotData(sessions: readonly (readonly Bucket[])[]): uPlot.AlignedData {
  const tables = sessions.map(
    (buckets): uPlot.AlignedData => [
      buckets.map(({ x }) => x),
      buckets.map(({ sum, count }) => sum / count),
      buckets.map(({ min }) => min),
      buckets.map(({ max }) => max),
    ],
  );
  const [only] = tables;
  if (only === undefined) return [[]];
  return tables.length === 1 ? only : uPlot.join(tables);
}

export interface Extremes {
  min: number;
  max: number;
  mean: number;
  records: number;
}

export function extremesOf(buckets: readonly Bucket[]): Extremes | undefined {
  if (buckets.length === 0) return undefined;
  const records = buckets.reduce((total, { count }) => total + count, 0);
  return {
    min: buckets.reduce((least, bucket) => Math.min(least, bucket.min), Number.POSITIVE_INFINITY),
    max: buckets.reduce((most, bucket) => Math.max(most, bucket.max), Number.NEGATIVE_INFINITY),
    mean: buckets.reduce((total, { sum }) => total + sum, 0) / records,
    records,
  };
}

export type { Bucket };

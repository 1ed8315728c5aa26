/** Numeric series of a session: which there are, and one of them drawn with few points and exact extremes. */

import type * as wire from "@tailkeep/proto";
import { recordTypeName, recordTypeNumber } from "../records/names.js";
import { safeNumber } from "../records/safe-number.js";
import type { RecordTypeName } from "../records/training-record.js";

/** One number of the records of one type and game. */
export interface SeriesInfo {
  readonly type: RecordTypeName;
  /** Empty: the games beyond the first 64 of a stream, together. */
  readonly gameId: string;
  /** A column (`score`, `win`; false is 0, true is 1) or a numeric key of a JSON column (`metadata.loss`). */
  readonly column: string;
  /** How many records have a finite value. */
  readonly count: number;
  readonly min: number;
  readonly max: number;
  /** Divided by `count` it is the mean. */
  readonly sum: number;
  /** The value of the newest record that has one. */
  readonly last: number;
  /** Earliest event time of a record that has one: microseconds since 1970. */
  readonly firstTimeUs: number;
  /** Latest event time of a record that has one: microseconds since 1970. */
  readonly lastTimeUs: number;
}

/** What a session has to draw. */
export interface SeriesList {
  /** By type, game and column. */
  readonly series: readonly SeriesInfo[];
  /** Numeric keys without a series, because the session has 64 others; at most 64 are named. */
  readonly keysLeftOut: readonly string[];
  /** False where the session has more than 4,096 series, of which so many are listed. */
  readonly complete: boolean;
}

/** Which series, and which part of it. */
export interface SeriesQuestion {
  readonly sessionId: string;
  readonly type: RecordTypeName;
  /** As in SeriesInfo: `score`, `metadata.loss`. */
  readonly column: string;
  /** @default all games together */
  readonly gameId?: string | undefined;
  /**
   * What runs along the x axis: event time in microseconds, the stream's sequence number, or another series of the same
   * records, such as `metadata.step`.
   * @default "time"
   */
  readonly x?: "time" | "seq" | (string & {}) | undefined;
  /** In units of x, this included. @default the beginning */
  readonly from?: number | undefined;
  /** In units of x, this included. @default the end */
  readonly to?: number | undefined;
  /** About how many buckets: 1 to 4,000; at most twice as many come back. @default 1000 */
  readonly points?: number | undefined;
}

/** Some records that lie beside each other; one record has `xFirst === xLast` and `min === max`. */
export interface SeriesBucket {
  readonly xFirst: number;
  readonly xLast: number;
  /** Exact. */
  readonly min: number;
  /** Exact. */
  readonly max: number;
  /** Divided by `count` it is the mean. */
  readonly sum: number;
  /** At least 1. */
  readonly count: number;
}

/** A series, drawn. */
export interface SeriesAnswer {
  /** In the order of x; those of several streams may overlap. */
  readonly buckets: readonly SeriesBucket[];
  /** Ends of the whole series, whatever was asked for; undefined where it is empty. */
  readonly xMin: number | undefined;
  readonly xMax: number | undefined;
  /** Buckets wider than two of the equal parts of the range; more than 0 where x goes to and fro among the records. */
  readonly wideBuckets: number;
  /** False where the newest records are not summed up yet, or the answer is not exact for another reason. */
  readonly complete: boolean;
}

export function seriesList(answer: wire.ListSeriesResponse): SeriesList {
  const series = answer.series.flatMap((each): SeriesInfo[] => {
    const type = recordTypeName(each.type);
    if (type === undefined) return [];
    return [
      {
        type,
        gameId: each.gameId,
        column: each.column,
        count: safeNumber(each.count, "series.count"),
        min: each.min,
        max: each.max,
        sum: each.sum,
        last: each.last,
        firstTimeUs: safeNumber(each.firstTimeUs, "series.first_time_us"),
        lastTimeUs: safeNumber(each.lastTimeUs, "series.last_time_us"),
      },
    ];
  });
  return { series, keysLeftOut: answer.keysLeftOut, complete: answer.complete };
}

export function seriesRequest(question: SeriesQuestion): wire.GetSeriesRequest {
  return {
    sessionId: question.sessionId,
    type: recordTypeNumber(question.type),
    column: question.column,
    gameId: question.gameId ?? "",
    x: question.x ?? "",
    from: question.from,
    to: question.to,
    points: question.points ?? 0,
  };
}

export function seriesAnswer(answer: wire.GetSeriesResponse): SeriesAnswer {
  const buckets = answer.count.map((count, at) => ({
    xFirst: answer.xFirst[at] ?? Number.NaN,
    xLast: answer.xLast[at] ?? Number.NaN,
    min: answer.min[at] ?? Number.NaN,
    max: answer.max[at] ?? Number.NaN,
    sum: answer.sum[at] ?? Number.NaN,
    count: safeNumber(count, "count"),
  }));
  return {
    buckets,
    xMin: answer.xMin,
    xMax: answer.xMax,
    wideBuckets: answer.wideBuckets,
    complete: answer.complete,
  };
}

/**
 * Compares the server's charts of a session with the rows that plain SQL finds: how many values, which is the least, which
 * the greatest, and from when to when. They come from sums that the server keeps beside the rows, so every crash between the
 * two has to be made up for.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { RecordTypeName, SeriesAnswer, TailkeepClient } from "@tailkeep/client";
import { CONTENT_COLUMNS, TYPES } from "./content.js";
import { Report, type Violation } from "./oracle.js";
import type { PlainRow, PlainStore } from "./plain-store.js";

/** Sums are made beside ingest, and after a crash from the rows. */
const SUMMED_UP_MS_MAX = 20_000;
const POLL_MS = 100;

interface Extent {
  count: number;
  min: number;
  max: number;
  firstUs: number;
  lastUs: number;
}

export async function judgeSeries(client: TailkeepClient, store: PlainStore, sessionId: string): Promise<Violation[]> {
  const violations: Violation[] = [];
  const report = new Report(sessionId, violations);
  const streams = await store.streams(sessionId);
  if (streams.length === 0) return violations;
  for (const type of TYPES) {
    const rows = (await Promise.all(streams.map(({ key }) => store.rows(key, type)))).flat();
    for (const { name, kind } of CONTENT_COLUMNS[type]) {
      if (kind !== "number" && kind !== "flag") continue;
      const expected = extentOf(rows, name);
      const answer = await completeSeries(client, sessionId, type, name);
      if (!answer.complete) {
        report.add("SERIES", `${type}.${name}: not summed up ${SUMMED_UP_MS_MAX / 1_000} s after the last record`);
        continue;
      }
      const found = extentIn(answer);
      for (const each of ["count", "min", "max", "firstUs", "lastUs"] as const) {
        if (!Object.is(found[each] + 0, expected[each] + 0)) {
          report.add(
            "SERIES",
            `${type}.${name}: ${each} is ${found[each]} in the chart, ${expected[each]} in the rows`,
          );
        }
      }
    }
  }
  return violations;
}

/** As soon as it is complete, or as it is after the time for that. */
async function completeSeries(
  client: TailkeepClient,
  sessionId: string,
  type: RecordTypeName,
  column: string,
): Promise<SeriesAnswer> {
  const endMs = performance.now() + SUMMED_UP_MS_MAX;
  for (;;) {
    const answer = await client.history.getSeries({ sessionId, type, column, points: 100 });
    if (answer.complete || performance.now() > endMs) return answer;
    await sleep(POLL_MS);
  }
}

const nothing = (): Extent => ({
  count: 0,
  min: Number.POSITIVE_INFINITY,
  max: Number.NEGATIVE_INFINITY,
  firstUs: Number.POSITIVE_INFINITY,
  lastUs: Number.NEGATIVE_INFINITY,
});

function add(extent: Extent, part: Extent): void {
  extent.count += part.count;
  extent.min = Math.min(extent.min, part.min);
  extent.max = Math.max(extent.max, part.max);
  extent.firstUs = Math.min(extent.firstUs, part.firstUs);
  extent.lastUs = Math.max(extent.lastUs, part.lastUs);
}

function extentOf(rows: readonly PlainRow[], name: string): Extent {
  const extent = nothing();
  for (const { columns, timeUs } of rows) {
    // NaN and the infinities are kept beside their column, which is null.
    if (columns[name] === null) continue;
    const value = Number(columns[name]);
    add(extent, { count: 1, min: value, max: value, firstUs: timeUs, lastUs: timeUs });
  }
  return extent;
}

function extentIn({ buckets }: SeriesAnswer): Extent {
  const extent = nothing();
  for (const { count, min, max, xFirst, xLast } of buckets) {
    add(extent, { count, min, max, firstUs: xFirst, lastUs: xLast });
  }
  return extent;
}

/** The streams of a session as their series are read: what is summed up, and what comes after that. */
import { SERIES_STREAMS_PER_READ, SESSION_STREAMS_MAX } from "../limits.js";
import type { Reads } from "../store/reads/reads.js";
import { decodeSummary, EMPTY_SUMMARY, type StreamSummary } from "./summary.js";

export interface SeriesStream {
  readonly key: bigint;
  readonly committedSeq: number;
  /** Everything up to here is in nodes. */
  readonly rolledSeq: number;
  readonly summary: StreamSummary;
}

/** First what is committed, then what is summed up: so the second is never taken for less than it is. */
export async function seriesStreams(reads: Reads, namespace: string, sessionId: string): Promise<SeriesStream[]> {
  const found = new Map<bigint, SeriesStream>();
  for (const { key, committedSeq } of await reads.streamsOf(namespace, [sessionId], SESSION_STREAMS_MAX)) {
    found.set(key, { key, committedSeq, rolledSeq: 0, summary: EMPTY_SUMMARY });
  }
  for (let after = -1n; ; ) {
    const page = await reads.rollupStreams(namespace, sessionId, after, SERIES_STREAMS_PER_READ);
    for (const { key, rolledSeq, summary } of page) {
      const committedSeq = Math.max(found.get(key)?.committedSeq ?? 0, rolledSeq);
      found.set(key, { key, committedSeq, rolledSeq, summary: decodeSummary(summary) });
    }
    const last = page.at(-1);
    if (last === undefined || page.length < SERIES_STREAMS_PER_READ) return [...found.values()];
    after = last.key;
  }
}

/** The streams of a session as their series are read: what is summed up, and what comes after that. */
import { SERIES_STREAMS_PER_READ, SERIES_SUMMARY_BYTES_PER_READ, SESSION_STREAMS_MAX } from "../limits.js";
import type { Reads } from "../store/reads/reads.js";
import { decodeSummary, EMPTY_SUMMARY, type StreamSummary } from "./summary.js";

export interface SeriesStream {
  readonly key: bigint;
  readonly committedSeq: number;
  /** Everything up to here is in nodes. */
  readonly rolledSeq: number;
  readonly summary: StreamSummary;
}

export interface RolledSummary {
  readonly key: bigint;
  readonly rolledSeq: number;
  readonly summary: StreamSummary;
}

const SUMMARY_BYTES_LEAST = SERIES_SUMMARY_BYTES_PER_READ / SERIES_STREAMS_PER_READ;

/** How many times as many the next page may have at the most: long ones may come among short ones. */
const GROWTH = 4;

/** What is summed up of a session, one stream after the other. */
export async function* summariesOf(reads: Reads, namespace: string, sessionId: string): AsyncGenerator<RolledSummary> {
  let bytesMax = SUMMARY_BYTES_LEAST;
  for (let after = -1n; ; ) {
    const limit = Math.max(1, Math.floor(SERIES_SUMMARY_BYTES_PER_READ / bytesMax));
    const { rows, isLast, longest } = await reads.rollupStreams(namespace, sessionId, after, limit, bytesMax);
    for (const { key, rolledSeq, summary } of rows) yield { key, rolledSeq, summary: decodeSummary(summary) };
    if (isLast) return;
    after = rows.at(-1)?.key ?? after;
    bytesMax = Math.max(longest, Math.ceil(bytesMax / GROWTH), SUMMARY_BYTES_LEAST);
  }
}

/**
 * What of a stream's summary stays in memory while the question is answered. All of it, of all streams of a session, would be
 * gigabytes at worst.
 */
export type Keep = (stream: SeriesStream) => StreamSummary;

/** First what is committed, then what is summed up: so the second is never taken for less than it is. */
export async function seriesStreams(
  reads: Reads,
  namespace: string,
  sessionId: string,
  keep: Keep,
): Promise<SeriesStream[]> {
  const found = new Map<bigint, SeriesStream>();
  for (const { key, committedSeq } of await reads.streamsOf(namespace, [sessionId], SESSION_STREAMS_MAX)) {
    found.set(key, { key, committedSeq, rolledSeq: 0, summary: EMPTY_SUMMARY });
  }
  for await (const { key, rolledSeq, summary } of summariesOf(reads, namespace, sessionId)) {
    const committedSeq = Math.max(found.get(key)?.committedSeq ?? 0, rolledSeq);
    const stream = { key, committedSeq, rolledSeq, summary };
    found.set(key, { ...stream, summary: keep(stream) });
  }
  return [...found.values()];
}

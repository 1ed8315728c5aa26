/** The streams of a session as their series are read: what is summed up, and what comes after that. */
import {
  SERIES_HELD_KEPT,
  SERIES_HELD_MAX,
  SERIES_STREAMS_PER_READ,
  SERIES_SUMMARY_BYTES_PER_READ,
  SESSION_STREAMS_MAX,
} from "../limits.js";
import type { Reads } from "../store/reads/reads.js";
import { decodeSummary, type StreamSummary } from "./summary.js";

export interface SeriesStream<Kept> {
  readonly key: bigint;
  readonly committedSeq: number;
  /** Everything up to here is in nodes. */
  readonly rolledSeq: number;
  /** Latest event time that is summed up; infinite where nothing is. */
  readonly newestUs: number;
  readonly summary: Kept;
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
export interface Keep<Kept> {
  readonly of: (stream: SeriesStream<StreamSummary>) => Kept;
  /** What is kept of a stream of which nothing is summed up, or that no room is left for. */
  readonly nothing: Kept;
  /** How much is kept, in groups. */
  readonly size: (kept: Kept) => number;
}

export interface SeriesStreams<Kept> {
  /** Those with the latest event times first. */
  readonly streams: SeriesStream<Kept>[];
  /** False where there was too much to keep: of the streams at the end, nothing is. */
  readonly isComplete: boolean;
}

/** First what is committed, then what is summed up: so the second is never taken for less than it is. */
export async function seriesStreams<Kept>(
  reads: Reads,
  namespace: string,
  sessionId: string,
  keep: Keep<Kept>,
): Promise<SeriesStreams<Kept>> {
  const found = new Map<bigint, SeriesStream<Kept>>();
  for (const { key, committedSeq } of await reads.streamsOf(namespace, [sessionId], SESSION_STREAMS_MAX)) {
    found.set(key, { key, committedSeq, rolledSeq: 0, newestUs: Number.POSITIVE_INFINITY, summary: keep.nothing });
  }
  /** Of streams that have nothing later than this, nothing is kept: there is no room for all of them. */
  let cutUs = Number.NEGATIVE_INFINITY;
  let isComplete = true;
  let size = 0;
  for await (const { key, rolledSeq, summary } of summariesOf(reads, namespace, sessionId)) {
    const committedSeq = Math.max(found.get(key)?.committedSeq ?? 0, rolledSeq);
    const stream = { key, committedSeq, rolledSeq, newestUs: newestOf(summary), summary };
    const kept = { ...stream, summary: keep.of(stream) };
    if (!isComplete && stream.newestUs <= cutUs) kept.summary = keep.nothing;
    found.set(key, kept);
    size += keep.size(kept.summary);
    if (size <= SERIES_HELD_MAX) continue;
    isComplete = false;
    for (const oldest of newestFirst(found).reverse()) {
      if (size <= SERIES_HELD_KEPT) break;
      size -= keep.size(oldest.summary);
      cutUs = Math.max(cutUs, oldest.newestUs);
      found.set(oldest.key, { ...oldest, summary: keep.nothing });
    }
  }
  return { streams: newestFirst(found), isComplete };
}

function newestOf({ groups }: StreamSummary): number {
  let newestUs = Number.NEGATIVE_INFINITY;
  for (const { totals } of groups) {
    for (const { lastTimeUs } of totals.values()) newestUs = Math.max(newestUs, lastTimeUs);
  }
  return newestUs;
}

function newestFirst<Kept>(found: ReadonlyMap<bigint, SeriesStream<Kept>>): SeriesStream<Kept>[] {
  return [...found.values()].sort((a, b) => (a.newestUs < b.newestUs ? 1 : a.newestUs > b.newestUs ? -1 : 0));
}

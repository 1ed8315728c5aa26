/**
 * Reads on from memory into the database, or the other way round, without a gap and without a repeat at the seam.
 *
 * Memory is a snapshot of the moment when reading begins. A record is left out of the database's part if it is in that
 * snapshot or came later: of a stream that is in memory, by its number; of any other, by its place in the database's order.
 */

import type { HistoryClient, ListRecordsQuestion } from "../query/history.js";
import type { HistoryRecord } from "../records/training-record.js";
import type { CallOptions } from "../transport/unary-call.js";
import type { Seam } from "./positions.js";
import type { Scope } from "./scope.js";

/** How history is read. */
export interface HistoryOptions extends CallOptions {
  /** Stop after this many. @default all */
  readonly limit?: number | undefined;
  /** Newest first, or oldest first. @default "newest" */
  readonly order?: "newest" | "oldest" | undefined;
  /** Only what happened at or after this time: microseconds since 1970. */
  readonly sinceUs?: number | undefined;
  /** Only what happened before this time: microseconds since 1970. */
  readonly untilUs?: number | undefined;
}

/** What is read. */
export interface HistorySource<Item> {
  readonly memory: readonly Item[];
  readonly seam: Seam;
  readonly scope: Scope;
  readonly history: HistoryClient;
  /** Resolves when everything that belongs to the scope and has left memory is durable. */
  evictedIsDurable(): Promise<void>;
  itemOf(record: HistoryRecord): Item;
}

const PAGE_SIZE = 1_000;

export async function* readHistory<Item>(
  source: HistorySource<Item>,
  options: HistoryOptions,
): AsyncGenerator<Item, void, undefined> {
  let left = options.limit ?? Number.POSITIVE_INFINITY;
  if (!(left > 0)) return;
  const parts = options.order === "oldest" ? [fromDatabase, fromMemory] : [fromMemory, fromDatabase];
  for (const part of parts) {
    for await (const item of part(source, options, left)) {
      yield item;
      if (--left <= 0) return;
    }
  }
}

async function* fromMemory<Item>(
  { memory, seam }: HistorySource<Item>,
  { order, sinceUs = Number.NEGATIVE_INFINITY, untilUs = Number.POSITIVE_INFINITY }: HistoryOptions,
): AsyncGenerator<Item, void, undefined> {
  for (let step = 0; step < memory.length; step++) {
    const index = order === "oldest" ? step : memory.length - 1 - step;
    const timeUs = seam.timesUs[index] ?? 0;
    if (timeUs >= sinceUs && timeUs < untilUs) yield memory[index] as Item;
  }
}

async function* fromDatabase<Item>(
  source: HistorySource<Item>,
  options: HistoryOptions,
  left: number,
): AsyncGenerator<Item, void, undefined> {
  const { seam, scope, history } = source;
  await source.evictedIsDurable();
  const question: ListRecordsQuestion = {
    ...scope.question,
    order: options.order ?? "newest",
    sinceUs: options.sinceUs,
    untilUs: databaseUntilUs(seam, options.untilUs),
    pageSize: Math.max(1, Math.min(PAGE_SIZE, left)),
  };
  const { timeoutMs, signal } = options;
  for await (const record of history.listRecords(question, { timeoutMs, signal })) {
    if (scope.has(record) && !isAtOrAfter(record, seam)) yield source.itemOf(record);
  }
}

/** Nothing newer than memory's oldest item need be asked for, unless items were appended with times of their own. */
function databaseUntilUs({ oldest, isAscending }: Seam, untilUs: number | undefined): number | undefined {
  if (oldest === undefined || !isAscending) return untilUs;
  const seamUs = Math.trunc(oldest.timeUs) + 1;
  return untilUs === undefined ? seamUs : Math.min(seamUs, untilUs);
}

/** Whether the record is in memory, or newer than all that is. */
function isAtOrAfter(record: HistoryRecord, { firstSeqs, oldest }: Seam): boolean {
  const firstSeq = firstSeqs.get(record.streamId);
  if (firstSeq !== undefined) return record.seq >= firstSeq;
  if (oldest === undefined) return false;
  if (record.eventTimeUs !== oldest.timeUs) return record.eventTimeUs > oldest.timeUs;
  return record.streamId > oldest.streamId;
}

/**
 * Tells watchers of sessions what is committed, in commit order, stream by stream without holes.
 *
 * Each watched session has one feed with the last number published of each stream. What this server commits comes with
 * its rows; where the numbers jump (another server wrote, or a commit was found to have happened after all), the rows in
 * between are read from the store first. On a shared store the sessions' streams are looked at twice a second.
 */
import type { Clock } from "../base/clock.js";
import {
  CATCH_UP_PAGE,
  CATCH_UP_RECORDS_MAX,
  SESSION_STREAMS_MAX,
  WATCH_POLL_MS,
  WATCHER_QUEUE_BYTES_MAX,
} from "../limits.js";
import type { Batch } from "../record/batch.js";
import { batchRows, type RowOwner } from "../record/stored-row.js";
import { TABLES } from "../record/tables.js";
import { nowUs } from "../record/time.js";
import type { Store } from "../store/store.js";
import type { WatchEvent, Watcher } from "./watcher.js";

const ALL_TABLES = TABLES.map((table) => table.index);

interface Commit {
  owner: RowOwner;
  /** Everything up to here is durable. */
  lastSeq: number;
  /** The last of it; what is missing between these and what was published is read from the store. */
  batches: readonly Batch[];
}

class SessionFeed {
  readonly watchers = new Set<Watcher>();
  /** Watchers that wait for their place. */
  joining = 0;
  /** Bytes of batches that wait to be published. */
  waitingBytes = 0;
  /** Commits that wait to be published. */
  waiting = 0;
  /** Last number published, by stream. */
  readonly published = new Map<bigint, number>();
  readonly streamIds = new Map<bigint, string>();
  /** Of the session that these are streams of, as far as that is known. */
  startedAtUs: number | undefined;
  /** Resolves when the feed knows where every stream stands. */
  ready: Promise<void> = Promise.resolve();
  /** Commits are published one after the other, also while one waits for the store. */
  tail: Promise<void> = Promise.resolve();

  constructor(
    readonly namespace: string,
    readonly sessionId: string,
  ) {}

  get watched(): boolean {
    return this.watchers.size > 0 || this.joining > 0;
  }

  /** The newest streams stand last, so that a cursor that cannot hold all has those. */
  advance(stream: bigint, seq: number): void {
    this.published.delete(stream);
    this.published.set(stream, seq);
  }
}

export class WatchHub {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #feeds = new Map<string, SessionFeed>();
  readonly #failed: (error: unknown) => void;

  constructor(store: Store, clock: Clock, failed: (error: unknown) => void) {
    this.#store = store;
    this.#clock = clock;
    this.#failed = failed;
  }

  get watchers(): number {
    let count = 0;
    for (const feed of this.#feeds.values()) count += feed.watchers.size + feed.joining;
    return count;
  }

  /** Joins a watcher; afterwards `positions` is where its live events begin. @throws StoreError */
  async join(namespace: string, sessionId: string, watcher: Watcher): Promise<ReadonlyMap<bigint, number>> {
    const key = `${namespace}\u0000${sessionId}`;
    let feed = this.#feeds.get(key);
    if (feed === undefined) {
      feed = new SessionFeed(namespace, sessionId);
      this.#feeds.set(key, feed);
      feed.ready = this.#position(feed);
    }
    const joined = feed;
    joined.joining++;
    try {
      await joined.ready;
      // After everything that is being published, so that the positions are those of what was told.
      const positions = Promise.withResolvers<ReadonlyMap<bigint, number>>();
      joined.tail = joined.tail.then(() => {
        joined.watchers.add(watcher);
        positions.resolve(new Map(joined.published));
      });
      return await positions.promise;
    } finally {
      joined.joining--;
      this.#dropIfUnwatched(key, joined);
    }
  }

  leave(namespace: string, sessionId: string, watcher: Watcher): void {
    const key = `${namespace}\u0000${sessionId}`;
    const feed = this.#feeds.get(key);
    feed?.watchers.delete(watcher);
    watcher.end();
    if (feed !== undefined) this.#dropIfUnwatched(key, feed);
  }

  /** A session was deleted: should it come again, its streams begin anew. */
  forget(namespace: string, sessionId: string): void {
    const feed = this.#feeds.get(`${namespace}\u0000${sessionId}`);
    if (feed === undefined) return;
    feed.startedAtUs = undefined;
    this.#startOver(feed);
  }

  /** After what is being published, which is of the session before. */
  #startOver(feed: SessionFeed): void {
    feed.tail = feed.tail.then(() => {
      feed.published.clear();
      feed.streamIds.clear();
      for (const watcher of feed.watchers) watcher.startOver();
    });
  }

  /** Names of a session's streams, as far as its feed knows them. */
  streamIds(namespace: string, sessionId: string): ReadonlyMap<bigint, string> {
    return this.#feeds.get(`${namespace}\u0000${sessionId}`)?.streamIds ?? new Map<bigint, string>();
  }

  /** Last numbers published of a session's streams. */
  positions(namespace: string, sessionId: string): ReadonlyMap<bigint, number> {
    return this.#feeds.get(`${namespace}\u0000${sessionId}`)?.published ?? new Map<bigint, number>();
  }

  /** A stream is durable up to `lastSeq`; `batches` are what is known of that, without a hole up to there. */
  committed(namespace: string, owner: RowOwner, lastSeq: number, batches: readonly Batch[]): void {
    const feed = this.#feeds.get(`${namespace}\u0000${owner.sessionId}`);
    if (feed !== undefined) this.#enqueue(feed, { owner, lastSeq, batches });
  }

  /** Until aborted: looks for what other servers committed to sessions that are watched here. */
  async poll(signal: AbortSignal): Promise<void> {
    if (!this.#store.capabilities.sharedByServers) return;
    while (!signal.aborted) {
      await this.#clock.sleep(WATCH_POLL_MS, signal);
      const byNamespace = Map.groupBy(this.#feeds.values(), (feed) => feed.namespace);
      for (const [namespace, feeds] of byNamespace) {
        // A store that is away is reported by the commits; watchers wait.
        await this.#look(namespace, feeds).catch(() => undefined);
      }
    }
  }

  async #look(namespace: string, feeds: readonly SessionFeed[]): Promise<void> {
    const sessionIds = feeds.map((feed) => feed.sessionId);
    const bySession = new Map(feeds.map((feed) => [feed.sessionId, feed]));
    for (const stream of await this.#store.reads.streamsOf(namespace, sessionIds, SESSION_STREAMS_MAX)) {
      const feed = bySession.get(stream.sessionId);
      if (feed === undefined) continue;
      const { sessionStartedAtUs } = stream;
      // Deleted and begun anew at another server; its streams may have the names and the numbers of those before.
      if (feed.startedAtUs !== undefined && feed.startedAtUs !== sessionStartedAtUs) this.#startOver(feed);
      feed.startedAtUs = sessionStartedAtUs;
      if (feed.waiting > 0) continue;
      if ((feed.published.get(stream.key) ?? 0) >= stream.committedSeq) continue;
      const owner = { key: stream.key, sessionId: stream.sessionId, streamId: stream.streamId };
      this.#enqueue(feed, { owner, lastSeq: stream.committedSeq, batches: [] });
    }
  }

  async #position(feed: SessionFeed): Promise<void> {
    for (const stream of await this.#store.reads.streamsOf(feed.namespace, [feed.sessionId], SESSION_STREAMS_MAX)) {
      feed.published.set(stream.key, Math.max(stream.committedSeq, feed.published.get(stream.key) ?? 0));
      feed.streamIds.set(stream.key, stream.streamId);
      feed.startedAtUs = stream.sessionStartedAtUs;
    }
  }

  /** While the store is asked for a hole, commits wait; beyond a limit only as numbers, to be read from the store too. */
  #enqueue(feed: SessionFeed, commit: Commit): void {
    const bytes = commit.batches.reduce((sum, batch) => sum + batch.bytes.length, 0);
    const fits = feed.waitingBytes + bytes <= WATCHER_QUEUE_BYTES_MAX * 4;
    const kept = fits ? commit : { ...commit, batches: [] };
    const keptBytes = fits ? bytes : 0;
    feed.waitingBytes += keptBytes;
    feed.waiting++;
    feed.tail = feed.tail
      .then(() => feed.ready)
      .then(() => (feed.watched ? this.#publish(feed, kept) : undefined))
      // A hole that could not be read stays: the next commit of the stream, or the next look, tries it again.
      .catch((error: unknown) => this.#failed(error))
      .finally(() => {
        feed.waitingBytes -= keptBytes;
        feed.waiting--;
      });
  }

  async #publish(feed: SessionFeed, { owner, lastSeq, batches }: Commit): Promise<void> {
    feed.streamIds.set(owner.key, owner.streamId);
    const published = feed.published.get(owner.key) ?? 0;
    const known = batches[0]?.firstSeq ?? lastSeq + 1;
    if (published + 1 < known) await this.#publishFromStore(feed, owner, Math.min(known - 1, lastSeq));
    for (const batch of batches) {
      const from = feed.published.get(owner.key) ?? 0;
      if (batch.lastSeq <= from) continue;
      for (const event of batchEvents(batch, owner, from)) this.#tell(feed, event);
      feed.advance(owner.key, batch.lastSeq);
    }
  }

  async #publishFromStore(feed: SessionFeed, owner: RowOwner, toSeq: number): Promise<void> {
    let left = CATCH_UP_RECORDS_MAX;
    while (feed.watched) {
      const from = (feed.published.get(owner.key) ?? 0) + 1;
      if (from > toSeq) return;
      if (left <= 0) {
        const { key: stream, streamId } = owner;
        this.#tell(feed, { kind: "missed", stream, streamId, firstSeq: from, lastSeq: toSeq });
        feed.advance(stream, toSeq);
        return;
      }
      const { events, upTo } = await readEvents(this.#store, owner.key, from, toSeq);
      for (const event of events) this.#tell(feed, event);
      left -= events.length;
      feed.advance(owner.key, upTo);
    }
  }

  #tell(feed: SessionFeed, event: WatchEvent): void {
    for (const watcher of feed.watchers) watcher.push(event);
  }

  #dropIfUnwatched(key: string, feed: SessionFeed): void {
    if (feed.watched || this.#feeds.get(key) !== feed) return;
    this.#feeds.delete(key);
  }
}

/** What a batch holds above a number, in order. */
function batchEvents(batch: Batch, owner: RowOwner, aboveSeq: number): WatchEvent[] {
  const records = batchRows(batch, owner, aboveSeq).map((row): WatchEvent => ({ kind: "record", row }));
  const gaps = batch.gaps
    .filter((gap) => gap.lastSeq > aboveSeq)
    .map((gap): WatchEvent => {
      const { sessionId, streamId, key } = owner;
      const firstSeq = Math.max(gap.firstSeq, aboveSeq + 1);
      return { kind: "gap", gap: { ...gap, firstSeq, sessionId, streamId, stream: key, createdAtUs: nowUs() } };
    });
  return gaps.length === 0 ? records : inOrder([...records, ...gaps]);
}

function firstSeqOf(event: WatchEvent): number {
  if (event.kind === "record") return event.row.seq;
  return event.kind === "gap" ? event.gap.firstSeq : event.firstSeq;
}

function inOrder(events: WatchEvent[]): WatchEvent[] {
  return events.sort((a, b) => firstSeqOf(a) - firstSeqOf(b));
}

/** Events of a stream from the store, beginning with `fromSeq`: a page of them, and how far it reaches. */
export async function readEvents(
  store: Store,
  stream: bigint,
  fromSeq: number,
  toSeq: number,
): Promise<{ events: WatchEvent[]; upTo: number }> {
  const [page, gaps] = await Promise.all([
    store.reads.listStreamPage(stream, fromSeq, toSeq, ALL_TABLES, CATCH_UP_PAGE),
    store.reads.gapsBetween(stream, fromSeq, toSeq, CATCH_UP_PAGE),
  ]);
  const { rows } = page;
  const upToGap = gaps.length === CATCH_UP_PAGE ? (gaps.at(-1)?.lastSeq ?? toSeq) : toSeq;
  const upTo = Math.min(page.upTo, upToGap);
  const events = inOrder([
    ...rows.map((row): WatchEvent => ({ kind: "record", row })),
    ...gaps.map((gap): WatchEvent => ({ kind: "gap", gap })),
  ]).filter((event) => firstSeqOf(event) <= upTo);
  return { events, upTo };
}

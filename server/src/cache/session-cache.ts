/**
 * Caches of sessions: the newest records of each, least recently used session first out, bounded in sessions and bytes.
 *
 * A cache is cold until somebody asks: then it is filled from the store, and from there on kept up by what this server
 * commits. Where several servers share a database, an answer counts only while this one has seen all: the session is the
 * same, and the sums over its streams in the database equal the sums of what it saw.
 */
import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../base/clock.js";
import { PAGE_BYTES_MAX, SESSION_STREAMS_MAX } from "../limits.js";
import type { Batch } from "../record/batch.js";
import { newestTableRows, type RowOwner, rowBytes, type StoredRow } from "../record/stored-row.js";
import { TABLE_COUNT, TABLES } from "../record/tables.js";
import { type SessionVersion, type StreamProgress, sessionVersion } from "../store/reads/reads.js";
import type { RecordQuery } from "../store/reads/records.js";
import type { OpenOutcome, Store } from "../store/store.js";
import { RecentRecords } from "./recent-records.js";

export interface CacheOptions {
  /** Records kept by table index. */
  capacities: readonly number[];
  sessionsMax: number;
  bytesMax: number;
}

export interface CacheStatistics {
  sessions: number;
  bytes: number;
  hits: number;
  misses: number;
  evictions: number;
}

/** How often a cache is filled while writers keep changing what it is filled with. */
const FILL_TRIES = 3;

/** No session takes more than a quarter of the memory for all. */
const SESSION_SHARE = 4;

/** What knowing a stream's position takes. */
const STREAM_BYTES = 120;

interface StreamPosition {
  epoch: number;
  committedSeq: number;
}

class SessionCache {
  readonly #options: CacheOptions;
  #recent: RecentRecords;
  readonly #streams = new Map<bigint, StreamPosition>();
  #startedAtUs = 0;
  #keys = 0n;
  #epochs = 0n;
  #committed = 0n;
  /** What came while the lists are being filled; undefined at other times. */
  #meanwhile: { key: bigint; epoch: number; fromSeq: number; toSeq: number }[] | undefined;
  /** The lists hold all that the store has, as of `version`. */
  warm = false;
  filling: Promise<void> | undefined;

  constructor(options: CacheOptions) {
    this.#options = options;
    this.#recent = emptyLists(options);
  }

  get recent(): RecentRecords {
    return this.#recent;
  }

  get bytes(): number {
    return this.recent.bytes + this.#streams.size * STREAM_BYTES;
  }

  /**
   * A stream was opened here, or committed from `fromSeq` to `toSeq`. Numbers between what was known and `fromSeq` were
   * committed by another server: the lists do not have them.
   */
  saw(key: bigint, epoch: number, fromSeq: number, toSeq: number): void {
    if (this.#meanwhile !== undefined) this.#meanwhile.push({ key, epoch, fromSeq, toSeq });
    if (this.warm && !this.#advance(key, epoch, fromSeq, toSeq)) this.warm = false;
  }

  /** Whether more of a stream was seen than its newer open finds: the database is not what it was. */
  isAheadOf(key: bigint, epoch: number, committedSeq: number): boolean {
    const known = this.#streams.get(key);
    return known !== undefined && known.epoch < epoch && known.committedSeq > committedSeq;
  }

  /** What came while it was cold goes: the store has it, unless it was deleted or forgotten there. */
  fillBegins(): void {
    this.#recent = emptyLists(this.#options);
    this.#meanwhile = [];
  }

  /** The lists were filled as of `streams`; returns whether, with what came meanwhile, that is all there is. */
  filled(startedAtUs: number, streams: readonly StreamProgress[]): boolean {
    const meanwhile = this.#meanwhile ?? [];
    this.#startedAtUs = startedAtUs;
    this.#meanwhile = undefined;
    this.#streams.clear();
    this.#keys = 0n;
    this.#epochs = 0n;
    this.#committed = 0n;
    for (const { key, epoch, committedSeq } of streams) this.#advance(key, epoch, 1, committedSeq);
    this.warm = meanwhile.every(({ key, epoch, fromSeq, toSeq }) => this.#advance(key, epoch, fromSeq, toSeq));
    return this.warm;
  }

  get version(): SessionVersion {
    return sessionVersion(this.#startedAtUs, this.#streams.size, this.#keys, this.#epochs, this.#committed);
  }

  /** False where numbers are missing between what was known and `fromSeq`. */
  #advance(key: bigint, epoch: number, fromSeq: number, toSeq: number): boolean {
    if (!this.#streams.has(key)) this.#keys += key;
    const known = this.#streams.get(key) ?? { epoch: 0, committedSeq: 0 };
    const next = { epoch: Math.max(known.epoch, epoch), committedSeq: Math.max(known.committedSeq, toSeq) };
    if (next.epoch !== known.epoch) this.#epochs += BigInt(next.epoch - known.epoch);
    this.#committed += BigInt(next.committedSeq - known.committedSeq);
    this.#streams.set(key, next);
    return fromSeq <= known.committedSeq + 1;
  }
}

function emptyLists({ capacities, bytesMax }: CacheOptions): RecentRecords {
  return new RecentRecords(capacities, Math.floor(bytesMax / SESSION_SHARE));
}

type Opening = Extract<OpenOutcome, { kind: "opened" }>;

export class SessionCaches {
  readonly #store: Store;
  readonly #clock: Clock;
  #options: CacheOptions;
  /** Most recently used last. */
  readonly #sessions = new Map<string, SessionCache>();
  #bytes = 0;
  #hits = 0;
  #misses = 0;
  #evictions = 0;

  constructor(store: Store, clock: Clock, options: CacheOptions) {
    this.#store = store;
    this.#clock = clock;
    this.#options = options;
  }

  get statistics(): CacheStatistics {
    return {
      sessions: this.#sessions.size,
      bytes: this.#bytes,
      hits: this.#hits,
      misses: this.#misses,
      evictions: this.#evictions,
    };
  }

  /** Other limits: what is in memory is filled anew when it is asked for. */
  resize(options: CacheOptions): void {
    if (isDeepStrictEqual(options, this.#options)) return;
    this.#options = options;
    this.forgetAll();
  }

  /** A stream was opened here; what it finds tells whether the database was restored to an earlier time. */
  opened(namespace: string, sessionId: string, { key, epoch, committedSeq, regressed }: Opening): void {
    const cache = this.#sessions.get(name(namespace, sessionId));
    // Its numbers may come to be those that were seen here, and what they stand for is something else.
    if (regressed !== null || cache?.isAheadOf(key, epoch, committedSeq)) {
      this.forgetAll();
      return;
    }
    if (cache === undefined) return;
    const before = cache.bytes;
    cache.saw(key, epoch, committedSeq + 1, committedSeq);
    this.#bytes += cache.bytes - before;
  }

  /** Batches of a stream are durable. */
  committed(namespace: string, owner: RowOwner, epoch: number, committedSeq: number, batches: readonly Batch[]): void {
    const cache = this.#use(namespace, owner.sessionId);
    const before = cache.bytes;
    cache.saw(owner.key, epoch, batches[0]?.firstSeq ?? committedSeq + 1, committedSeq);
    for (const batch of batches) {
      for (let index = 0; index < TABLE_COUNT; index++) {
        if (batch.rows[index] === undefined) continue;
        // One more than there is room for, so that the list knows of records that it has not.
        const limit = (this.#options.capacities[index] as number) + 1;
        for (const row of newestTableRows(batch, index, owner, limit)) cache.recent.add(row);
      }
    }
    this.#bytes += cache.bytes - before;
    this.#evict();
  }

  /** The session, or the store itself, is not what it was. */
  forget(namespace: string, sessionId: string): void {
    const key = name(namespace, sessionId);
    const cache = this.#sessions.get(key);
    if (cache === undefined) return;
    this.#bytes -= cache.bytes;
    this.#sessions.delete(key);
  }

  forgetAll(): void {
    this.#sessions.clear();
    this.#bytes = 0;
  }

  /**
   * The newest `limit` records of a session, oldest first: from memory while that is the truth, else from the store.
   *
   * @param answer what is made of them; on a shared store this is done while the database says that they are the newest
   */
  async tail<Answer>(
    namespace: string,
    sessionId: string,
    tables: readonly number[],
    limit: number,
    answer: (rows: readonly StoredRow[]) => Answer,
  ): Promise<Answer> {
    const fromMemory = ({ recent }: SessionCache) => {
      const rows = recent.newest(tables, limit);
      return rows && { answer: answer(withinAnswer(rows)) };
    };
    const found = await this.#whileTrue(namespace, sessionId, fromMemory);
    if (found !== undefined) {
      this.#hits++;
      return found.answer;
    }
    this.#misses++;
    return answer(await tailFromStore(this.#store, namespace, sessionId, undefined, tables, limit));
  }

  /** What `look` sees in a session's cache while that has all that the store has; undefined where it never comes to that. */
  async #whileTrue<Seen>(
    namespace: string,
    sessionId: string,
    look: (cache: SessionCache) => Seen,
  ): Promise<Seen | undefined> {
    const { sharedByServers } = this.#store.capabilities;
    for (let tried = 0; tried < FILL_TRIES; tried++) {
      const cache = this.#use(namespace, sessionId);
      if (cache.warm && !sharedByServers) return look(cache);
      if (cache.warm) {
        const [version, early] = await Promise.all([
          this.#store.reads.sessionVersion(namespace, sessionId),
          this.#lookMeanwhile(cache, look),
        ]);
        // A commit of this server may be in the database and not yet be told here: that is a moment, not another server.
        if (version !== cache.version) await this.#clock.sleep(0);
        if (version !== cache.version) {
          // Not filled up but begun anew: what the other server did may have been a deletion.
          if (this.#sessions.get(name(namespace, sessionId)) === cache) this.forget(namespace, sessionId);
          continue;
        }
        if (cache.warm) return cache.version === early.version ? early.seen : look(cache);
      }
      // A fill that somebody else began may have looked at the store before this question was asked.
      const joins = cache.filling !== undefined;
      if (!cache.warm) await this.#fill(namespace, sessionId, cache);
      if (!cache.warm) return undefined;
      if (!joins || !sharedByServers) return look(cache);
    }
    return undefined;
  }

  /** Looks once the question to the database is on its way. What is seen counts only as of `version`. */
  async #lookMeanwhile<Seen>(cache: SessionCache, look: (cache: SessionCache) => Seen) {
    await new Promise<void>((resolve) => this.#clock.defer(resolve));
    // Lists that are being filled are no answer, though they have a version.
    return { version: cache.warm ? cache.version : undefined, seen: look(cache) };
  }

  /** Fills the lists once, however many ask. */
  #fill(namespace: string, sessionId: string, cache: SessionCache): Promise<void> {
    cache.filling ??= this.#fillNow(namespace, sessionId, cache).finally(() => {
      cache.filling = undefined;
    });
    return cache.filling;
  }

  /**
   * First which session it is and where its streams stand, then the records: what is committed here meanwhile is told, and
   * what another server does meanwhile shows in the next look at the session's version.
   */
  async #fillNow(namespace: string, sessionId: string, cache: SessionCache): Promise<void> {
    const { reads } = this.#store;
    for (let tried = 0; tried < FILL_TRIES && !cache.warm; tried++) {
      const cold = cache.bytes;
      cache.fillBegins();
      this.#bytes += cache.bytes - cold;
      const session = await reads.session(namespace, sessionId);
      const streams = await reads.streamsOf(namespace, [sessionId], SESSION_STREAMS_MAX);
      const found = await Promise.all(
        TABLES.map((table) => {
          const capacity = this.#options.capacities[table.index] as number;
          return reads.listRecords(newestOf(namespace, sessionId, undefined, [table.index], capacity));
        }),
      );
      // Evicted, or forgotten because the store is not what it was.
      if (this.#sessions.get(name(namespace, sessionId)) !== cache) return;
      const before = cache.bytes;
      for (const [index, { rows, next }] of found.entries()) {
        for (const row of rows) cache.recent.add(row);
        const oldest = rows.at(-1);
        if (next !== undefined && oldest !== undefined) cache.recent.markCut(index, oldest);
      }
      cache.filled(session?.startedAtUs ?? 0, streams);
      this.#bytes += cache.bytes - before;
      this.#evict();
    }
  }

  #use(namespace: string, sessionId: string): SessionCache {
    const key = name(namespace, sessionId);
    const cache = this.#sessions.get(key) ?? new SessionCache(this.#options);
    this.#sessions.delete(key);
    this.#sessions.set(key, cache);
    if (this.#sessions.size > this.#options.sessionsMax) this.#evictOldest();
    return cache;
  }

  #evict(): void {
    while (this.#bytes > this.#options.bytesMax && this.#sessions.size > 1) this.#evictOldest();
  }

  #evictOldest(): void {
    for (const [key, cache] of this.#sessions) {
      this.#bytes -= cache.bytes;
      this.#sessions.delete(key);
      this.#evictions++;
      return;
    }
  }
}

function name(namespace: string, sessionId: string): string {
  return `${namespace}\u0000${sessionId}`;
}

function newestOf(
  namespace: string,
  sessionId: string,
  gameId: string | undefined,
  tables: readonly number[],
  limit: number,
): RecordQuery {
  return {
    namespace,
    sessionId,
    gameId,
    tables,
    key: undefined,
    sinceUs: undefined,
    untilUs: undefined,
    newestFirst: true,
    limit,
    after: undefined,
  };
}

/** The newest records, oldest first, straight from the store; fewer where they would not fit an answer. */
export async function tailFromStore(
  store: Store,
  namespace: string,
  sessionId: string,
  gameId: string | undefined,
  tables: readonly number[],
  limit: number,
): Promise<StoredRow[]> {
  const page = await store.reads.listRecords(newestOf(namespace, sessionId, gameId, tables, limit));
  return page.rows.reverse();
}

/** The newest of `rows`, which stand oldest first, that fit an answer together; the same cut as a page of the store. */
function withinAnswer(rows: StoredRow[]): StoredRow[] {
  let bytes = 0;
  let from = rows.length;
  while (from > 0) {
    bytes += rowBytes(rows[from - 1] as StoredRow);
    if (bytes > PAGE_BYTES_MAX && from < rows.length) break;
    from--;
  }
  return rows.slice(from);
}

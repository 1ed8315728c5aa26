/**
 * Caches of sessions: the newest records of each, least recently used session first out, bounded in sessions and bytes.
 *
 * A cache is cold until somebody asks: then it is filled from the store, and from there on kept up by what this server
 * commits. Where several servers share a database, an answer counts only while this one has seen all: the sums over the
 * session's streams in the database equal the sums of what it saw.
 */
import type { Clock } from "../base/clock.js";
import { PAGE_BYTES_MAX } from "../limits.js";
import type { Batch } from "../record/batch.js";
import { batchTableRows, type RowOwner, rowBytes, type StoredRow } from "../record/stored-row.js";
import { TABLE_COUNT, TABLES } from "../record/tables.js";
import { type SessionVersion, sessionVersion } from "../store/reads/reads.js";
import type { RecordQuery } from "../store/reads/records.js";
import type { Store } from "../store/store.js";
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

class SessionCache {
  readonly recent: RecentRecords;
  readonly #streams = new Map<bigint, { epoch: number; committedSeq: number }>();
  #epochs = 0n;
  #committed = 0n;
  /** The lists hold all that the store has, as of `version`. */
  warm = false;

  constructor(options: CacheOptions) {
    this.recent = new RecentRecords(options.capacities, Math.floor(options.bytesMax / SESSION_SHARE));
  }

  /** Progress of a stream, from whichever side it is heard first. */
  saw(key: bigint, epoch: number, committedSeq: number): void {
    const known = this.#streams.get(key) ?? { epoch: 0, committedSeq: 0 };
    const next = { epoch: Math.max(known.epoch, epoch), committedSeq: Math.max(known.committedSeq, committedSeq) };
    this.#epochs += BigInt(next.epoch - known.epoch);
    this.#committed += BigInt(next.committedSeq - known.committedSeq);
    this.#streams.set(key, next);
  }

  get version(): SessionVersion {
    return sessionVersion(this.#streams.size, this.#epochs, this.#committed);
  }
}

export class SessionCaches {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #options: CacheOptions;
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

  /** A stream was opened here. */
  opened(namespace: string, sessionId: string, key: bigint, epoch: number, committedSeq: number): void {
    this.#sessions.get(name(namespace, sessionId))?.saw(key, epoch, committedSeq);
  }

  /** Batches of a stream are durable. */
  committed(namespace: string, owner: RowOwner, epoch: number, committedSeq: number, batches: readonly Batch[]): void {
    const cache = this.#use(namespace, owner.sessionId);
    const before = cache.recent.bytes;
    cache.saw(owner.key, epoch, committedSeq);
    for (const batch of batches) {
      for (let index = 0; index < TABLE_COUNT; index++) {
        const capacity = this.#options.capacities[index] as number;
        for (const row of batchTableRows(batch, index, owner, 0, capacity)) cache.recent.add(row);
      }
    }
    this.#bytes += cache.recent.bytes - before;
    this.#evict();
  }

  /** The session, or the store itself, is not what it was. */
  forget(namespace: string, sessionId: string): void {
    const key = name(namespace, sessionId);
    const cache = this.#sessions.get(key);
    if (cache === undefined) return;
    this.#bytes -= cache.recent.bytes;
    this.#sessions.delete(key);
  }

  forgetAll(): void {
    this.#sessions.clear();
    this.#bytes = 0;
  }

  /** The newest `limit` records of a session, oldest first: from memory while that is the truth, else from the store. */
  async tail(namespace: string, sessionId: string, tables: readonly number[], limit: number): Promise<StoredRow[]> {
    const found = await this.#fromMemory(namespace, sessionId, tables, limit);
    if (found !== undefined) {
      this.#hits++;
      return withinAnswer(found);
    }
    this.#misses++;
    return tailFromStore(this.#store, namespace, sessionId, undefined, tables, limit);
  }

  async #fromMemory(
    namespace: string,
    sessionId: string,
    tables: readonly number[],
    limit: number,
  ): Promise<StoredRow[] | undefined> {
    const cache = this.#use(namespace, sessionId);
    if (cache.warm && this.#store.capabilities.sharedByServers) {
      const version = await this.#store.reads.sessionVersion(namespace, sessionId);
      // A commit of this server may be in the database and not yet be told here: that is a moment, not another server.
      if (version !== cache.version) await this.#clock.sleep(0);
      if (version !== cache.version) cache.warm = false;
    }
    if (!cache.warm) await this.#fill(namespace, sessionId, cache);
    return cache.warm ? cache.recent.newest(tables, limit) : undefined;
  }

  /** Brings everything that belongs into the lists from the store, between two equal looks at the session's streams. */
  async #fill(namespace: string, sessionId: string, cache: SessionCache): Promise<void> {
    const { reads } = this.#store;
    for (let tried = 0; tried < FILL_TRIES; tried++) {
      const before = await reads.sessionVersion(namespace, sessionId);
      const streams = await reads.streamsOf(namespace, [sessionId], Number(before.split(":")[0]) + 1);
      const found = await Promise.all(
        TABLES.map((table) => {
          const capacity = this.#options.capacities[table.index] as number;
          return this.#store.reads.listRecords(newestOf(namespace, sessionId, undefined, [table.index], capacity));
        }),
      );
      if ((await reads.sessionVersion(namespace, sessionId)) !== before) continue;
      if (this.#sessions.get(name(namespace, sessionId)) !== cache) return;
      const bytes = cache.recent.bytes;
      for (const { key, epoch, committedSeq } of streams) cache.saw(key, epoch, committedSeq);
      for (const [index, { rows, next }] of found.entries()) {
        for (const row of rows) cache.recent.add(row);
        if (next !== undefined) cache.recent.markCut(index);
      }
      this.#bytes += cache.recent.bytes - bytes;
      cache.warm = true;
      this.#evict();
      return;
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
      this.#bytes -= cache.recent.bytes;
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

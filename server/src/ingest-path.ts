/**
 * The path of a record from its stream to its ack: the parts and how they are joined, without any network. The composition
 * root puts it behind gRPC; a simulator drives it over a virtual network, on a virtual clock and store.
 *
 *   stream/ -> session/ -> commit/ -> store/
 *   ack/ <--------------- cache/ <-'
 */
import type { Clock } from "./base/clock.js";
import { type CacheOptions, SessionCaches } from "./cache/session-cache.js";
import { WatchHub } from "./cache/watch-hub.js";
import { type Committed, GroupCommit } from "./commit/group-commit.js";
import type { QueueIdentity } from "./commit/stream-queue.js";
import { type Batch, storedPart } from "./record/batch.js";
import { type Opened, Sessions } from "./session/sessions.js";
import type { StoreError } from "./store/errors.js";
import type { ExpiryReport } from "./store/expiry.js";
import { StoreKeeper } from "./store/keeper.js";
import type { Audit, Store } from "./store/store.js";
import { IngestBudget } from "./stream/budget.js";

export interface StreamOwner {
  readonly key: bigint;
  readonly namespace: string;
  readonly sessionId: string;
}

export interface IngestPathOptions {
  groupDelayMs: number;
  ingestBytesMax: number;
  cache: CacheOptions;
}

/** What the composition root says and counts of it; nothing depends on what it does. */
export interface IngestPathEvents {
  /** `stored` of a session is new in the tables; `rejected` of its records are new in the dead letters. */
  committed(stored: readonly Batch[], rejected: number, session: { namespace: string; sessionId: string }): void;
  /** The same, with whose they are and how far the stream is now. */
  published?(owner: StreamOwner, batches: readonly Batch[], committedSeq: number): void;
  /** A stream was opened here. */
  opened?(owner: StreamOwner, opened: Opened): void;
  transaction(ms: number): void;
  retrying(error: StoreError, attempt: number): void;
  /** The database had forgotten what it once acked; the range is stored as a gap. */
  regressed(owner: { sessionId: string; streamId: string }, range: { firstSeq: number; lastSeq: number }): void;
  /** A stream was stopped because its history would not add up. */
  broken(owner: { namespace: string; sessionId: string; streamId: string }, cause: string): void;
  watchersWait(error: unknown): void;
  storeUp(audit: Audit): void;
  storeDown(error: StoreError): void;
  maintenanceFailed(error: StoreError): void;
  /** Expired rows went, or may not go. */
  expired(report: ExpiryReport): void;
}

export class IngestPath {
  readonly budget: IngestBudget;
  readonly caches: SessionCaches;
  readonly hub: WatchHub;
  readonly keeper: StoreKeeper;
  readonly commit: GroupCommit;
  readonly sessions: Sessions;
  readonly #events: IngestPathEvents;

  constructor(store: Store, clock: Clock, options: IngestPathOptions, events: IngestPathEvents) {
    this.#events = events;
    this.budget = new IngestBudget(options.ingestBytesMax, clock);
    this.caches = new SessionCaches(store, clock, options.cache);
    this.hub = new WatchHub(store, clock, (error) => events.watchersWait(error));
    this.keeper = new StoreKeeper(store, clock, {
      up: (audit) => {
        // Whatever the store is now, it need not be what it was: a restored dump, say.
        this.caches.forgetAll();
        events.storeUp(audit);
      },
      down: (error) => events.storeDown(error),
      maintenanceFailed: (error) => events.maintenanceFailed(error),
      expired: (report) => {
        // What is in memory may be among what went; what another server removed since the last run, it does not tell.
        const went = report !== undefined && report.heldBecause === undefined && report.tables.length > 0;
        if (went || store.capabilities.sharedByServers) this.caches.forgetAll();
        if (report !== undefined) events.expired(report);
      },
    });
    this.commit = new GroupCommit(
      store,
      clock,
      { groupDelayMs: options.groupDelayMs },
      {
        committed: ({ identity }, batches, outcome) => this.#committed(identity, batches, outcome),
        transaction: (ms) => events.transaction(ms),
        retrying: (error, attempt, alone) => {
          // What one stream alone is refused for is not the store's failure.
          if (!alone) this.keeper.failed(error);
          events.retrying(error, attempt);
        },
        recovered: () => this.keeper.answered(),
        broken: ({ namespace, sessionId, streamId }, cause) => events.broken({ namespace, sessionId, streamId }, cause),
      },
    );
    this.sessions = new Sessions(store, this.commit, clock, {
      opened: ({ namespace, sessionId, streamId }, opened) => {
        this.caches.opened(namespace, sessionId, opened);
        const { regressed } = opened;
        events.opened?.({ key: opened.key, namespace, sessionId }, opened);
        if (regressed !== null) events.regressed({ sessionId, streamId }, regressed);
      },
    });
  }

  #committed(
    { key, namespace, sessionId, streamId, epoch }: QueueIdentity,
    batches: readonly Batch[],
    { committedSeq, alreadyUpTo, rejected }: Committed,
  ): void {
    const owner = { key, sessionId, streamId };
    const refused = new Set(rejected.map(({ seq }) => seq));
    const stored = batches.flatMap((batch) => storedPart(batch, alreadyUpTo, refused) ?? []);
    // Of what was committed before only the store knows whether it is in memory already, and with which times.
    if (alreadyUpTo >= (batches[0]?.firstSeq ?? 0)) this.caches.forget(namespace, sessionId);
    this.caches.committed(namespace, owner, epoch, committedSeq, stored);
    this.hub.committed(namespace, owner, committedSeq, stored);
    this.#events.published?.({ key, namespace, sessionId }, stored, committedSeq);
    const refusedNow = rejected.filter(({ seq }) => seq > alreadyUpTo).length;
    this.#events.committed(stored, refusedNow, { namespace, sessionId });
  }
}

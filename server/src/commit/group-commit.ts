/**
 * Group commit: batches of many streams in one transaction, several transactions in flight.
 *
 * A stream is in one transaction at a time, so its order is kept whatever the lanes do. With no transaction under way a
 * batch is committed at once; otherwise it waits for company: until there are records enough to be worth a commit, for
 * at most the group delay, or until a lane is free.
 *
 * A transaction whose outcome is unknown, or that failed for a passing reason, is run again as it is until it is decided:
 * the locked watermark tells what is new. Nobody hears anything meanwhile, and no memory is given back, so credit stops.
 *
 * A stream that somebody else holds locked, or whose data the store refuses again and again, must not hold up the others:
 * the transaction is halved until the stream is alone; then it gives its lane back, waits, and is tried again alone.
 */
import type { Clock } from "../base/clock.js";
import {
  GROUP_BYTES_MAX,
  GROUP_RECORDS_MAX,
  GROUP_RECORDS_WORTHWHILE,
  GROUP_STREAMS_MAX,
  RETRY_DELAY_MS_FIRST,
  RETRY_DELAY_MS_MAX,
} from "../limits.js";
import type { Batch, RejectedEntry } from "../record/batch.js";
import { StoreError, type StoreErrorKind } from "../store/errors.js";
import type { RunOutcome, Store } from "../store/store.js";
import { entriesOf, type QueueIdentity, runOf, type StreamQueue } from "./stream-queue.js";

/** How often a transaction that the store refuses is tried as it is: a disk that was full for a moment needs no halves. */
const REFUSALS_WHOLE_MAX = 3;

export type Committed = Extract<RunOutcome, { kind: "committed" }>;

/** What the composition root is told; all of it is optional to act upon. */
export interface CommitEvents {
  /** Before the stream's owner hears of it: caches and watchers come before the ack. */
  committed(queue: StreamQueue, batches: readonly Batch[], outcome: Committed): void;
  /** One transaction: how long it took and what was in it. */
  transaction(ms: number, records: number, streams: number): void;
  /** An attempt failed; it will be repeated. `alone`: of a stream that was refused before, and now by itself. */
  retrying(error: StoreError, attempt: number, alone: boolean): void;
  /** A transaction succeeded after failures. */
  recovered(): void;
  /** A stream was stopped because its history would not add up; `cause` is for the log alone. */
  broken(identity: QueueIdentity, cause: string): void;
}

export interface GroupCommitOptions {
  groupDelayMs: number;
}

interface Member {
  queue: StreamQueue;
  batches: Batch[];
}

/** What ends the stream that it happens in. */
const STREAMS_OWN: ReadonlySet<string> = new Set<StoreErrorKind>(["duplicate", "broken"]);

function halves(members: readonly Member[]): Member[][] {
  const middle = members.length >>> 1;
  return [members.slice(0, middle), members.slice(middle)];
}

export class GroupCommit {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #events: CommitEvents;
  readonly #options: GroupCommitOptions;
  /** Streams that have batches and are in no transaction, first come first served. */
  readonly #ready = new Set<StreamQueue>();
  /** Streams in a transaction, or set aside after one. Two queues may have one key: a unary call beside a stream. */
  readonly #inFlight = new Set<bigint>();
  readonly #stop = new AbortController();
  #lanesBusy = 0;
  #waitingRecords = 0;
  #waitingBytes = 0;
  /** When the first of the waiting batches came; NaN while none waits. */
  #waitingSinceMs = Number.NaN;
  #deferred = false;
  #timing = false;
  #drained: (() => void)[] = [];

  constructor(store: Store, clock: Clock, options: GroupCommitOptions, events: CommitEvents) {
    this.#store = store;
    this.#clock = clock;
    this.#options = options;
    this.#events = events;
  }

  /** Records that are accepted and in no transaction yet. */
  get waitingRecords(): number {
    return this.#waitingRecords;
  }

  enqueue(queue: StreamQueue, batch: Batch): void {
    if (queue.closed) throw new Error("a closed stream takes no batches");
    queue.batches.push(batch);
    this.#waitingRecords += batch.rowCount;
    this.#waitingBytes += batch.bytes.length;
    if (Number.isNaN(this.#waitingSinceMs)) this.#waitingSinceMs = this.#clock.monotonicMs();
    this.#ready.add(queue);
    this.#defer();
  }

  /** Forgets the batches of a stream whose writer is gone; what is in a transaction goes on. Returns what was dropped. */
  abandon(queue: StreamQueue): Batch[] {
    queue.closed = true;
    this.#ready.delete(queue);
    const dropped = queue.batches.splice(0);
    for (const batch of dropped) this.#forget(batch);
    this.#settle();
    return dropped;
  }

  /** Resolves when nothing waits and nothing is in flight. */
  drained(): Promise<void> {
    if (this.#idle()) return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  /** Ends the waiting between attempts; transactions that are on their way are left to themselves. */
  stop(): void {
    this.#stop.abort();
  }

  #idle(): boolean {
    return this.#ready.size === 0 && this.#inFlight.size === 0 && this.#lanesBusy === 0;
  }

  #settle(): void {
    if (!this.#idle()) return;
    for (const resolve of this.#drained.splice(0)) resolve();
  }

  #forget(batch: Batch): void {
    this.#waitingRecords -= batch.rowCount;
    this.#waitingBytes -= batch.bytes.length;
    if (this.#ready.size === 0) this.#waitingSinceMs = Number.NaN;
  }

  /** Looks again once everything that is already in the sockets has been read, so that a burst is one transaction. */
  #defer(): void {
    if (this.#deferred) return;
    this.#deferred = true;
    this.#clock.defer(() => {
      this.#deferred = false;
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#lanesBusy < this.#store.capabilities.lanes && this.#ready.size > 0) {
      if (this.#lanesBusy > 0 && !this.#worthwhile()) {
        this.#wakeAfterDelay();
        return;
      }
      const members = this.#gather();
      if (members.length === 0) return;
      this.#lanesBusy++;
      void this.#commit(members);
    }
  }

  #worthwhile(): boolean {
    if (this.#waitingRecords >= GROUP_RECORDS_WORTHWHILE || this.#waitingBytes >= GROUP_BYTES_MAX / 2) return true;
    return this.#clock.monotonicMs() - this.#waitingSinceMs >= this.#options.groupDelayMs;
  }

  #wakeAfterDelay(): void {
    if (this.#timing) return;
    this.#timing = true;
    void this.#clock.sleep(this.#options.groupDelayMs, this.#stop.signal).then(() => {
      this.#timing = false;
      this.#pump();
    });
  }

  /** One contiguous run of each ready stream, within the limits of a transaction. */
  #gather(): Member[] {
    const members: Member[] = [];
    let entries = 0;
    let bytes = 0;
    for (const queue of this.#ready) {
      if (this.#inFlight.has(queue.identity.key)) continue;
      if (members.length === GROUP_STREAMS_MAX || entries >= GROUP_RECORDS_MAX || bytes >= GROUP_BYTES_MAX) break;
      if (queue.setbacks > 0 && members.length > 0) continue;
      const batches = queue.take(GROUP_RECORDS_MAX - entries, GROUP_BYTES_MAX - bytes);
      this.#ready.delete(queue);
      this.#inFlight.add(queue.identity.key);
      for (const batch of batches) {
        entries += entriesOf(batch);
        bytes += batch.bytes.length;
        this.#forget(batch);
      }
      members.push({ queue, batches });
      if (queue.setbacks > 0) break;
    }
    return members;
  }

  async #commit(members: Member[]): Promise<void> {
    try {
      await this.#decide(members);
    } finally {
      this.#lanesBusy--;
      this.#pump();
      this.#settle();
    }
  }

  /** The stream is in no transaction any more; what came meanwhile may go into the next. */
  #release({ queue }: Member): void {
    this.#inFlight.delete(queue.identity.key);
    if (queue.batches.length === 0 || queue.closed) return;
    this.#ready.add(queue);
    if (Number.isNaN(this.#waitingSinceMs)) this.#waitingSinceMs = this.#clock.monotonicMs();
  }

  /** Somebody else holds the stream's row, or the store refuses its data: it waits without a lane. Its batches stand in front again. */
  async #setAside(member: Member): Promise<void> {
    const { queue, batches } = member;
    if (queue.closed) {
      // Its writer is gone, and nothing was done.
      this.#tellFailure(queue, { kind: "superseded" });
      this.#release(member);
      return;
    }
    queue.setbacks++;
    queue.batches.unshift(...batches);
    for (const batch of batches) {
      this.#waitingRecords += batch.rowCount;
      this.#waitingBytes += batch.bytes.length;
    }
    await this.#pause(queue.setbacks);
    if (this.#stop.signal.aborted) this.abandon(queue);
    this.#release(member);
    this.#pump();
    this.#settle();
  }

  /** Full jitter, longer and longer. */
  #pause(attempt: number): Promise<void> {
    const most = Math.min(RETRY_DELAY_MS_MAX, RETRY_DELAY_MS_FIRST * 2 ** Math.min(attempt, 20));
    return this.#clock.sleep(this.#clock.random() * most, this.#stop.signal);
  }

  /** Runs the transaction, whole or in halves, until every outcome is known or its stream is set aside, or the server stops. */
  async #decide(members: readonly Member[]): Promise<void> {
    const parts: (readonly Member[])[] = [members];
    // Breadth first, so that the sound halves are done before the search goes on in the others.
    for (let part = parts.shift(); part !== undefined; part = parts.shift())
      parts.push(...(await this.#decidePart(part)));
  }

  /** Returns the halves that the transaction must be tried in. */
  async #decidePart(members: readonly Member[]): Promise<readonly Member[][]> {
    const [first] = members;
    const alone = members.length === 1 ? first : undefined;
    for (let attempt = 1; ; attempt++) {
      const startMs = this.#clock.monotonicMs();
      try {
        const outcomes = await this.#store.commit(members.map(({ queue, batches }) => runOf(queue.identity, batches)));
        const records = members.reduce(
          (sum, { batches }) => sum + batches.reduce((n, batch) => n + batch.rowCount, 0),
          0,
        );
        this.#events.transaction(this.#clock.monotonicMs() - startMs, records, members.length);
        if (attempt > 1 || (alone !== undefined && alone.queue.setbacks > 0)) this.#events.recovered();
        await this.#tellAll(members, outcomes);
        return [];
      } catch (thrown) {
        const error = thrown instanceof StoreError ? thrown : new StoreError("refused", String(thrown), "INTERNAL");
        if (this.#stop.signal.aborted) {
          this.#giveUp(members);
          return [];
        }
        if (alone !== undefined && STREAMS_OWN.has(error.kind)) {
          await this.#tellAll(members, [{ kind: "broken", message: error.message }]);
          return [];
        }
        // Halves: the stream that others wait for, or that is broken, is soon alone.
        const ownFault = error.kind === "contention" || error.kind === "poison" || STREAMS_OWN.has(error.kind);
        if (alone === undefined && ownFault) return halves(members);
        this.#events.retrying(error, attempt, alone !== undefined && alone.queue.setbacks > 0);
        const refused = error.kind === "refused" || error.kind === "misconfigured";
        const again = attempt >= REFUSALS_WHOLE_MAX || (alone !== undefined && alone.queue.setbacks > 0);
        if (alone !== undefined && (ownFault || (refused && again))) {
          void this.#setAside(alone);
          return [];
        }
        await this.#pause(attempt);
        if (this.#stop.signal.aborted) {
          this.#giveUp(members);
          return [];
        }
        if (refused && again) return halves(members);
      }
    }
  }

  /** The server ends with the outcome open; the writers ask again, and the watermark answers. */
  #giveUp(members: readonly Member[]): void {
    for (const member of members) {
      this.abandon(member.queue);
      this.#release(member);
    }
  }

  /** What a listener does wrong ends its own stream, never the transaction of the others. */
  async #tellAll(members: readonly Member[], outcomes: readonly RunOutcome[]): Promise<void> {
    for (const [at, member] of members.entries()) {
      try {
        await this.#tell(member, outcomes[at] as RunOutcome);
      } catch (error) {
        this.abandon(member.queue);
        this.#events.broken(member.queue.identity, String(error));
        this.#tellFailure(member.queue, { kind: "broken", message: String(error) });
      } finally {
        this.#release(member);
      }
    }
  }

  /** The stream is over either way. */
  #tellFailure(queue: StreamQueue, outcome: Exclude<RunOutcome, Committed>): void {
    try {
      queue.listener.failed(outcome);
    } catch (error) {
      this.#events.broken(queue.identity, `its listener threw: ${String(error)}`);
    }
  }

  async #tell({ queue, batches }: Member, outcome: RunOutcome): Promise<void> {
    if (outcome.kind !== "committed") {
      if (outcome.kind === "broken") this.#events.broken(queue.identity, outcome.message);
      for (const batch of this.abandon(queue)) batches.push(batch);
      this.#tellFailure(queue, outcome);
      return;
    }
    queue.setbacks = 0;
    const first = batches[0]?.firstSeq ?? 0;
    if (outcome.alreadyUpTo >= first) outcome.rejected = await this.#withEarlierRejections(queue, first, outcome);
    this.#events.committed(queue, batches, outcome);
    queue.listener.committed(batches, outcome);
  }

  /** An earlier attempt was committed after all; which rows the store refused then, only the store knows. */
  async #withEarlierRejections(queue: StreamQueue, first: number, outcome: Committed): Promise<Committed["rejected"]> {
    const known = new Set(outcome.rejected.map((each) => each.seq));
    const earlier = await this.#store.reads
      .deadLettersBetween(queue.identity.key, first, outcome.alreadyUpTo, GROUP_RECORDS_MAX)
      // The ledger still has their number; only the reasons are missing from this ack.
      .catch((): RejectedEntry[] => []);
    const added = earlier.filter((row) => !known.has(row.seq));
    return [...outcome.rejected, ...added].sort((a, b) => a.seq - b.seq);
  }
}

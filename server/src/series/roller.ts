/**
 * Sums up numeric series as records are stored, beside ingest and never in its way: what it cannot do now it does later,
 * from the records in the store.
 *
 * Commits are added in memory when they are published. Now and then a checkpoint writes what has changed, and only where
 * the store still is where the checkpoint begins: of two servers one loses, and reads what the other wrote.
 */
import type { Clock } from "../base/clock.js";
import { keepNewest } from "../base/keep-newest.js";
import {
  ROLLUP_BYTES_KEPT,
  ROLLUP_BYTES_MAX,
  ROLLUP_BYTES_PER_WRITE,
  ROLLUP_LOOK_MS,
  ROLLUP_PAUSE_MS,
  ROLLUP_RECORDS_PER_LOOK,
  ROLLUP_REFUSED_BYTES_MAX,
  ROLLUP_REST_MS,
  ROLLUP_SESSIONS_MAX,
  ROLLUP_SLICE_RECORDS,
  ROLLUP_STREAMS_AT_ONCE,
  ROLLUP_STREAMS_KEPT,
  ROLLUP_STREAMS_MAX,
  ROLLUP_STREAMS_PER_WRITE,
  ROLLUP_TURN_MS,
  ROLLUP_WAITING_BYTES_MAX,
  SERIES_STREAMS_PER_READ,
} from "../limits.js";
import type { Batch } from "../record/batch.js";
import { TABLES } from "../record/tables.js";
import { StoreError } from "../store/errors.js";
import type { OpenOutcome, Store } from "../store/store.js";
import { KeysOfSession } from "./keys.js";
import { RolledStream } from "./rolled-stream.js";
import { type BegunCheckpoint, type RollupOwner, StreamRollup } from "./stream-rollup.js";
import { summariesOf } from "./streams.js";
import { Sweep } from "./sweep.js";
import { upperNodes } from "./uppers.js";

const ALL_TABLES = TABLES.map(({ index }) => index);

export interface RollerEvents {
  /** Sums have to wait; said once until it goes on. */
  failed(error: unknown): void;
  written(streams: number, records: number): void;
}

type Opening = Pick<Extract<OpenOutcome, { kind: "opened" }>, "committedSeq" | "regressed" | "sessionStartedAtUs">;

interface Begun {
  readonly stream: RolledStream;
  readonly rollup: StreamRollup;
  readonly begun: BegunCheckpoint;
}

export class Roller {
  readonly #store: Pick<Store, "reads" | "rollups">;
  readonly #clock: Clock;
  readonly #events: RollerEvents;
  /** Least recently used first. */
  readonly #streams = new Map<bigint, RolledStream>();
  readonly #keys = new Map<string, Promise<KeysOfSession>>();
  /** When the sessions began whose streams were opened here, to tell one from another of the same id. */
  readonly #startedAtUs = new Map<string, number>();
  #waitingBytes = 0;
  #recordsSinceLook = 0;
  #hasFailed = false;
  #wake: AbortController | undefined;
  /** One thing at a time: what is under way, and what waits for its end. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(store: Pick<Store, "reads" | "rollups">, clock: Clock, events: RollerEvents) {
    this.#store = store;
    this.#clock = clock;
    this.#events = events;
  }

  get statistics(): { streams: number; behind: number; bytes: number } {
    const streams = [...this.#streams.values()];
    return {
      streams: streams.length,
      behind: streams.filter(({ isLive }) => !isLive).length,
      bytes: streams.reduce((sum, { bytes }) => sum + bytes, this.#waitingBytes),
    };
  }

  /** Batches of a stream are durable. Never throws: ingest goes on, whatever becomes of the sums. */
  committed(owner: RollupOwner, batches: readonly Batch[], committedSeq: number): void {
    if (!this.#streams.has(owner.key) && this.#isCrowded) return;
    const stream = this.#use(owner, committedSeq);
    const before = stream.waitingBytes;
    try {
      const mayWait = ROLLUP_WAITING_BYTES_MAX - this.#waitingBytes;
      stream.committed(batches, committedSeq, mayWait, this.#clock.monotonicMs());
      this.#waitingBytes += stream.waitingBytes - before;
      if (!stream.isLive || stream.isFull) this.#wake?.abort();
    } catch (error) {
      this.#waitingBytes -= before;
      this.#streams.delete(owner.key);
      this.#say(error);
    }
    for (const { rowCount } of batches) this.#recordsSinceLook += rowCount;
    if (this.#recordsSinceLook >= ROLLUP_RECORDS_PER_LOOK) this.#shed();
  }

  /**
   * A stream was opened here. What was seen of it does not count where the database has gone back, and nothing of its
   * session where that was deleted meanwhile and has begun anew, maybe at another server.
   */
  opened({ key, namespace, sessionId }: RollupOwner, { committedSeq, regressed, sessionStartedAtUs }: Opening): void {
    const session = `${namespace}\u0000${sessionId}`;
    const before = this.#startedAtUs.get(session);
    keepNewest(this.#startedAtUs, session, sessionStartedAtUs, ROLLUP_STREAMS_MAX);
    if (before !== undefined && before !== sessionStartedAtUs) {
      this.#keys.delete(session);
      for (const stream of this.#streams.values()) {
        const { owner } = stream;
        if (owner.namespace === namespace && owner.sessionId === sessionId) this.#forget(stream);
      }
    }
    const known = this.#streams.get(key);
    if (known !== undefined && (regressed !== null || known.committedSeq > committedSeq)) this.#forget(known);
  }

  /** The store need not be what it was. */
  forgetAll(): void {
    this.#streams.clear();
    this.#keys.clear();
    this.#startedAtUs.clear();
    this.#waitingBytes = 0;
  }

  /** Somebody asks for a stream that is far behind. */
  wanted(owner: RollupOwner, committedSeq: number): void {
    if (this.#streams.has(owner.key) || this.#isCrowded) return;
    this.#use(owner, committedSeq);
    this.#wake?.abort();
  }

  /** Until aborted: brings streams up, writes checkpoints, and looks for streams that nobody goes on with. */
  async keep(signal: AbortSignal, isUp: () => boolean): Promise<void> {
    const sweep = new Sweep(this.#store.reads, this.#clock);
    const complain = (error: unknown) => {
      if (!signal.aborted) this.#say(error);
    };
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const nowMs = this.#clock.monotonicMs();
      const isIdle = ![...this.#streams.values()].some(
        (stream) => stream.pausedUntilMs <= nowMs && (!stream.isLive || stream.isFull),
      );
      if (isIdle || this.#hasFailed) {
        await this.#clock.sleep(
          ROLLUP_LOOK_MS,
          this.#hasFailed ? signal : AbortSignal.any([signal, this.#wake.signal]),
        );
      }
      if (signal.aborted || !isUp()) {
        await this.#clock.sleep(ROLLUP_LOOK_MS, signal);
        continue;
      }
      await sweep.next().then((found) => {
        for (const { committedSeq, ...owner } of found) this.wanted(owner, committedSeq);
      }, complain);
      await this.#alone(() => this.#round(signal)).catch(complain);
      await this.#clock.sleep(ROLLUP_REST_MS, signal);
    }
  }

  /** Stores all that is summed up, and first reads what is not: for a shutdown, and for tests. */
  async flush(signal?: AbortSignal): Promise<void> {
    await this.#alone(async () => {
      const streams = [...this.#streams.values()];
      for (const stream of streams) {
        while (!signal?.aborted && !stream.isLive && this.#streams.get(stream.owner.key) === stream) {
          await this.#bring(stream);
        }
      }
      if (!signal?.aborted) await this.#write([...this.#streams.values()].filter(({ rollup }) => rollup?.isDirty));
    });
  }

  #alone<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#turn.then(work, work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** What fails of it keeps nothing else from being done: the memory is bounded by its end. */
  async #round(signal: AbortSignal): Promise<void> {
    try {
      await this.#bringSome(signal);
    } finally {
      try {
        const nowMs = this.#clock.monotonicMs();
        if (!signal.aborted) await this.#write([...this.#streams.values()].filter((stream) => stream.isDue(nowMs)));
      } finally {
        if (!signal.aborted) await this.#evict();
      }
    }
  }

  async #bringSome(signal: AbortSignal): Promise<void> {
    // Those of now: whoever commits meanwhile moves to the end.
    const startedMs = this.#clock.monotonicMs();
    const behind = [...this.#streams.values()].filter((each) => !each.isLive && each.pausedUntilMs <= startedMs);
    for (let from = 0; from < behind.length && !signal.aborted; from += ROLLUP_STREAMS_AT_ONCE) {
      const some = behind.slice(from, from + ROLLUP_STREAMS_AT_ONCE);
      const outcomes = await Promise.allSettled(some.map((stream) => this.#bring(stream)));
      let failure: PromiseRejectedResult | undefined;
      for (const [at, outcome] of outcomes.entries()) {
        if (outcome.status === "fulfilled") continue;
        this.#pause(some[at] as RolledStream);
        failure ??= outcome;
      }
      if (failure !== undefined) throw failure.reason;
    }
  }

  /** Reads what a stream lacks, for one turn. */
  async #bring(stream: RolledStream): Promise<void> {
    const { owner } = stream;
    const isGone = () => this.#streams.get(owner.key) !== stream;
    const endAtMs = this.#clock.monotonicMs() + ROLLUP_TURN_MS;
    if (stream.rollup === undefined) {
      const keys = await this.#keysOf(owner);
      // All of it is here: nothing was summed up before, and were it otherwise, the checkpoint would be lost.
      const isNew = stream.waitsFrom === 1;
      const row = isNew ? undefined : await this.#store.reads.rollupStream(owner.key);
      const rollup = await StreamRollup.load(this.#store.reads, owner, row, keys);
      if (isGone()) return;
      stream.rollup = rollup;
      this.#hasFailed = false;
    }
    const { rollup } = stream;
    for (;;) {
      const before = stream.waitingBytes;
      const isLive = stream.catchUp(this.#clock.monotonicMs());
      this.#waitingBytes += stream.waitingBytes - before;
      stream.bytes = rollup.bytes;
      if (isLive) return;
      const upTo = (stream.waitsFrom ?? stream.committedSeq + 1) - 1;
      const page = await this.#store.reads.listStreamPage(
        owner.key,
        rollup.seq + 1,
        upTo,
        ALL_TABLES,
        ROLLUP_SLICE_RECORDS,
      );
      if (isGone()) return;
      rollup.addStored(page.rows, page.upTo);
      if (stream.isFull) await this.#write([stream]);
      if (isGone() || this.#clock.monotonicMs() >= endAtMs) return;
    }
  }

  /** The session's keys that have series already. */
  #keysOf({ namespace, sessionId }: RollupOwner): Promise<KeysOfSession> {
    const session = `${namespace}\u0000${sessionId}`;
    const known = this.#keys.get(session) ?? this.#readKeys(namespace, sessionId);
    keepNewest(this.#keys, session, known, ROLLUP_SESSIONS_MAX);
    known.catch(() => this.#keys.delete(session));
    return known;
  }

  async #readKeys(namespace: string, sessionId: string): Promise<KeysOfSession> {
    const keys = new KeysOfSession();
    let streams = 0;
    for await (const { summary } of summariesOf(this.#store.reads, namespace, sessionId)) {
      const { groups, keysLeftOut } = summary;
      for (const { totals } of groups) for (const name of totals.keys()) keys.saw(name);
      for (const name of keysLeftOut) keys.leaveOut(name);
      if (++streams === SERIES_STREAMS_PER_READ) break;
    }
    return keys;
  }

  async #write(streams: readonly RolledStream[]): Promise<void> {
    for (let from = 0; from < streams.length; ) {
      const group: Begun[] = [];
      let bytes = 0;
      while (from < streams.length && group.length < ROLLUP_STREAMS_PER_WRITE && bytes < ROLLUP_BYTES_PER_WRITE) {
        const stream = streams[from++] as RolledStream;
        const { rollup } = stream;
        if (rollup === undefined || !rollup.isDirty || this.#streams.get(stream.owner.key) !== stream) continue;
        const begun = rollup.begin();
        stream.dirtySinceMs = Number.POSITIVE_INFINITY;
        group.push({ stream, rollup, begun });
        bytes += begun.checkpoint.nodes.reduce((sum, { body }) => sum + body.length, begun.checkpoint.summary.length);
      }
      if (group.length > 0) await this.#writeGroup(group);
    }
  }

  /** What is refused of one stream must not keep the others from being stored. */
  async #writeAlone(streams: readonly RolledStream[]): Promise<void> {
    let failure: unknown;
    for (const stream of streams) {
      await this.#write([stream]).catch((error: unknown) => {
        failure = error;
      });
    }
    if (failure !== undefined) throw failure;
  }

  #pause(stream: RolledStream): void {
    stream.pausedUntilMs = this.#clock.monotonicMs() + ROLLUP_PAUSE_MS;
    // It is read from the store again, once that takes it.
    if ((stream.rollup?.bytes ?? 0) > ROLLUP_REFUSED_BYTES_MAX) this.#forget(stream);
  }

  async #writeGroup(group: readonly Begun[]): Promise<void> {
    let records = 0;
    try {
      const checkpoints = [];
      for (const { begun } of group) {
        const { checkpoint, full } = begun;
        const uppers = await upperNodes(this.#store.reads, checkpoint.key, full);
        checkpoints.push({ ...checkpoint, nodes: [...checkpoint.nodes, ...uppers] });
      }
      const outcomes = await this.#store.rollups.write(checkpoints);
      for (const [at, { stream, rollup, begun }] of group.entries()) {
        if (outcomes[at] === "lost") this.#forget(stream);
        else {
          rollup.written(begun);
          records += begun.checkpoint.toSeq - begun.checkpoint.fromSeq;
          stream.bytes = rollup.bytes;
        }
      }
    } catch (error) {
      for (const { stream, rollup, begun } of group) {
        rollup.failed(begun);
        stream.dirtySinceMs = Math.min(stream.dirtySinceMs, this.#clock.monotonicMs());
      }
      const kind = error instanceof StoreError ? error.kind : undefined;
      if (kind === "unavailable") throw error;
      if (kind !== "contention" && group.length > 1) return this.#writeAlone(group.map(({ stream }) => stream));
      // Where another transaction is in the way too: those that wait behind them are next.
      for (const { stream } of group) this.#pause(stream);
      throw error;
    }
    this.#hasFailed = false;
    this.#events.written(group.length, records);
  }

  /** Least recently used first, those that are not stored after they are. */
  async #evict(): Promise<void> {
    let bytes = this.#measure();
    const leaving: RolledStream[] = [];
    for (const stream of this.#streams.values()) {
      const kept = this.#streams.size - leaving.length;
      if (bytes <= ROLLUP_BYTES_KEPT && kept <= ROLLUP_STREAMS_KEPT) break;
      if (!stream.isLive) continue;
      bytes -= stream.bytes;
      leaving.push(stream);
    }
    try {
      await this.#write(leaving);
    } finally {
      for (const stream of leaving) if (stream.rollup?.isDirty === false) this.#forget(stream);
      this.#shed();
    }
  }

  /** Holds the memory's bound where the store does not take what is in it: that is read from the store again. */
  #shed(): void {
    let bytes = this.#measure();
    for (const stream of this.#streams.values()) {
      if (bytes <= ROLLUP_BYTES_MAX) return;
      if (stream.rollup === undefined) continue;
      bytes -= stream.bytes;
      this.#forget(stream);
    }
  }

  #measure(): number {
    this.#recordsSinceLook = 0;
    let bytes = 0;
    for (const stream of this.#streams.values()) {
      if (stream.rollup?.isDirty === true) stream.bytes = stream.rollup.bytes;
      bytes += stream.bytes;
    }
    return bytes;
  }

  /** Another stream finds no room. */
  get #isCrowded(): boolean {
    return this.#streams.size >= ROLLUP_STREAMS_MAX;
  }

  #use(owner: RollupOwner, committedSeq: number): RolledStream {
    const stream = this.#streams.get(owner.key) ?? new RolledStream(owner, committedSeq);
    this.#streams.delete(owner.key);
    this.#streams.set(owner.key, stream);
    return stream;
  }

  #forget(stream: RolledStream): void {
    if (this.#streams.get(stream.owner.key) !== stream) return;
    this.#streams.delete(stream.owner.key);
    this.#waitingBytes -= stream.waitingBytes;
  }

  #say(error: unknown): void {
    if (!this.#hasFailed) this.#events.failed(error);
    this.#hasFailed = true;
  }
}

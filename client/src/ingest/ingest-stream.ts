/**
 * One stream of records, as a trainer sees it. `append` encodes into the open batch and returns at once; sealed batches go
 * to the protocol machine, which sends, resends and forgets them.
 *
 *   append -> open batch --(full, delay, or wire idle)--> machine's queue -> call -> acked
 */

import { type Clock, systemClock } from "../clock.js";
import { EncodedBatch } from "../encode/encoded-batch.js";
import { ClosedError, DeadlineError, type TailkeepError, UnencodableError } from "../errors/errors.js";
import { CALL_TIMEOUT_MS_DEFAULT, GAP_COUNT_MAX, QUEUE_LOW_WATER_SHARE } from "../limits.js";
import type { StreamRejection } from "../protocol/stream-driver.js";
import { StreamMachine } from "../protocol/stream-machine.js";
import type { StreamState } from "../protocol/stream-state.js";
import { gapCauseNumber, recordTypeNumber } from "../records/names.js";
import type { GapInput, TrainingRecord } from "../records/training-record.js";
import type { IngestTransport, StreamInfo } from "../transport/ingest-transport.js";
import { asUnencodable, Batcher } from "./batcher.js";
import { Listeners } from "./listeners.js";
import { MachineDriver } from "./machine-driver.js";
import type { ResolvedStreamOptions } from "./stream-options.js";
import { Waiters, type WaitOptions, type WaitResult } from "./waiters.js";

/** What became of an append. Nothing is thrown for reasons of telemetry. */
export type AppendOutcome =
  /** Taken; `seq` is its number (for the one case where that is provisional see StreamOptions.numbering). */
  | { readonly outcome: "queued"; readonly seq: number }
  /** Not taken: the queue is at its bound. `await stream.ready()` and append again, or drop it and say `gap`. */
  | { readonly outcome: "full" }
  /** Not taken: it cannot be encoded. It has no number. */
  | { readonly outcome: "rejected"; readonly reason: TailkeepError }
  /** Not taken: the stream is closed or has failed; `reason` says why. */
  | { readonly outcome: "closed"; readonly reason: TailkeepError };

/** Where the numbers of a stream went: appended = stored + rejected + gapped + pending + dropped. */
export interface StreamLedger {
  /** Numbers given out so far, earlier processes included. */
  readonly appended: number;
  /** Durable in their tables. */
  readonly stored: number;
  /** Durable in the dead letters. */
  readonly rejected: number;
  /** Durable as declared gaps. */
  readonly gapped: number;
  /** Not yet known to be durable. */
  readonly pending: number;
  /** Given up unacked, because the stream was aborted or has failed. Some may be durable all the same. */
  readonly dropped: number;
  /** Records that `append` could not encode. They never had a number. */
  readonly refused: number;
}

const FULL: AppendOutcome = Object.freeze({ outcome: "full" });

/** A stream. Made by `client.openStream`. */
export class IngestStream {
  /** Options with every default filled in, ids included. */
  readonly options: ResolvedStreamOptions;
  readonly #batcher: Batcher;
  readonly #machine: StreamMachine;
  readonly #waiters: Waiters;
  readonly #acks = new Listeners<number>();
  readonly #rejections = new Listeners<StreamRejection>();
  readonly #states = new Listeners<StreamState>();
  readonly #renumberings = new Listeners<number>();
  readonly #recordsMax: number;
  readonly #bytesMax: number;
  #info: StreamInfo | undefined;
  #accepting = true;
  #refused = 0;
  #ackedReported: number;
  /** Sum of renumberings, by which targets of waiters taken earlier moved. */
  #shift = 0;
  #closing: Promise<void> | undefined;

  constructor(options: ResolvedStreamOptions, transport: IngestTransport, clock: Clock = systemClock) {
    this.options = options;
    this.#recordsMax = options.queueRecordsMax;
    this.#bytesMax = options.queueBytesMax;
    this.#ackedReported = options.ackedSeq;
    this.#waiters = new Waiters(clock);
    const driver = new MachineDriver(transport, clock);
    this.#machine = new StreamMachine({ ...options, random: () => clock.random() }, driver, {
      progressed: () => this.#progressed(),
      opened: (info) => {
        this.#info = info;
      },
      rejected: (rejections) => {
        for (const rejection of rejections) this.#rejections.emit(rejection);
      },
      stateChanged: (state) => this.#states.emit(state),
      renumbered: (shift) => {
        this.#shift += shift;
        this.#renumberings.emit(shift);
      },
    });
    driver.attach(this.#machine);
    const machine = this.#machine;
    this.#batcher = new Batcher(options, clock, {
      nextSeq: () => machine.appendedSeq + 1,
      take: (batch) => machine.enqueue(batch),
      isIdle: () => machine.wireIsIdle,
      // Without a call a batch had better grow; opening it will ask again.
      wantsAfterDelay: () => machine.state.name === "open" || machine.wireIsIdle,
    });
  }

  get sessionId(): string {
    return this.options.sessionId;
  }
  get streamId(): string {
    return this.options.streamId;
  }
  get writerId(): string {
    return this.options.writerId;
  }
  /** Everything up to here is durable. */
  get ackedSeq(): number {
    return this.#machine.ackedSeq;
  }
  /** Number of the last record or gap appended. */
  get appendedSeq(): number {
    return this.#machine.appendedSeq + this.#batcher.count;
  }
  /** Entries appended and not known to be durable, and their encoded bytes. */
  get pending(): { readonly records: number; readonly bytes: number } {
    return {
      records: this.#machine.queuedEntries + this.#batcher.count,
      bytes: this.#machine.queuedBytes + this.#batcher.byteLength,
    };
  }
  /** Where all numbers went. */
  get counts(): StreamLedger {
    const appended = this.appendedSeq;
    const unacked = Math.max(0, appended - this.#machine.ackedSeq);
    const over = this.#isOver();
    return {
      appended,
      ...this.#machine.totals,
      pending: over ? 0 : unacked,
      dropped: over ? unacked : 0,
      refused: this.#refused,
    };
  }
  get state(): StreamState {
    return this.#machine.state;
  }
  /** What the server said at the last open; undefined before the first. */
  get info(): StreamInfo | undefined {
    return this.#info;
  }

  /** Takes a record. Synchronous, never waits, never throws. */
  append(record: TrainingRecord): AppendOutcome {
    if (!this.#accepting || this.#isOver()) return { outcome: "closed", reason: this.#closedReason() };
    const machine = this.#machine;
    const batcher = this.#batcher;
    if (
      machine.queuedEntries + batcher.count >= this.#recordsMax ||
      machine.queuedBytes + batcher.byteLength >= this.#bytesMax
    ) {
      return FULL;
    }
    try {
      batcher.append(record);
    } catch (error) {
      this.#refused++;
      return { outcome: "rejected", reason: asUnencodable(error) };
    }
    return { outcome: "queued", seq: machine.appendedSeq + batcher.count };
  }

  /** Declares records that were dropped before they could be appended. Takes `count` numbers; `seq` is the last one. */
  gap(gap: GapInput): AppendOutcome {
    if (!this.#accepting || this.#isOver()) return { outcome: "closed", reason: this.#closedReason() };
    const { count, type, cause = "unspecified" } = gap;
    if (!Number.isInteger(count) || count < 1 || count > GAP_COUNT_MAX) {
      return {
        outcome: "rejected",
        reason: new UnencodableError(`a gap stands for 1 to ${GAP_COUNT_MAX} records, not ${count}`, {
          code: "BAD_FIELD",
          retryable: false,
        }),
      };
    }
    if (this.#isFull()) return FULL;
    this.#batcher.seal();
    const number = type === undefined ? 0 : recordTypeNumber(type);
    this.#machine.enqueue(EncodedBatch.ofGap(this.#machine.appendedSeq + 1, count, number, gapCauseNumber(cause)));
    return { outcome: "queued", seq: this.#machine.appendedSeq };
  }

  /**
   * Resolves when the queue is below its low-water mark, which is half, and also when the stream is closed or has failed
   * (append then says so). Never rejects unless by `signal` or `timeoutMs`. @default timeoutMs none
   */
  ready(options: WaitOptions = {}): Promise<void> {
    return this.#waiters.until(
      () => this.#isOver() || !this.#accepting || this.#isBelowLowWater(),
      options,
      (timeoutMs) => this.#late("room in the queue", timeoutMs),
    );
  }

  /**
   * Appends, waiting for room where needed; resolves with the number of the last record once all are taken (not yet
   * durable: see flush). Rejects with UnencodableError at the first record that cannot be encoded, and with the reason if
   * the stream is closed or has failed; records before it are taken. @default timeoutMs none
   */
  async write(records: TrainingRecord | Iterable<TrainingRecord>, options: WaitOptions = {}): Promise<number> {
    const list = Symbol.iterator in records ? records : [records];
    for (const record of list) {
      for (;;) {
        const result = this.append(record);
        if (result.outcome === "queued") break;
        if (result.outcome !== "full") throw result.reason;
        await this.ready(options);
      }
    }
    return this.appendedSeq;
  }

  /** Opens now and resolves with what the server knows of the stream. @default timeoutMs 10,000 */
  async opened(options: WaitOptions = {}): Promise<StreamInfo> {
    this.#machine.open();
    await this.#waiters.until(
      () => this.#info !== undefined || (this.#isOver() && this.#closedReason()),
      { timeoutMs: CALL_TIMEOUT_MS_DEFAULT, ...options },
      (timeoutMs) => this.#late("the stream to open", timeoutMs),
    );
    return this.#info as StreamInfo;
  }

  /**
   * Resolves when everything appended so far is durable. Rejects with DeadlineError, which names how many are pending
   * (they are still being sent), or with the reason why the stream stopped. @default timeoutMs 10,000
   */
  flush(options: WaitOptions = {}): Promise<void> {
    this.#batcher.seal();
    const target = this.appendedSeq - this.#shift;
    return this.#waiters.until(
      () => this.#durable(target),
      { timeoutMs: CALL_TIMEOUT_MS_DEFAULT, ...options },
      (timeoutMs) => this.#late("the server to make everything durable", timeoutMs),
    );
  }

  /**
   * Takes nothing more, waits until everything is durable and ends the call. If that fails, the stream is aborted and the
   * error says how many records are pending, that is, lost with this process. @default timeoutMs 10,000
   */
  close(options: WaitOptions = {}): Promise<void> {
    this.#closing ??= this.#close(options);
    return this.#closing;
  }

  /** Discards what is not sent and cancels the call, now. */
  abort(): void {
    this.#accepting = false;
    this.#machine.abort();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** What is not known to be durable, oldest first, as bytes that may be resent as they are. @internal */
  unacked(): EncodedBatch[] {
    this.#batcher.seal();
    return this.#machine.unacked();
  }

  /** Calls `listener` with ackedSeq whenever it grew. Returns what removes the listener; so do the others. */
  onAck(listener: (ackedSeq: number) => void): () => void {
    return this.#acks.add(listener);
  }
  /** Calls `listener` with each record that was refused after it had been queued. */
  onRejected(listener: (rejection: StreamRejection) => void): () => void {
    return this.#rejections.add(listener);
  }
  /** Calls `listener` with each new state. Returns what removes it. */
  onStateChange(listener: (state: StreamState) => void): () => void {
    return this.#states.add(listener);
  }
  /** Calls `listener` when provisional numbers moved up; see StreamOptions.numbering. */
  onRenumbered(listener: (shift: number) => void): () => void {
    return this.#renumberings.add(listener);
  }

  #progressed(): void {
    if (this.#machine.ackedSeq > this.#ackedReported) {
      this.#ackedReported = this.#machine.ackedSeq;
      this.#acks.emit(this.#ackedReported);
    }
    if (this.#isOver()) this.#accepting = false;
    else this.#batcher.wake();
    if (!this.#waiters.isEmpty) this.#waiters.check();
  }

  // --- conditions ---

  #isOver(): boolean {
    const { name } = this.#machine.state;
    return name === "closed" || name === "failed";
  }

  #isFull(): boolean {
    const { records, bytes } = this.pending;
    return records >= this.#recordsMax || bytes >= this.#bytesMax;
  }

  #isBelowLowWater(): boolean {
    const { records, bytes } = this.pending;
    return records <= this.#recordsMax * QUEUE_LOW_WATER_SHARE - 0.5 && bytes <= this.#bytesMax * QUEUE_LOW_WATER_SHARE;
  }

  #durable(target: number): WaitResult {
    if (this.#machine.ackedSeq >= target + this.#shift) return true;
    return this.#isOver() && this.#closedReason();
  }

  #closedReason(): TailkeepError {
    const { state } = this.#machine;
    if (state.name === "failed") return state.error;
    return new ClosedError("the stream is closed: open another one", { code: "STREAM_CLOSED", retryable: false });
  }

  async #close(options: WaitOptions): Promise<void> {
    this.#batcher.seal();
    this.#accepting = false;
    this.#machine.finish();
    try {
      await this.#waiters.until(
        () => this.#isOver(),
        { timeoutMs: CALL_TIMEOUT_MS_DEFAULT, ...options },
        (timeoutMs) => this.#late("the server to make everything durable", timeoutMs),
      );
    } catch (error) {
      this.#machine.abort();
      throw error;
    }
    const { state } = this.#machine;
    if (this.pending.records > 0) throw state.name === "failed" ? state.error : this.#closedReason();
  }

  #late(what: string, timeoutMs: number): DeadlineError {
    const { records } = this.pending;
    const { state } = this.#machine;
    const because = state.name === "waiting" && state.because !== undefined ? ` (${state.because.message})` : "";
    return new DeadlineError(`${records} records pending after waiting ${timeoutMs} ms for ${what}${because}`, {
      code: "DEADLINE_EXCEEDED",
      retryable: true,
      grpcStatus: 4,
      pendingRecords: records,
      cause: state.name === "waiting" ? state.because : undefined,
    });
  }
}

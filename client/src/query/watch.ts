/**
 * Watching a session. Each WatchRecords call is read by events into a short queue; where a call breaks, the next one takes
 * up at the cursor, so that the consumer sees one unbroken sequence.
 *
 * The cursor: only a "caught-up" of the server makes it whole, because a snapshot is chosen by event time and leaves out
 * what lies between. Until then a new call begins with the snapshot again, and what was seen of it is not shown twice.
 */

import { type ClientReadableStream, status as GrpcStatus, type StatusObject } from "@grpc/grpc-js";
import { HistoryServiceService, type WatchRecordsRequest, WatchRecordsResponse } from "@tailkeep/proto";
import { type Clock, systemClock } from "../clock.js";
import type { TailkeepError } from "../errors/errors.js";
import { errorFromStatus } from "../errors/from-status.js";
import {
  CURSOR_STREAMS_MAX,
  RECONNECTED_SPREAD_MS,
  SNAPSHOT_RECORDS_MAX,
  WATCH_QUEUE_EVENTS_MAX,
  WATCH_SILENCE_MS_MAX,
} from "../limits.js";
import { recordTypeNumber } from "../records/names.js";
import { safeNumber } from "../records/safe-number.js";
import { type HistoryGap, historyGap, historyRecord } from "../records/stored.js";
import type { HistoryRecord, RecordTypeName } from "../records/training-record.js";
import { Backoff } from "../transport/backoff.js";
import type { Channel } from "../transport/channel.js";
import { readingRecords } from "../transport/record-reader.js";
import { callStatus } from "../transport/status.js";

/** How far a watcher has come: for each stream of the session the last number seen. */
export type WatchCursor = Readonly<Record<string, number>>;

/** Something that happened in a watched session. */
export type WatchEvent =
  | { readonly event: "record"; readonly record: HistoryRecord }
  | { readonly event: "gap"; readonly gap: HistoryGap }
  /** Committed but not sent, because this watcher was too slow or too far behind; `listRecords` has it. */
  | { readonly event: "missed"; readonly streamId: string; readonly firstSeq: number; readonly lastSeq: number }
  /** What was stored before is complete; what follows is live. Comes again every few seconds. */
  | { readonly event: "caughtUp"; readonly cursor: WatchCursor };

/** What to watch, and from where. */
export interface WatchQuestion {
  /** The session; it may not exist yet. */
  readonly sessionId: string;
  /** Only these types. @default all six */
  readonly types?: readonly RecordTypeName[] | undefined;
  /** Newest records to begin with, 0 to 1,000; ignored where a cursor is given. @default 0 */
  readonly snapshotLimit?: number | undefined;
  /** Where an earlier watch stopped. @default now */
  readonly cursor?: WatchCursor | undefined;
}

/** How a watch ends, and what it tells meanwhile. */
export interface WatchOptions {
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal | undefined;
  /** Told each time the connection is lost and the watch is about to be taken up again. */
  readonly onReconnect?: ((error: TailkeepError) => void) | undefined;
}

/** An endless iteration; `break`, `return()` or the signal end it and cancel the call. */
export interface RecordWatch extends AsyncIterableIterator<WatchEvent> {
  /** Where another watch may take up; grows as events are consumed. Undefined before the first "caughtUp". */
  readonly cursor: WatchCursor | undefined;
  return(): Promise<IteratorResult<WatchEvent>>;
}

const { path, requestSerialize, responseDeserialize } = readingRecords(
  HistoryServiceService.watchRecords,
  WatchRecordsResponse,
);

export class RecordWatcher implements RecordWatch {
  readonly #channel: Channel;
  readonly #question: WatchQuestion;
  readonly #options: WatchOptions;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #onAbort = (): void => this.#finish(undefined);
  readonly #queue: WatchEvent[] = [];
  readonly #position: WatchPosition;
  #call: ClientReadableStream<WatchRecordsResponse> | undefined;
  #stopTimer: (() => void) | undefined;
  #paused = false;
  #started = false;
  #over = false;
  #error: TailkeepError | undefined;
  #waiting: { resolve(result: IteratorResult<WatchEvent>): void; reject(error: unknown): void }[] = [];

  constructor(channel: Channel, question: WatchQuestion, options: WatchOptions = {}, clock: Clock = systemClock) {
    this.#channel = channel;
    this.#question = question;
    this.#options = options;
    this.#clock = clock;
    this.#backoff = new Backoff(() => clock.random());
    this.#position = new WatchPosition(question.cursor);
  }

  get cursor(): WatchCursor | undefined {
    return this.#position.consumed;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<WatchEvent>> {
    if (!this.#started) this.#begin();
    const event = this.#queue.shift();
    if (event !== undefined) {
      this.#position.consume(event);
      if (this.#paused && this.#queue.length <= WATCH_QUEUE_EVENTS_MAX / 2) this.#resume();
      return Promise.resolve({ done: false, value: event });
    }
    if (this.#error !== undefined) {
      const error = this.#error;
      this.#error = undefined;
      return Promise.reject(error);
    }
    if (this.#over) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<WatchEvent>> {
    this.#queue.length = 0;
    this.#finish(undefined);
    return Promise.resolve({ done: true, value: undefined });
  }

  #begin(): void {
    this.#started = true;
    const { signal } = this.#options;
    if (this.#over || signal?.aborted) {
      this.#over = true;
      return;
    }
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    this.#connect();
  }

  #connect(): void {
    let call: ClientReadableStream<WatchRecordsResponse>;
    try {
      call = this.#channel.grpc.makeServerStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        this.#position.request(this.#question),
        this.#channel.metadata(),
        {},
      );
    } catch (error) {
      // A closed channel throws.
      const message = error instanceof Error ? error.message : String(error);
      this.#finish(errorFromStatus({ status: GrpcStatus.CANCELLED, message, code: "CLIENT_CLOSED" }, error));
      return;
    }
    this.#call = call;
    this.#paused = false;
    // Stays for good: an error after the end must not become an uncaught exception.
    call.on("error", () => undefined);
    call.on("data", (response: WatchRecordsResponse) => {
      if (this.#call === call) this.#receive(response);
    });
    call.on("status", (status: StatusObject) => {
      if (this.#call === call) this.#ended(status);
    });
    this.#watchSilence();
  }

  #receive(response: WatchRecordsResponse): void {
    this.#watchSilence();
    let event: WatchEvent | undefined;
    try {
      event = watchEvent(response);
    } catch (error) {
      this.#finish(error as TailkeepError);
      return;
    }
    if (event === undefined || !this.#position.accept(event)) return;
    this.#backoff.reset();
    const waiter = this.#waiting.shift();
    if (waiter !== undefined) {
      this.#position.consume(event);
      waiter.resolve({ done: false, value: event });
      return;
    }
    this.#queue.push(event);
    if (this.#queue.length >= WATCH_QUEUE_EVENTS_MAX && !this.#paused) {
      this.#paused = true;
      this.#stopTimer?.();
      this.#call?.pause();
    }
  }

  #resume(): void {
    this.#paused = false;
    this.#call?.resume();
    if (this.#call !== undefined) this.#watchSilence();
  }

  #ended(status: StatusObject): void {
    this.#drop();
    const end = callStatus(status);
    const error = errorFromStatus(end);
    if (status.code !== GrpcStatus.OK && !error.retryable) {
      this.#finish(error);
      return;
    }
    try {
      this.#options.onReconnect?.(error);
    } catch (thrown) {
      process.emitWarning(thrown instanceof Error ? thrown : String(thrown), "TailkeepListenerWarning");
    }
    if (this.#over) return;
    this.#connectAfter(this.#backoff.nextMs(error.retryAfterMs), end.status === GrpcStatus.UNAVAILABLE && !end.code);
  }

  /** `isUnreached`: the network is waited for, and its return ends the wait. */
  #connectAfter(delayMs: number, isUnreached: boolean): void {
    const stopTimer = this.#clock.afterKeepingAlive(delayMs, () => {
      this.#stopTimer?.();
      this.#connect();
    });
    const stopListening = isUnreached
      ? this.#channel.onConnected(() => {
          this.#stopTimer?.();
          this.#connectAfter(Math.min(delayMs, this.#clock.random() * RECONNECTED_SPREAD_MS), false);
        })
      : () => {};
    this.#stopTimer = () => {
      stopTimer();
      stopListening();
    };
  }

  /** The server says something every few seconds; a silent call is as good as broken. */
  #watchSilence(): void {
    this.#stopTimer?.();
    this.#stopTimer = this.#clock.after(WATCH_SILENCE_MS_MAX, () => {
      const call = this.#call;
      this.#ended({
        code: GrpcStatus.UNAVAILABLE,
        details: `nothing was heard for ${WATCH_SILENCE_MS_MAX} ms`,
        metadata: this.#channel.metadata(),
      });
      call?.cancel();
    });
  }

  #drop(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    this.#call = undefined;
  }

  #finish(error: TailkeepError | undefined): void {
    if (this.#over) return;
    this.#over = true;
    const call = this.#call;
    this.#drop();
    call?.cancel();
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    const [first, ...others] = this.#waiting.splice(0);
    if (error !== undefined && first !== undefined) first.reject(error);
    else {
      this.#error = error;
      first?.resolve({ done: true, value: undefined });
    }
    for (const waiter of others) waiter.resolve({ done: true, value: undefined });
  }
}

/** Where a watch is: what was received, to take up from, and what was consumed, to show. */
class WatchPosition {
  /** Received through here; undefined while a snapshot is incomplete. */
  #received: Map<string, number> | undefined;
  #consumed: Map<string, number> | undefined;
  /** Of the snapshot, so that it is not shown twice when it has to be begun again. */
  readonly #snapshotSeen = new Set<string>();

  constructor(cursor: WatchCursor | undefined) {
    if (cursor !== undefined) {
      this.#received = new Map(Object.entries(cursor));
      this.#consumed = new Map(this.#received);
    }
  }

  get consumed(): WatchCursor | undefined {
    return this.#consumed === undefined ? undefined : Object.fromEntries(this.#consumed);
  }

  request(question: WatchQuestion): WatchRecordsRequest {
    // Present and empty it asks for everything: the session had no streams when the watch was whole.
    // What the server sends again of streams that found no room is not shown twice.
    const newest = this.#received && [...this.#received].slice(-CURSOR_STREAMS_MAX);
    return {
      sessionId: question.sessionId,
      types: (question.types ?? []).map(recordTypeNumber),
      snapshotLimit: question.snapshotLimit ?? 0,
      cursor: newest && { seqs: Object.fromEntries(newest.map(([stream, seq]) => [stream, BigInt(seq)])) },
    };
  }

  /** False for what was received before. */
  accept(event: WatchEvent): boolean {
    if (event.event === "caughtUp") {
      this.#received = merged(this.#received, event.cursor);
      this.#snapshotSeen.clear();
      return true;
    }
    const end = endOf(event);
    if (this.#received !== undefined) {
      const before = this.#received.get(end.streamId) ?? 0;
      if (end.seq <= before) return false;
      advance(this.#received, end.streamId, end.seq);
      return true;
    }
    const key = `${end.seq} ${end.streamId}`;
    if (this.#snapshotSeen.has(key)) return false;
    // Live events may come before the first caughtUp; beyond a snapshot's size there is nothing to compare with.
    if (this.#snapshotSeen.size < SNAPSHOT_RECORDS_MAX) this.#snapshotSeen.add(key);
    return true;
  }

  consume(event: WatchEvent): void {
    if (event.event === "caughtUp") this.#consumed = merged(this.#consumed, event.cursor);
    else if (this.#consumed !== undefined) {
      const end = endOf(event);
      advance(this.#consumed, end.streamId, end.seq);
    }
  }
}

function merged(known: ReadonlyMap<string, number> | undefined, cursor: WatchCursor): Map<string, number> {
  const result = new Map(known);
  for (const [stream, seq] of Object.entries(cursor)) advance(result, stream, seq);
  return result;
}

/** Streams stand in the order in which they last went on, so that a cursor that cannot hold all has the newest. */
function advance(position: Map<string, number>, stream: string, seq: number): void {
  const before = position.get(stream);
  if (before !== undefined && before >= seq) return;
  position.delete(stream);
  position.set(stream, seq);
}

function endOf(event: Exclude<WatchEvent, { readonly event: "caughtUp" }>): { streamId: string; seq: number } {
  switch (event.event) {
    case "record":
      return event.record;
    case "gap":
      return { streamId: event.gap.streamId, seq: event.gap.lastSeq };
    case "missed":
      return { streamId: event.streamId, seq: event.lastSeq };
  }
}

/** Undefined for what only a newer server says. */
function watchEvent({ event }: WatchRecordsResponse): WatchEvent | undefined {
  switch (event?.$case) {
    case "record":
      return { event: "record", record: historyRecord(event.value) };
    case "gap":
      return { event: "gap", gap: historyGap(event.value) };
    case "missed":
      return {
        event: "missed",
        streamId: event.value.streamId,
        firstSeq: safeNumber(event.value.firstSeq, "first_seq"),
        lastSeq: safeNumber(event.value.lastSeq, "last_seq"),
      };
    case "caughtUp":
      return {
        event: "caughtUp",
        cursor: Object.fromEntries(
          Object.entries(event.value.seqs).map(([stream, seq]) => [stream, safeNumber(seq, "cursor")]),
        ),
      };
    default:
      return undefined;
  }
}

/**
 * One watcher of a session: a bounded queue between what is committed and what its connection takes.
 *
 * A watcher that cannot keep up loses events, never the server its memory: from the first event that does not fit on,
 * ranges are noted instead of kept, until everything queued is sent; then it is told the ranges and goes on live.
 */
import { WATCHER_MISSED_RANGES_MAX, WATCHER_QUEUE_BYTES_MAX, WATCHER_QUEUE_EVENTS_MAX } from "../limits.js";
import { rowBytes, type StoredRow } from "../record/stored-row.js";
import type { GapRow } from "../store/reads/reads.js";

export type WatchEvent =
  | { kind: "record"; row: StoredRow }
  | { kind: "gap"; gap: GapRow }
  | { kind: "missed"; stream: bigint; streamId: string; firstSeq: number; lastSeq: number };

export interface WatchSink {
  /** False: the connection is full; `writable` must be called before more is sent. */
  send(event: WatchEvent): boolean;
}

function eventBytes(event: WatchEvent): number {
  return event.kind === "record" ? rowBytes(event.row) : 96;
}

function rangeOf(event: WatchEvent): { stream: bigint; streamId: string; firstSeq: number; lastSeq: number } {
  if (event.kind === "missed") return event;
  if (event.kind === "gap") return event.gap;
  const { stream, streamId, seq } = event.row;
  return { stream, streamId, firstSeq: seq, lastSeq: seq };
}

export class Watcher {
  readonly #sink: WatchSink;
  readonly #tables: ReadonlySet<number>;
  readonly #queue: WatchEvent[] = [];
  #queueBytes = 0;
  #missed: Extract<WatchEvent, { kind: "missed" }>[] = [];
  /** Numbers that the snapshot or the catch-up already brought, by stream. */
  readonly #seen = new Map<bigint, number | Set<number>>();
  /** Live events wait while the snapshot or the catch-up is on its way. */
  #held = true;
  #blocked = false;
  #ended = false;

  constructor(sink: WatchSink, tables: readonly number[]) {
    this.#sink = sink;
    this.#tables = new Set(tables);
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Everything is sent and nothing is missing. */
  get upToDate(): boolean {
    return !this.#held && !this.#blocked && this.#queue.length === 0 && this.#missed.length === 0;
  }

  get blocked(): boolean {
    return this.#blocked;
  }

  /** Up to `seq`, or exactly these numbers, the watcher has the stream already. */
  seen(stream: bigint, seqs: number | Set<number>): void {
    this.#seen.set(stream, seqs);
  }

  /** Sends at once, ahead of live events: for the snapshot and the catch-up. False: wait for `writable`. */
  sendNow(event: WatchEvent): boolean {
    if (!this.#ended && !this.#sink.send(event)) this.#blocked = true;
    return !this.#blocked;
  }

  /** The snapshot or catch-up is complete: live events follow. */
  release(): void {
    this.#held = false;
    this.#pump();
  }

  push(event: WatchEvent): void {
    if (this.#ended || !this.#wants(event)) return;
    const bytes = eventBytes(event);
    const full = this.#queueBytes + bytes > WATCHER_QUEUE_BYTES_MAX || this.#queue.length >= WATCHER_QUEUE_EVENTS_MAX;
    if (this.#missed.length > 0 || full) {
      this.#miss(event);
      return;
    }
    this.#queue.push(event);
    this.#queueBytes += bytes;
    this.#pump();
  }

  /** The session is not what it was: its numbers begin anew. */
  startOver(): void {
    this.#seen.clear();
  }

  writable(): void {
    this.#blocked = false;
    this.#pump();
  }

  end(): void {
    this.#ended = true;
    this.#queue.length = 0;
    this.#missed = [];
  }

  #wants(event: WatchEvent): boolean {
    if (event.kind !== "record") return true;
    if (!this.#tables.has(event.row.table.index)) return false;
    const seen = this.#seen.get(event.row.stream);
    if (seen === undefined) return true;
    return typeof seen === "number" ? event.row.seq > seen : !seen.has(event.row.seq);
  }

  #miss(event: WatchEvent): void {
    const range = rangeOf(event);
    // Neighbouring ranges become one; past the limit a stream has one range that says "somewhere in here".
    const full = this.#missed.length >= WATCHER_MISSED_RANGES_MAX;
    const last = full
      ? this.#missed.find((each) => each.stream === range.stream)
      : this.#missed.findLast((each) => each.stream === range.stream);
    if (last !== undefined && (full || last.lastSeq + 1 >= range.firstSeq)) {
      last.lastSeq = Math.max(last.lastSeq, range.lastSeq);
    } else this.#missed.push({ kind: "missed", ...range });
  }

  #pump(): void {
    while (!this.#held && !this.#blocked && !this.#ended) {
      const event = this.#queue.shift();
      if (event === undefined) break;
      this.#queueBytes -= eventBytes(event);
      // Looked at again: what waited during the snapshot may have been part of it.
      if (this.#wants(event) && !this.#sink.send(event)) this.#blocked = true;
    }
    while (!this.#held && !this.#blocked && !this.#ended) {
      const missed = this.#missed.shift();
      if (missed === undefined) return;
      const { kind, stream, streamId, firstSeq, lastSeq } = missed;
      if (!this.#sink.send({ kind, stream, streamId, firstSeq, lastSeq })) this.#blocked = true;
    }
  }
}

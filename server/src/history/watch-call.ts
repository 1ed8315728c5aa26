/**
 * One WatchRecords call: a snapshot or what a cursor had missed, then every commit.
 *
 * The watcher joins first and its live events wait, so nothing can fall between the snapshot and the first live event;
 * what both bring is told apart by sequence number.
 */
import type { WatchRecordsRequest, WatchRecordsResponse } from "@tailkeep/proto";
import type { Clock } from "../base/clock.js";
import type { SessionCaches } from "../cache/session-cache.js";
import { readEvents, type WatchHub } from "../cache/watch-hub.js";
import { type WatchEvent, Watcher } from "../cache/watcher.js";
import {
  CATCH_UP_RECORDS_MAX,
  CURSOR_STREAMS_MAX,
  OVERLOAD_RETRY_AFTER_MS,
  SAFE_INTEGER_MAX,
  SESSION_STREAMS_MAX,
  TAIL_LIMIT_MAX,
  WATCH_HEARTBEAT_MS,
  WATCHERS_MAX,
} from "../limits.js";
import { encodeRecords } from "../record/stored-row.js";
import { EncodedAnswer } from "../rpc/encoded-answer.js";
import { badField, RpcError } from "../rpc/errors.js";
import { requiredId } from "../rpc/fields.js";
import { gapMessage } from "../rpc/messages.js";
import type { StreamProgress } from "../store/reads/reads.js";
import type { Store } from "../store/store.js";
import { tablesOf } from "./filters.js";

/** How soon a watcher that is behind is looked at again. */
const WATCH_RETRY_MS = 100;

export interface WatchWire {
  /** False: the connection is full; `WatchCall.writable` must be called. */
  send(response: WatchRecordsResponse | EncodedAnswer): boolean;
}

export interface WatchContext {
  store: Store;
  caches: SessionCaches;
  hub: WatchHub;
  clock: Clock;
}

function eventMessage(event: WatchEvent): WatchRecordsResponse | EncodedAnswer {
  switch (event.kind) {
    case "record":
      // Encoded once, however many watch.
      return new EncodedAnswer(encodeRecords([event.row]));
    case "gap":
      return { event: { $case: "gap", value: gapMessage(event.gap) } };
    case "missed": {
      const { streamId, firstSeq, lastSeq } = event;
      return {
        event: { $case: "missed", value: { streamId, firstSeq: BigInt(firstSeq), lastSeq: BigInt(lastSeq) } },
      };
    }
  }
}

export class WatchCall {
  readonly #context: WatchContext;
  readonly #namespace: string;
  readonly #request: WatchRecordsRequest;
  readonly #wire: WatchWire;
  readonly #watcher: Watcher;
  readonly #sessionId: string;
  readonly #tables: readonly number[];
  #writable: (() => void) | undefined;

  /** @throws RpcError where the request cannot be served */
  constructor(context: WatchContext, namespace: string, request: WatchRecordsRequest, wire: WatchWire) {
    this.#context = context;
    this.#namespace = namespace;
    this.#request = request;
    this.#wire = wire;
    this.#sessionId = requiredId("session_id", request.sessionId);
    this.#tables = tablesOf(request.types);
    if (request.snapshotLimit < 0 || request.snapshotLimit > TAIL_LIMIT_MAX) {
      throw badField("snapshot_limit", `is ${request.snapshotLimit}; use 0 to ${TAIL_LIMIT_MAX}`);
    }
    if (Object.keys(request.cursor?.seqs ?? {}).length > CURSOR_STREAMS_MAX) {
      throw badField("cursor.seqs", `has more than ${CURSOR_STREAMS_MAX} streams; begin again with a snapshot`);
    }
    for (const [streamId, seq] of Object.entries(request.cursor?.seqs ?? {})) {
      if (seq < 0n || seq > SAFE_INTEGER_MAX) throw badField(`cursor.seqs[${streamId}]`, "is not a sequence number");
    }
    if (context.hub.watchers >= WATCHERS_MAX) {
      throw new RpcError("OVERLOADED", `${WATCHERS_MAX} watchers are connected; try again later, or list records`, {
        retryAfterMs: OVERLOAD_RETRY_AFTER_MS,
      });
    }
    this.#watcher = new Watcher({ send: (event) => this.#wire.send(eventMessage(event)) }, this.#tables);
  }

  /** Runs until aborted. @throws StoreError where the beginning cannot be read */
  async run(signal: AbortSignal): Promise<void> {
    const { hub, clock } = this.#context;
    const positions = await hub.join(this.#namespace, this.#sessionId, this.#watcher);
    try {
      if (this.#request.cursor === undefined) await this.#snapshot(positions);
      else await this.#catchUp(positions, this.#request.cursor.seqs);
      this.#watcher.release();
      while (!signal.aborted) {
        // A cursor names what was published, so it is said only when all of that has been sent.
        const upToDate = this.#watcher.upToDate;
        if (upToDate) this.#sayCaughtUp();
        await clock.sleep(upToDate ? WATCH_HEARTBEAT_MS : WATCH_RETRY_MS, signal);
      }
    } finally {
      hub.leave(this.#namespace, this.#sessionId, this.#watcher);
    }
  }

  /** Nobody reads any more. */
  stop(): void {
    this.#watcher.end();
    this.writable();
  }

  /** The connection takes more. */
  writable(): void {
    this.#watcher.writable();
    this.#writable?.();
    this.#writable = undefined;
  }

  async #snapshot(positions: ReadonlyMap<bigint, number>): Promise<void> {
    for (const [stream, seq] of positions) this.#watcher.seen(stream, seq);
    if (this.#request.snapshotLimit === 0) return;
    const { caches } = this.#context;
    const { snapshotLimit } = this.#request;
    const rows = await caches.tail(this.#namespace, this.#sessionId, this.#tables, snapshotLimit, (found) => found);
    const early = new Map<bigint, Set<number>>();
    for (const row of rows) {
      // Committed after the watcher joined: it comes again as a live event.
      if (row.seq > (positions.get(row.stream) ?? 0)) {
        const seqs = early.get(row.stream) ?? new Set<number>();
        early.set(row.stream, seqs.add(row.seq));
      }
      await this.#send({ kind: "record", row });
    }
    for (const [stream, seqs] of early) this.#watcher.seen(stream, seqs);
  }

  async #catchUp(positions: ReadonlyMap<bigint, number>, cursor: Record<string, bigint>): Promise<void> {
    const { store } = this.#context;
    const streams = await store.reads.streamsOf(this.#namespace, [this.#sessionId], SESSION_STREAMS_MAX);
    const wanted = new Set(this.#tables);
    let budget = CATCH_UP_RECORDS_MAX;
    for (const stream of streams) {
      const to = positions.get(stream.key) ?? 0;
      const from = Object.hasOwn(cursor, stream.streamId) ? Number(cursor[stream.streamId]) : 0;
      this.#watcher.seen(stream.key, Math.max(to, from));
      budget = await this.#catchUpStream(stream, from + 1, to, wanted, budget);
    }
  }

  async #catchUpStream(
    stream: StreamProgress,
    fromSeq: number,
    toSeq: number,
    wanted: ReadonlySet<number>,
    budget: number,
  ): Promise<number> {
    let next = fromSeq;
    let left = budget;
    while (next <= toSeq && !this.#watcher.ended) {
      if (left <= 0) {
        const range = { stream: stream.key, streamId: stream.streamId, firstSeq: next, lastSeq: toSeq };
        await this.#send({ kind: "missed", ...range });
        return 0;
      }
      const { events, upTo } = await readEvents(this.#context.store, stream.key, next, toSeq);
      for (const event of events) {
        if (event.kind !== "record" || wanted.has(event.row.table.index)) await this.#send(event);
      }
      left -= events.length;
      next = upTo + 1;
    }
    return left;
  }

  async #send(event: WatchEvent): Promise<void> {
    if (this.#watcher.sendNow(event) || this.#watcher.ended) return;
    await new Promise<void>((resolve) => {
      this.#writable = resolve;
    });
  }

  /** A cursor to resume from: all that was published, which an up-to-date watcher has been sent. */
  #sayCaughtUp(): void {
    const { hub } = this.#context;
    const names = hub.streamIds(this.#namespace, this.#sessionId);
    // A session with more streams than a cursor holds is told the newest; a resumption then repeats the others.
    const newest = [...hub.positions(this.#namespace, this.#sessionId)].slice(-CURSOR_STREAMS_MAX);
    const seqs = Object.fromEntries(newest.map(([stream, seq]) => [names.get(stream) ?? "", BigInt(seq)]));
    this.#wire.send({ event: { $case: "caughtUp", value: { seqs } } });
  }
}

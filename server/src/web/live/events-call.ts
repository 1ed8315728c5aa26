/**
 * One open page: what the server is doing, which sessions are active, and the records of one session that it watches, as
 * server-sent events.
 *
 * A page that cannot keep up costs a bounded number of bytes: lines about now are skipped for it and said to be, the
 * watched session's records wait in the watcher's own bounded queue, which tells what it had to drop, and one that takes
 * nothing at all is cut off. It comes back with the cursor of its last event and misses nothing that is still stored.
 */
import type { ServerResponse } from "node:http";
import { WatchRecordsRequest, WatchRecordsResponse } from "@tailkeep/proto";
import type { Clock } from "../../base/clock.js";
import { WatchCall, type WatchContext } from "../../history/watch-call.js";
import { ACTIVITY_SHOWN_MAX, EVENT_UNREAD_MS_MAX } from "../../limits.js";
import { EncodedAnswer } from "../../rpc/encoded-answer.js";
import { badField } from "../../rpc/errors.js";
import { jsonText, SECURITY_HEADERS } from "../answer.js";
import { type Look, type Monitor, SAMPLE_FIELDS } from "./monitor.js";

/** Newest records that a page begins with. */
const SNAPSHOT_RECORDS = 100;

export interface EventsContext {
  readonly monitor: Monitor;
  readonly watch: WatchContext;
  readonly clock: Clock;
  /** Of the caller. */
  readonly namespace: string;
}

/** @param cursor JSON of a cursor that an earlier stream said; empty: begin with the newest @throws RpcError */
export function watchRequest(sessionId: string, cursor: string): WatchRecordsRequest {
  if (cursor === "") return WatchRecordsRequest.fromPartial({ sessionId, snapshotLimit: SNAPSHOT_RECORDS });
  try {
    const seqs = Object.entries(JSON.parse(cursor) as Record<string, number>);
    return WatchRecordsRequest.fromPartial({
      sessionId,
      cursor: { seqs: Object.fromEntries(seqs.map(([stream, seq]) => [stream, BigInt(seq)])) },
    });
  } catch {
    throw badField("cursor", "is none that an event stream has said; leave it out");
  }
}

export class EventsCall {
  readonly #context: EventsContext;
  readonly #response: ServerResponse;
  readonly #watching: WatchCall | undefined;
  #seenActivity = 0;
  #seenSessions = -1;
  #skipped = 0;
  #unreadSinceMs: number | undefined;

  /** @throws RpcError where the session cannot be watched */
  constructor(context: EventsContext, response: ServerResponse, request: WatchRecordsRequest | undefined) {
    this.#context = context;
    this.#response = response;
    if (request === undefined) return;
    this.#watching = new WatchCall(context.watch, context.namespace, request, {
      send: (message) => this.#sendWatched(message),
    });
  }

  /** Runs until the page has gone, or aborted. @throws StoreError where the session's beginning cannot be read */
  async run(signal: AbortSignal): Promise<void> {
    const { monitor } = this.#context;
    const response = this.#response;
    response.writeHead(200, { ...SECURITY_HEADERS, "content-type": "text/event-stream", "x-accel-buffering": "no" });
    // Before the first look, which may be a second away.
    response.flushHeaders();
    response.on("drain", () => {
      this.#unreadSinceMs = undefined;
      this.#watching?.writable();
    });
    this.#write("past", { fields: SAMPLE_FIELDS, samples: monitor.samples });
    this.#tell(monitor.look);
    const forget = monitor.onLook((look) => this.#tell(look));
    const stopWatching = () => this.#watching?.stop();
    signal.addEventListener("abort", stopWatching);
    try {
      if (this.#watching !== undefined) await this.#watching.run(signal);
      else await aborted(signal);
    } finally {
      forget();
      signal.removeEventListener("abort", stopWatching);
    }
  }

  #tell(look: Look): void {
    if (this.#isFull()) {
      this.#skipped++;
      this.#cutOffIfUnread();
      return;
    }
    const { monitor, namespace } = this.#context;
    this.#write("now", { ...look, skipped: this.#skipped });
    if (monitor.traffic.activity.changes !== this.#seenActivity) {
      const active = monitor.traffic.activity.changedSince(namespace, this.#seenActivity, ACTIVITY_SHOWN_MAX);
      this.#seenActivity = monitor.traffic.activity.changes;
      if (active.length > 0) {
        this.#write(
          "activity",
          active.map(({ namespace: _, ...session }) => session),
        );
      }
    }
    if (monitor.traffic.sessionsVersion !== this.#seenSessions) {
      this.#seenSessions = monitor.traffic.sessionsVersion;
      this.#write("sessions", {});
    }
  }

  #sendWatched(message: WatchRecordsResponse | EncodedAnswer): boolean {
    const { event } = message instanceof EncodedAnswer ? WatchRecordsResponse.decode(message.bytes) : message;
    if (event?.$case === "caughtUp") this.#write("caught-up", event.value.seqs);
    else if (event !== undefined) this.#write(event.$case, event.value);
    return !this.#isFull();
  }

  #isFull(): boolean {
    return this.#response.writableNeedDrain;
  }

  #cutOffIfUnread(): void {
    const nowMs = this.#context.clock.monotonicMs();
    this.#unreadSinceMs ??= nowMs;
    if (nowMs - this.#unreadSinceMs > EVENT_UNREAD_MS_MAX) this.#response.destroy();
  }

  #write(event: string, data: unknown): void {
    if (!this.#response.destroyed) this.#response.write(`event: ${event}\ndata: ${jsonText(data)}\n\n`);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

/**
 * The open streams of this server. Opening asks the database, never memory; this register only makes sure that a stream
 * has one call here, and keeps sessions that are written from looking lost.
 */
import type { Clock } from "../base/clock.js";
import type { GroupCommit } from "../commit/group-commit.js";
import { LAST_SEEN_MS, OPEN_STREAMS_MAX } from "../limits.js";
import type { OpenOutcome, OpenRequest, Store } from "../store/store.js";
import { type Refusal, type SessionListener, StreamSession } from "./session.js";

export type { OpenRequest };
export type Opened = Extract<OpenOutcome, { kind: "opened" }>;

export interface SessionsEvents {
  opened(request: OpenRequest, outcome: Opened): void;
}

/** What the call of `loser` hears when a newer open of `winner` has its stream. */
function shutOutBy(winner: string, loser: string): Refusal {
  return winner === loser ? { kind: "superseded" } : { kind: "fenced", writerId: winner };
}

export class Sessions {
  readonly #store: Store;
  readonly #commit: GroupCommit;
  readonly #clock: Clock;
  readonly #events: SessionsEvents;
  readonly #open = new Map<bigint, StreamSession>();
  #opening = 0;

  constructor(store: Store, commit: GroupCommit, clock: Clock, events: SessionsEvents) {
    this.#store = store;
    this.#commit = commit;
    this.#clock = clock;
    this.#events = events;
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** Opens a stream for a call. @throws StoreError where the store cannot say */
  async open(
    request: OpenRequest,
    listener: SessionListener,
  ): Promise<{ session: StreamSession; opened: Opened } | { refusal: Refusal }> {
    if (this.#open.size + this.#opening >= OPEN_STREAMS_MAX) return { refusal: { kind: "tooManyOpen" } };
    this.#opening++;
    try {
      const outcome = await this.#store.openStream(request);
      if (outcome.kind !== "opened") return { refusal: outcome };
      this.#events.opened(request, outcome);
      const identity = {
        key: outcome.key,
        namespace: request.namespace,
        sessionId: request.sessionId,
        streamId: request.streamId,
        writerId: request.writerId,
        epoch: outcome.epoch,
      };
      const session = new StreamSession(identity, outcome, this.#commit, listener);
      if (request.mode === "open") {
        const before = this.#open.get(outcome.key);
        // Two opens of one stream may come back in either order; the database numbered them.
        if (before !== undefined && before.identity.epoch > outcome.epoch) {
          return { refusal: shutOutBy(before.identity.writerId, request.writerId) };
        }
        before?.refuse(shutOutBy(request.writerId, before.identity.writerId));
        this.#open.set(outcome.key, session);
      }
      return { session, opened: outcome };
    } finally {
      this.#opening--;
    }
  }

  /** The call of a session is over. */
  closed(session: StreamSession): void {
    if (this.#open.get(session.identity.key) === session) this.#open.delete(session.identity.key);
  }

  /** Whether a writer holds a stream of a session here. */
  isWritten(namespace: string, sessionId: string): boolean {
    for (const { identity } of this.#open.values()) {
      if (identity.namespace === namespace && identity.sessionId === sessionId) return true;
    }
    return false;
  }

  /** Until aborted: tells the store once a minute which sessions are being written. */
  async keepSeen(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#clock.sleep(LAST_SEEN_MS, signal);
      const seen = new Map<string, { namespace: string; sessionId: string }>();
      for (const { identity } of this.#open.values())
        seen.set(`${identity.namespace}\u0000${identity.sessionId}`, identity);
      const sessions = [...seen.values()].map(({ namespace, sessionId }) => ({ namespace, sessionId }));
      // Missing one minute does no harm, and a store that is away is reported by those who need it.
      if (sessions.length > 0) await this.#store.touchSessions(sessions).catch(() => undefined);
    }
  }
}

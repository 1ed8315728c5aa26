/**
 * What this server has seen of each session since it started: kept up by its commits, so that asking costs the store
 * nothing, and on a shared database by looks at what others commit.
 */
import { ACTIVITY_SESSIONS_MAX } from "../../limits.js";
import type { StreamCounts } from "../../store/model.js";

export interface SessionActivity {
  namespace: string;
  sessionId: string;
  /** When it was opened here or first seen running, and when something of it was committed last; 0: never. */
  openedAtUs: number;
  committedAtUs: number;
  /** Since this server started. */
  stored: number;
  rejected: number;
  gapped: number;
}

export class Activity {
  /** Changed last is last. */
  readonly #sessions = new Map<string, SessionActivity>();
  /** Set by every change, for listeners that look once in a while. */
  #changes = 0;
  readonly #changedAt = new Map<string, number>();

  get changes(): number {
    return this.#changes;
  }

  opened(namespace: string, sessionId: string, nowUs: number): void {
    this.#touch(namespace, sessionId).openedAtUs = nowUs;
  }

  /** Something of it may have been committed that nobody counted. */
  noticed(namespace: string, sessionId: string): void {
    this.#touch(namespace, sessionId);
  }

  committed(namespace: string, sessionId: string, nowUs: number, counts: StreamCounts): void {
    const session = this.#touch(namespace, sessionId);
    session.committedAtUs = nowUs;
    session.stored += counts.stored;
    session.rejected += counts.rejected;
    session.gapped += counts.gapped;
  }

  countsOf(namespace: string, sessionId: string): StreamCounts | undefined {
    const session = this.#sessions.get(`${namespace}\u0000${sessionId}`);
    return session && { stored: session.stored, rejected: session.rejected, gapped: session.gapped };
  }

  forget(namespace: string, sessionId: string): void {
    const key = `${namespace}\u0000${sessionId}`;
    this.#sessions.delete(key);
    this.#changedAt.delete(key);
  }

  /** Of a namespace, changed after `since`, newest first, at most `max`. */
  changedSince(namespace: string, since: number, max: number): SessionActivity[] {
    const found: SessionActivity[] = [];
    for (const [key, session] of [...this.#sessions].reverse()) {
      if (found.length >= max || (this.#changedAt.get(key) ?? 0) <= since) break;
      if (session.namespace === namespace) found.push(session);
    }
    return found;
  }

  #touch(namespace: string, sessionId: string): SessionActivity {
    const key = `${namespace}\u0000${sessionId}`;
    const known = this.#sessions.get(key);
    const session = known ?? {
      namespace,
      sessionId,
      openedAtUs: 0,
      committedAtUs: 0,
      stored: 0,
      rejected: 0,
      gapped: 0,
    };
    if (known !== undefined) this.#sessions.delete(key);
    this.#sessions.set(key, session);
    this.#changedAt.set(key, ++this.#changes);
    if (this.#sessions.size > ACTIVITY_SESSIONS_MAX) {
      const [oldest] = this.#sessions.keys();
      if (oldest !== undefined) {
        this.#sessions.delete(oldest);
        this.#changedAt.delete(oldest);
      }
    }
    return session;
  }
}

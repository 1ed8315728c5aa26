/** What has come in and was committed since the server started, in all and of each session. */
import type { Clock } from "../../base/clock.js";
import { Activity } from "./activity.js";

/** Since the server started. */
export interface Totals {
  /** Records, rejected ones too. */
  received: number;
  receivedBytes: number;
  committed: number;
  rejected: number;
  gapped: number;
}

interface Session {
  readonly namespace: string;
  readonly sessionId: string;
}

export class Traffic {
  readonly activity = new Activity();
  readonly #clock: Clock;
  readonly #totals: Totals = { received: 0, receivedBytes: 0, committed: 0, rejected: 0, gapped: 0 };
  #sessionsVersion = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get totals(): Totals {
    return { ...this.#totals };
  }

  /** Moves where the list of sessions, or what it shows of them, has changed. */
  get sessionsVersion(): number {
    return this.#sessionsVersion;
  }

  received(bytes: number, records: number): void {
    this.#totals.receivedBytes += bytes;
    this.#totals.received += records;
  }

  committed(session: Session, counts: { stored: number; rejected: number; gapped: number }): void {
    this.#totals.committed += counts.stored;
    this.#totals.rejected += counts.rejected;
    this.#totals.gapped += counts.gapped;
    this.activity.committed(session.namespace, session.sessionId, this.#clock.nowUs(), counts);
  }

  opened({ namespace, sessionId }: Session): void {
    this.activity.opened(namespace, sessionId, this.#clock.nowUs());
    this.#sessionsVersion++;
  }

  sessionsChanged(): void {
    this.#sessionsVersion++;
  }
}

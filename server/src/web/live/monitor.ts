/**
 * What the server is doing, second by second, and for the last hour in samples: so that a page that has just been opened
 * shows how it came to be.
 */
import type { Clock } from "../../base/clock.js";
import { LIVE_INTERVAL_MS, LIVE_SAMPLE_INTERVAL_MS, LIVE_SAMPLES_MAX } from "../../limits.js";
import { Activity } from "./activity.js";

/** What is read at every look. */
export interface Gauges {
  ingestBytes: number;
  ingestBytesMax: number;
  cacheBytes: number;
  cacheBytesMax: number;
  cacheSessions: number;
  residentBytes: number;
  residentBytesMax: number;
  waitingRecords: number;
  openStreams: number;
  watchers: number;
  storeUp: boolean;
  durable: boolean;
  /** Undefined: ready. */
  problem: string | undefined;
}

/** A look: gauges, and rates a second since the look before. */
export interface Look extends Gauges {
  atMs: number;
  receivedPerSecond: number;
  receivedBytesPerSecond: number;
  committedPerSecond: number;
  /** Since the server started. */
  rejected: number;
  gapped: number;
}

/** One of the past, by position: see SAMPLE_FIELDS. */
export type Sample = readonly number[];

export const SAMPLE_FIELDS = [
  "atMs",
  "receivedPerSecond",
  "receivedBytesPerSecond",
  "committedPerSecond",
  "ingestBytes",
  "cacheBytes",
  "residentBytes",
  "waitingRecords",
  "openStreams",
] as const;

interface Totals {
  received: number;
  receivedBytes: number;
  committed: number;
}

export class Monitor {
  readonly activity = new Activity();
  readonly #clock: Clock;
  readonly #read: () => Gauges;
  readonly #samples: Sample[] = [];
  readonly #listeners = new Set<(look: Look) => void>();
  readonly #totals: Totals = { received: 0, receivedBytes: 0, committed: 0 };
  #rejected = 0;
  #gapped = 0;
  #look: Look;
  #atLook: Totals & { ms: number };
  #atSample: Totals & { ms: number };
  #sessionsVersion = 0;

  constructor(clock: Clock, read: () => Gauges) {
    this.#clock = clock;
    this.#read = read;
    this.#atLook = { ...this.#totals, ms: clock.monotonicMs() };
    this.#atSample = this.#atLook;
    this.#look = this.#lookNow(this.#atLook);
  }

  get look(): Look {
    return this.#look;
  }

  /** Oldest first. */
  get samples(): readonly Sample[] {
    return this.#samples;
  }

  /** Moves where the list of sessions, or what it shows of them, has changed. */
  get sessionsVersion(): number {
    return this.#sessionsVersion;
  }

  received(bytes: number, records: number): void {
    this.#totals.receivedBytes += bytes;
    this.#totals.received += records;
  }

  committed(
    session: { namespace: string; sessionId: string },
    counts: { stored: number; rejected: number; gapped: number },
  ): void {
    this.#totals.committed += counts.stored;
    this.#rejected += counts.rejected;
    this.#gapped += counts.gapped;
    this.activity.committed(session.namespace, session.sessionId, this.#clock.nowUs(), counts);
  }

  opened({ namespace, sessionId }: { namespace: string; sessionId: string }): void {
    this.activity.opened(namespace, sessionId, this.#clock.nowUs());
    this.#sessionsVersion++;
  }

  sessionsChanged(): void {
    this.#sessionsVersion++;
  }

  /** Calls `listener` with every look. Returns what removes it. */
  onLook(listener: (look: Look) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Until aborted. */
  async keep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#clock.sleep(LIVE_INTERVAL_MS, signal);
      this.#look = this.#lookNow(this.#atLook);
      const ms = this.#clock.monotonicMs();
      this.#atLook = { ...this.#totals, ms };
      if (ms - this.#atSample.ms >= LIVE_SAMPLE_INTERVAL_MS - LIVE_INTERVAL_MS / 2) {
        const sample = this.#lookNow(this.#atSample);
        this.#samples.push(SAMPLE_FIELDS.map((field) => Math.round(sample[field] * 10) / 10));
        if (this.#samples.length > LIVE_SAMPLES_MAX) this.#samples.shift();
        this.#atSample = this.#atLook;
      }
      for (const listener of this.#listeners) listener(this.#look);
    }
  }

  #lookNow(before: Totals & { ms: number }): Look {
    const seconds = Math.max((this.#clock.monotonicMs() - before.ms) / 1_000, 0.001);
    const { received, receivedBytes, committed } = this.#totals;
    return {
      ...this.#read(),
      atMs: Math.round(this.#clock.nowUs() / 1_000),
      receivedPerSecond: (received - before.received) / seconds,
      receivedBytesPerSecond: (receivedBytes - before.receivedBytes) / seconds,
      committedPerSecond: (committed - before.committed) / seconds,
      rejected: this.#rejected,
      gapped: this.#gapped,
    };
  }
}

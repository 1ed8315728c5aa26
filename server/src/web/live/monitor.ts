/**
 * What the server is doing, second by second, and for the last hour in samples: so that a page that has just been opened
 * shows how it came to be.
 */
import type { Clock } from "../../base/clock.js";
import { LIVE_INTERVAL_MS, LIVE_SAMPLE_INTERVAL_MS, LIVE_SAMPLES_MAX } from "../../limits.js";
import type { Totals, Traffic } from "./traffic.js";

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

type TotalsAt = Totals & { readonly ms: number };

export class Monitor {
  readonly traffic: Traffic;
  readonly #clock: Clock;
  readonly #read: () => Gauges;
  readonly #samples: Sample[] = [];
  readonly #listeners = new Set<(look: Look) => void>();
  #look: Look;
  #atLook: TotalsAt;
  #atSample: TotalsAt;

  constructor(clock: Clock, traffic: Traffic, read: () => Gauges) {
    this.#clock = clock;
    this.traffic = traffic;
    this.#read = read;
    this.#atLook = { ...traffic.totals, ms: clock.monotonicMs() };
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
      this.#atLook = { ...this.traffic.totals, ms };
      if (ms - this.#atSample.ms >= LIVE_SAMPLE_INTERVAL_MS - LIVE_INTERVAL_MS / 2) {
        const sample = this.#lookNow(this.#atSample);
        this.#samples.push(SAMPLE_FIELDS.map((field) => Math.round(sample[field] * 10) / 10));
        if (this.#samples.length > LIVE_SAMPLES_MAX) this.#samples.shift();
        this.#atSample = this.#atLook;
      }
      for (const listener of this.#listeners) listener(this.#look);
    }
  }

  #lookNow(before: TotalsAt): Look {
    const seconds = Math.max((this.#clock.monotonicMs() - before.ms) / 1_000, 0.001);
    const { received, receivedBytes, committed, rejected, gapped } = this.traffic.totals;
    return {
      ...this.#read(),
      atMs: Math.round(this.#clock.nowUs() / 1_000),
      receivedPerSecond: (received - before.received) / seconds,
      receivedBytesPerSecond: (receivedBytes - before.receivedBytes) / seconds,
      committedPerSecond: (committed - before.committed) / seconds,
      rejected,
      gapped,
    };
  }
}

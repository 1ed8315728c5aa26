/**
 * What all users of a key may take together. Two buckets, of records and of bytes, that fill at their rate and hold one
 * second of it. A batch may overdraw them, so that one larger than a second's worth goes through too; then the next waits
 * until the debt is paid.
 */
import type { Clock } from "../base/clock.js";
import { KEY_BYTES_PER_SECOND_DEFAULT, KEY_RECORDS_PER_SECOND_DEFAULT, KEY_STREAMS_DEFAULT } from "../limits.js";
import type { Quota } from "../rpc/caller.js";
import type { KeyRow } from "../store/api-keys.js";

class Bucket {
  readonly #perSecond: number;
  #level: number;
  #atMs: number;

  constructor(perSecond: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#level = perSecond;
    this.#atMs = nowMs;
  }

  waitMs(nowMs: number): number {
    this.#fill(nowMs);
    return this.#level >= 0 ? 0 : Math.ceil((-this.#level / this.#perSecond) * 1_000);
  }

  take(amount: number, nowMs: number): void {
    this.#fill(nowMs);
    this.#level -= amount;
  }

  #fill(nowMs: number): void {
    const earned = ((nowMs - this.#atMs) / 1_000) * this.#perSecond;
    this.#level = Math.min(this.#perSecond, this.#level + earned);
    this.#atMs = nowMs;
  }
}

export interface KeyLimits {
  readonly streamsMax: number;
  readonly recordsPerSecondMax: number;
  readonly bytesPerSecondMax: number;
}

export function limitsOf(row: KeyRow): KeyLimits {
  return {
    streamsMax: row.streamsMax ?? KEY_STREAMS_DEFAULT,
    recordsPerSecondMax: row.recordsPerSecondMax ?? KEY_RECORDS_PER_SECOND_DEFAULT,
    bytesPerSecondMax: row.bytesPerSecondMax ?? KEY_BYTES_PER_SECOND_DEFAULT,
  };
}

export class KeyQuota implements Quota {
  readonly #clock: Clock;
  readonly #streamsMax: number;
  readonly #records: Bucket;
  readonly #bytes: Bucket;
  #streams = 0;

  constructor(clock: Clock, limits: KeyLimits) {
    this.#clock = clock;
    this.#streamsMax = limits.streamsMax;
    this.#records = new Bucket(limits.recordsPerSecondMax, clock.monotonicMs());
    this.#bytes = new Bucket(limits.bytesPerSecondMax, clock.monotonicMs());
  }

  openStream(): boolean {
    if (this.#streams >= this.#streamsMax) return false;
    this.#streams++;
    return true;
  }

  closeStream(): void {
    this.#streams--;
  }

  waitMs(): number {
    const nowMs = this.#clock.monotonicMs();
    return Math.max(this.#records.waitMs(nowMs), this.#bytes.waitMs(nowMs));
  }

  take(bytes: number, records: number): void {
    const nowMs = this.#clock.monotonicMs();
    this.#records.take(records, nowMs);
    this.#bytes.take(bytes, nowMs);
  }
}

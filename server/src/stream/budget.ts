/**
 * The memory for batches that are received and not yet committed. A batch is charged before it is decoded and given back
 * when it is committed or dropped; who finds no room waits in line, with its call's reading paused.
 */
import type { Clock } from "../base/clock.js";
import {
  BATCH_BYTES_MAX,
  BUDGET_WAITERS_MAX,
  DECODED_ENTRY_BYTES,
  DECODED_FACTOR,
  STREAM_WINDOW_BYTES_MAX,
} from "../limits.js";
import type { Batch } from "../record/batch.js";
import { Pace } from "./pace.js";

export class IngestBudget {
  readonly #bytesMax: number;
  /** What the store makes of it. */
  readonly pace: Pace;
  #used = 0;
  readonly #waiting: { cost: number; granted: () => void }[] = [];

  constructor(bytesMax: number, clock: Clock) {
    this.#bytesMax = bytesMax;
    this.pace = new Pace(clock);
  }

  get usedBytes(): number {
    return this.#used;
  }

  get bytesMax(): number {
    return this.#bytesMax;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** As many wait for room as may. */
  get crowded(): boolean {
    return this.#waiting.length >= BUDGET_WAITERS_MAX;
  }

  /** What a message of `bytes` costs in memory while it waits. */
  static cost(bytes: number): number {
    return bytes * DECODED_FACTOR;
  }

  /** What a decoded batch costs: its message, its values, and what holds them. */
  static decodedCost(batch: Batch): number {
    const entries = batch.rowCount + batch.gaps.length + batch.rejected.length;
    return batch.bytes.length * 2 + entries * DECODED_ENTRY_BYTES;
  }

  /** Charges more for what is there already, also beyond the limit; returns what was added. */
  extend(cost: number): number {
    const added = Math.max(0, cost);
    this.#used += added;
    return added;
  }

  /** Takes room at once, or returns false. Nobody overtakes those who wait. */
  tryCharge(cost: number): boolean {
    if (this.#waiting.length > 0 || !this.#fits(cost)) return false;
    this.#used += cost;
    return true;
  }

  /** Waits for room, unless it is `crowded`, which is asked before; returns how to stop waiting. */
  charge(cost: number, granted: () => void): () => void {
    const entry = { cost, granted };
    this.#waiting.push(entry);
    return () => {
      const at = this.#waiting.indexOf(entry);
      if (at < 0) return;
      this.#waiting.splice(at, 1);
      this.#grant();
    };
  }

  release(cost: number): void {
    this.#used -= cost;
    this.#grant();
  }

  #grant(): void {
    for (;;) {
      const [first] = this.#waiting;
      if (first === undefined || !this.#fits(first.cost)) return;
      this.#waiting.shift();
      this.#used += first.cost;
      first.granted();
    }
  }

  /**
   * Encoded bytes that each of `streams` streams may have unacked: a fair share of the memory, and of what may wait for the
   * store at its pace where `sharers` want it, but not less than `least`.
   */
  window(streams: number, sharers: number, least: number): number {
    const ofMemory = Math.max(BATCH_BYTES_MAX, Math.floor(this.#bytesMax / DECODED_FACTOR / Math.max(1, streams)));
    const ofQueue = Math.max(least, Math.floor(this.pace.queueBytes / Math.max(1, sharers)));
    return Math.min(STREAM_WINDOW_BYTES_MAX, ofMemory, ofQueue);
  }

  /** A cost above the whole budget is let in alone; limits.ts asserts that the largest batch is not one. */
  #fits(cost: number): boolean {
    return this.#used === 0 || this.#used + cost <= this.#bytesMax;
  }
}

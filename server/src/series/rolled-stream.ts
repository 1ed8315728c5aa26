/**
 * What the roller knows of a stream: behind -> live -> gone.
 *
 * Live, every commit is added as it is published. Behind, what is committed waits here while the store is read up to it;
 * where that is more than may wait it is forgotten, and read from the store too.
 */
import {
  ROLLUP_AGE_MS_MAX,
  ROLLUP_CHECKPOINT_RECORDS,
  ROLLUP_CHECKPOINT_RECORDS_PER_GROUP,
  ROLLUP_QUIET_MS,
} from "../limits.js";
import { type Batch, storedPart } from "../record/batch.js";
import type { RollupOwner, StreamRollup } from "./stream-rollup.js";

const NONE: ReadonlySet<number> = new Set();

/** What a batch takes in memory, in times of its message. */
const WAITING_FACTOR = 6;

export class RolledStream {
  readonly owner: RollupOwner;
  /** Undefined until it is loaded. */
  rollup: StreamRollup | undefined;
  isLive = false;
  committedSeq: number;
  bytes = 0;
  /** Until then it is left alone: the store refused something of it. */
  pausedUntilMs = Number.NEGATIVE_INFINITY;
  changedMs = 0;
  /** When the first record came that the store does not have summed up. */
  dirtySinceMs = Number.POSITIVE_INFINITY;
  #waiting: Batch[] = [];
  #waitingTo = 0;
  #waitingBytes = 0;

  constructor(owner: RollupOwner, committedSeq: number) {
    this.owner = owner;
    this.committedSeq = committedSeq;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Whether it has as many new records as are worth a checkpoint. */
  get isFull(): boolean {
    const { rollup } = this;
    if (rollup === undefined) return false;
    const worthwhile = ROLLUP_CHECKPOINT_RECORDS_PER_GROUP * rollup.changedGroups;
    return rollup.newRecords >= Math.max(ROLLUP_CHECKPOINT_RECORDS, worthwhile);
  }

  isDue(nowMs: number): boolean {
    if (this.rollup?.isDirty !== true || this.pausedUntilMs > nowMs) return false;
    const isOld = nowMs - this.dirtySinceMs >= ROLLUP_AGE_MS_MAX;
    return this.isFull || isOld || nowMs - this.changedMs >= ROLLUP_QUIET_MS;
  }

  /** First number that waits. */
  get waitsFrom(): number | undefined {
    return this.#waiting[0]?.firstSeq;
  }

  /** `mayWait`: bytes that may wait beside those that do. */
  committed(batches: readonly Batch[], committedSeq: number, mayWait: number, nowMs: number): void {
    const first = batches[0];
    if (committedSeq > this.committedSeq) this.committedSeq = committedSeq;
    if (first === undefined) return;
    if (this.isLive && this.rollup !== undefined) {
      if (first.firstSeq === this.rollup.seq + 1) {
        for (const batch of batches) this.rollup.addBatch(batch);
        this.#changed(nowMs);
        return;
      }
      this.isLive = false;
    }
    this.#wait(batches, mayWait);
  }

  #wait(batches: readonly Batch[], mayWait: number): void {
    const first = batches[0] as Batch;
    const bytes = batches.reduce((sum, batch) => sum + batch.bytes.length * WAITING_FACTOR, 0);
    if (bytes > mayWait || (this.#waiting.length > 0 && first.firstSeq !== this.#waitingTo + 1)) this.#forgetWaiting();
    if (bytes > mayWait) return;
    for (const batch of batches) this.#waiting.push(batch);
    this.#waitingTo = (batches.at(-1) as Batch).lastSeq;
    this.#waitingBytes += bytes;
  }

  #forgetWaiting(): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  /** Adds what waits, where it follows; true where that is all there is. */
  catchUp(nowMs: number): boolean {
    const { rollup, waitsFrom } = this;
    if (rollup === undefined) return false;
    if (waitsFrom !== undefined && waitsFrom <= rollup.seq + 1) {
      for (const batch of this.#waiting) {
        const part = storedPart(batch, rollup.seq, NONE);
        if (part !== undefined) rollup.addBatch(part);
      }
      this.#forgetWaiting();
      this.#changed(nowMs);
    }
    this.isLive = this.waitsFrom === undefined && rollup.seq >= this.committedSeq;
    return this.isLive;
  }

  #changed(nowMs: number): void {
    this.changedMs = nowMs;
    if (this.dirtySinceMs === Number.POSITIVE_INFINITY) this.dirtySinceMs = nowMs;
  }
}

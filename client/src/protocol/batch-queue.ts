/**
 * Batches in order of their numbers: first those sent in the current call and not yet acked, then those not yet sent.
 *
 *   head              unsent              tail
 *   | sent, unacked   | waiting           |
 */

import type { EncodedBatch } from "../encode/encoded-batch.js";
import { GAP_COUNT_MAX } from "../limits.js";

/** Dead slots at the front that are worth moving the rest down for. */
const COMPACT_SLOTS = 1024;

export class BatchQueue {
  #batches: EncodedBatch[] = [];
  #head = 0;
  #unsent = 0;
  #entries = 0;
  #bytes = 0;

  get length(): number {
    return this.#batches.length - this.#head;
  }
  get sentCount(): number {
    return this.#unsent - this.#head;
  }
  /** Entries in all batches. */
  get entries(): number {
    return this.#entries;
  }
  /** Bytes of all batches. */
  get bytes(): number {
    return this.#bytes;
  }

  first(): EncodedBatch | undefined {
    return this.#batches[this.#head];
  }
  last(): EncodedBatch | undefined {
    return this.#batches[this.#batches.length - 1];
  }
  nextUnsent(): EncodedBatch | undefined {
    return this.#batches[this.#unsent];
  }

  push(batch: EncodedBatch): void {
    this.#batches.push(batch);
    this.#count(batch);
  }

  markSent(): void {
    this.#unsent++;
  }

  /** Everything must be sent again. */
  rewind(): void {
    this.#unsent = this.#head;
  }

  /** Removes and returns the oldest. */
  shift(): EncodedBatch | undefined {
    const batch = this.#batches[this.#head];
    if (batch === undefined) return undefined;
    this.#head++;
    if (this.#unsent < this.#head) this.#unsent = this.#head;
    this.#forget(batch);
    if (this.#head === this.#batches.length) {
      this.#batches = [];
      this.#head = 0;
      this.#unsent = 0;
    } else if (this.#head >= COMPACT_SLOTS && this.#head * 2 >= this.#batches.length) {
      this.#batches = this.#batches.slice(this.#head);
      this.#unsent -= this.#head;
      this.#head = 0;
    }
    return batch;
  }

  /** Puts other batches with the same numbers in place of the oldest. Nothing may be marked as sent. */
  replaceFirst(others: readonly EncodedBatch[]): void {
    this.shift();
    this.#batches = [...others, ...this.#batches.slice(this.#head)];
    this.#head = 0;
    this.#unsent = 0;
    for (const batch of others) this.#count(batch);
  }

  /**
   * Puts a gap in place of the oldest batch of records above `sentSeq`, that is, of one that no call has carried; joins it
   * to a gap just before it. Returns what is lost by that, undefined if there is no such batch.
   */
  dropOldestAbove(sentSeq: number, gapOf: (firstSeq: number, count: number) => EncodedBatch): EncodedBatch | undefined {
    let at = this.#firstAbove(sentSeq);
    const before = this.#batches[at];
    if (before?.isGap) at++;
    const dropped = this.#batches[at];
    if (dropped === undefined) return undefined;
    // A second gap in a row can only be one that grew to the most a gap may stand for.
    if (dropped.isGap) return undefined;
    const joins = before?.isGap === true && before.count + dropped.count <= GAP_COUNT_MAX;
    const gap = joins ? gapOf(before.firstSeq, before.count + dropped.count) : gapOf(dropped.firstSeq, dropped.count);
    this.#forget(dropped);
    if (joins) this.#forget(before);
    this.#count(gap);
    this.#batches.splice(joins ? at - 1 : at, joins ? 2 : 1, gap);
    return dropped;
  }

  /** Moves all numbers up. */
  renumber(shift: number): void {
    for (let i = this.#head; i < this.#batches.length; i++) {
      const batch = this.#batches[i];
      batch?.renumber(batch.firstSeq + shift);
    }
  }

  toArray(): EncodedBatch[] {
    return this.#batches.slice(this.#head);
  }

  clear(): void {
    this.#batches = [];
    this.#head = 0;
    this.#unsent = 0;
    this.#entries = 0;
    this.#bytes = 0;
  }

  #count(batch: EncodedBatch): void {
    this.#entries += batch.entryCount;
    this.#bytes += batch.byteLength;
  }

  #forget(batch: EncodedBatch): void {
    this.#entries -= batch.entryCount;
    this.#bytes -= batch.byteLength;
  }

  /** Where the first unsent batch is whose numbers are all above `seq`: they ascend, so by halving. */
  #firstAbove(seq: number): number {
    let low = this.#unsent;
    let high = this.#batches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#batches[middle]?.firstSeq ?? 0) > seq) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

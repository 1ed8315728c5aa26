/**
 * Batches of a log that are not known to be durable, in order of their numbers:
 *
 *   first                next                last
 *   | given to a file    | waiting           |
 */

import type { EncodedBatch } from "../encode/encoded-batch.js";
import { ENVELOPE_BYTES_MAX } from "../limits.js";
import { FRAME_HEADER_BYTES } from "./segment-format.js";

/** Dead slots at the front that are worth moving the rest down for. */
const COMPACT_SLOTS = 1024;

/** What a batch takes in a segment. */
export function frameBytes(batch: EncodedBatch): number {
  return FRAME_HEADER_BYTES + batch.byteLength - ENVELOPE_BYTES_MAX;
}

export class HeldBatches {
  #batches: (EncodedBatch | undefined)[] = [];
  #first = 0;
  #next = 0;
  #bytes = 0;
  #waitingFileBytes = 0;

  /** Memory of all of them. */
  get bytes(): number {
    return this.#bytes;
  }
  /** What the waiting ones will take on disk. */
  get waitingFileBytes(): number {
    return this.#waitingFileBytes;
  }
  get firstSeq(): number | undefined {
    return this.#batches[this.#first]?.firstSeq;
  }
  get next(): EncodedBatch | undefined {
    return this.#batches[this.#next];
  }

  push(batch: EncodedBatch): void {
    this.#batches.push(batch);
    this.#bytes += batch.byteLength;
    this.#waitingFileBytes += frameBytes(batch);
  }

  /** The batch that has the number `seq`. */
  at(seq: number): EncodedBatch | undefined {
    let low = this.#first;
    let high = this.#batches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#batches[middle] as EncodedBatch).lastSeq >= seq) high = middle;
      else low = middle + 1;
    }
    const found = this.#batches[low];
    return found !== undefined && found.firstSeq <= seq ? found : undefined;
  }

  /** Gives the next ones to a file: one at least, and no more than `fileBytesMax` beyond it. */
  take(fileBytesMax: number, batchesMax: number): EncodedBatch[] {
    const from = this.#next;
    let fileBytes = 0;
    for (let batch = this.next; batch !== undefined && this.#next - from < batchesMax; batch = this.next) {
      const size = frameBytes(batch);
      if (fileBytes > 0 && fileBytes + size > fileBytesMax) break;
      fileBytes += size;
      this.#next++;
    }
    this.#waitingFileBytes -= fileBytes;
    return this.#batches.slice(from, this.#next) as EncodedBatch[];
  }

  /** All of them wait again. */
  rewind(): void {
    for (let index = this.#first; index < this.#next; index++) {
      this.#waitingFileBytes += frameBytes(this.#batches[index] as EncodedBatch);
    }
    this.#next = this.#first;
  }

  /** Forgets those that end at or before `seq` and were given to a file; oldest first, until `enough`. */
  release(seq: number, enough: () => boolean = () => false): void {
    while (this.#first < this.#next) {
      const batch = this.#batches[this.#first] as EncodedBatch;
      if (batch.lastSeq > seq || enough()) break;
      this.#batches[this.#first++] = undefined;
      this.#bytes -= batch.byteLength;
    }
    if (this.#first === this.#batches.length) {
      this.clear();
    } else if (this.#first >= COMPACT_SLOTS && this.#first * 2 >= this.#batches.length) {
      this.#batches = this.#batches.slice(this.#first);
      this.#next -= this.#first;
      this.#first = 0;
    }
  }

  clear(): void {
    this.#batches = [];
    this.#first = 0;
    this.#next = 0;
    this.#bytes = 0;
    this.#waitingFileBytes = 0;
  }
}

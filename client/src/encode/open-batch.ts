/** The batch that records are being appended to. Its buffer is reused: sealing copies the entries out, once. */

import { BATCH_ENTRIES_MAX, ENTRY_BYTES_MAX } from "../limits.js";
import type { TrainingRecord } from "../records/training-record.js";
import { EncodedBatch } from "./encoded-batch.js";
import { RecordEncoder } from "./record-encoder.js";
import { WireBuffer } from "./wire-buffer.js";

export class OpenBatch {
  readonly #out = new WireBuffer();
  readonly #encoder = new RecordEncoder(this.#out);
  #count = 0;

  /** Records in it. */
  get count(): number {
    return this.#count;
  }

  /** Their bytes. */
  get byteLength(): number {
    return this.#out.position;
  }

  /**
   * Appends. Returns where the entry began if the batch has thereby outgrown the hard limit, so that the entries before it
   * must be sealed first (`sealBefore`), else -1. Throws UnencodableError; the batch is then as before.
   */
  append(record: TrainingRecord): number {
    const start = this.#out.position;
    this.#encoder.encode(record);
    this.#count++;
    return this.#count > 1 && (this.#out.position > ENTRY_BYTES_MAX || this.#count > BATCH_ENTRIES_MAX) ? start : -1;
  }

  /** Takes everything. The batch must not be empty. */
  seal(firstSeq: number): EncodedBatch {
    const out = this.#out;
    const batch = EncodedBatch.ofRecords(firstSeq, this.#count, out.bytes.subarray(0, out.position));
    out.reset();
    this.#count = 0;
    return batch;
  }

  /** Takes all but the last entry, which begins at `start` and becomes the first of what remains. */
  sealBefore(start: number, firstSeq: number): EncodedBatch {
    const out = this.#out;
    const batch = EncodedBatch.ofRecords(firstSeq, this.#count - 1, out.bytes.subarray(0, start));
    out.bytes.copyWithin(0, start, out.position);
    out.position -= start;
    this.#count = 1;
    return batch;
  }

  /** Discards everything. */
  clear(): void {
    this.#out.reset();
    this.#count = 0;
  }
}

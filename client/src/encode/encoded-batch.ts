/**
 * A batch as it is sent, kept, resent and spilled: the bytes of its `entries` fields never change. Room in front
 * of them takes the envelope (IngestRequest.batch, RecordBatch.first_seq), so that sending copies and encodes nothing:
 *
 *   [ .. 12 length 08 first_seq | entries ]
 */

import { GapCause } from "@tailkeep/proto";
import { ProtocolError } from "../errors/errors.js";
import { ENVELOPE_BYTES_MAX } from "../limits.js";
import { int64Width, lengthWidth, writeInt64, writeLength } from "./wire-buffer.js";

const TAG_REQUEST_BATCH = 0x12;
const TAG_FIRST_SEQ = 0x08;
const TAG_ENTRIES = 0x12;
const TAG_ENTRY_GAP = 0x12;

/** Consecutive entries with their numbers. */
export class EncodedBatch {
  #firstSeq: number;
  /** Sequence numbers it takes: one a record, `count` a gap. */
  readonly count: number;
  readonly entryCount: number;
  /** Whether it is one gap; gaps travel in batches of their own, so that a ledger needs no decoding. */
  readonly isGap: boolean;
  /** Room for the envelope, then the entries. */
  readonly #frame: Buffer;

  private constructor(firstSeq: number, count: number, entryCount: number, isGap: boolean, frame: Buffer) {
    this.#firstSeq = firstSeq;
    this.count = count;
    this.entryCount = entryCount;
    this.isGap = isGap;
    this.#frame = frame;
  }

  /** Copies `entries`, the fields of `recordCount` records. */
  static ofRecords(firstSeq: number, recordCount: number, entries: Uint8Array): EncodedBatch {
    return new EncodedBatch(firstSeq, recordCount, recordCount, false, frameOf(entries));
  }

  /** A gap of `count` numbers; `type` and `cause` as in records.proto. */
  static ofGap(firstSeq: number, count: number, type: number, cause: number): EncodedBatch {
    const gapLength = 1 + int64Width(count) + (type === 0 ? 0 : 2) + (cause === 0 ? 0 : 2);
    const entry = new Uint8Array(4 + gapLength);
    entry[0] = TAG_ENTRIES;
    entry[1] = gapLength + 2;
    entry[2] = TAG_ENTRY_GAP;
    entry[3] = gapLength;
    entry[4] = 0x08;
    let at = writeInt64(entry, 5, count);
    if (type !== 0) {
      entry[at++] = 0x10;
      entry[at++] = type;
    }
    if (cause !== 0) {
      entry[at++] = 0x18;
      entry[at++] = cause;
    }
    return new EncodedBatch(firstSeq, count, 1, true, frameOf(entry));
  }

  /** A batch as it was: `entries` (copied) are its `bytes`, `of` says the rest. */
  static restore(
    of: Pick<EncodedBatch, "firstSeq" | "count" | "entryCount" | "isGap">,
    entries: Uint8Array,
  ): EncodedBatch {
    return new EncodedBatch(of.firstSeq, of.count, of.entryCount, of.isGap, frameOf(entries));
  }

  get firstSeq(): number {
    return this.#firstSeq;
  }

  get lastSeq(): number {
    return this.#firstSeq + this.count - 1;
  }

  /** The `entries` fields of RecordBatch. */
  get bytes(): Buffer {
    return this.#frame.subarray(ENVELOPE_BYTES_MAX);
  }

  /** Bytes it holds, for bounds of memory. */
  get byteLength(): number {
    return this.#frame.length;
  }

  /** Encoded size of its RecordBatch, which is what credit counts. */
  get creditBytes(): number {
    return 1 + int64Width(this.#firstSeq) + this.#frame.length - ENVELOPE_BYTES_MAX;
  }

  /** Moves its numbers up; only before it was ever sent. */
  renumber(firstSeq: number): void {
    this.#firstSeq = firstSeq;
  }

  /** The whole IngestRequest. A view: valid until the batch is renumbered. */
  message(): Buffer {
    const frame = this.#frame;
    const batchLength = this.creditBytes;
    const start = ENVELOPE_BYTES_MAX - (1 + lengthWidth(batchLength) + 1 + int64Width(this.#firstSeq));
    frame[start] = TAG_REQUEST_BATCH;
    const at = writeLength(frame, start + 1, batchLength);
    frame[at] = TAG_FIRST_SEQ;
    writeInt64(frame, at + 1, this.#firstSeq);
    return frame.subarray(start);
  }

  /** The RecordBatch alone, for WriteRecords. A view, as above. */
  recordBatch(): Buffer {
    const start = ENVELOPE_BYTES_MAX - (1 + int64Width(this.#firstSeq));
    this.#frame[start] = TAG_FIRST_SEQ;
    writeInt64(this.#frame, start + 1, this.#firstSeq);
    return this.#frame.subarray(start);
  }

  /** One batch an entry, in order. Only for batches of records. */
  split(): EncodedBatch[] {
    const { bytes } = this;
    const singles: EncodedBatch[] = [];
    let at = 0;
    while (at < bytes.length) {
      if (bytes[at] !== TAG_ENTRIES) throw new ProtocolError("an encoded batch is damaged", DAMAGED);
      let length = 0;
      let cursor = at + 1;
      for (let shift = 0; ; shift += 7) {
        const byte = bytes[cursor++];
        if (byte === undefined) throw new ProtocolError("an encoded batch is damaged", DAMAGED);
        length |= (byte & 0x7f) << shift;
        if (byte < 0x80) break;
      }
      singles.push(EncodedBatch.ofRecords(this.#firstSeq + singles.length, 1, bytes.subarray(at, cursor + length)));
      at = cursor + length;
    }
    if (singles.length !== this.entryCount) throw new ProtocolError("an encoded batch is damaged", DAMAGED);
    return singles;
  }

  /** What takes its place when the server cannot decode it: the same numbers, lost as invalid. */
  asInvalidGap(): EncodedBatch {
    return EncodedBatch.ofGap(this.#firstSeq, this.count, 0, GapCause.INVALID);
  }
}

const DAMAGED = { code: "BATCH_DAMAGED", retryable: false } as const;

function frameOf(entries: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(ENVELOPE_BYTES_MAX + entries.length);
  frame.set(entries, ENVELOPE_BYTES_MAX);
  return frame;
}

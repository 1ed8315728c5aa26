/**
 * A segment that this process writes.
 *
 *   writing --full--> retired --synced--> closed
 *   writing, retired --write or sync failed--> sealed (never written or synced again)
 *
 * Positions are given out before anything is written, so that the same bytes may be written twice to the same place: a
 * caller that cannot wait for a write in flight repeats it.
 */

import type { EncodedBatch } from "../encode/encoded-batch.js";
import { SPILL_SEGMENT_BYTES_MAX } from "../limits.js";
import { type Disk, writeAll, writeAllNow } from "./disk.js";
import { frameBytes } from "./held-batches.js";
import type { Lane } from "./lane.js";
import { Segment } from "./segment.js";
import {
  encodeFrameHeader,
  encodeSegmentHeader,
  FRAME_HEADER_BYTES,
  HEADER_BYTES,
  makeSalt,
  type StreamIdentity,
} from "./segment-format.js";

/** Batches on their way into a segment. */
export interface SegmentWrite {
  readonly segment: OpenSegment;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Where its first frame begins, and its last one ends. */
  readonly start: number;
  readonly end: number;
  /** Memory of its batches. */
  readonly memoryBytes: number;
  /** Everything to be written, which for the first write of a segment includes the header. */
  readonly buffers: readonly Buffer[];
  readonly position: number;
}

export class OpenSegment extends Segment {
  readonly #fd: number;
  readonly #identity: StreamIdentity;
  readonly #doneSeq: number;
  #syncedEnd = 0;
  #writtenEnd = 0;
  /** Operations under way: a file is closed after the last. */
  #operations = 0;
  #isRetired = false;
  #isSealed = false;
  #isClosing = false;
  readonly #closed: Promise<void>;
  #markClosed: () => void = () => undefined;
  /** Of a sealed one: highest number in it that was synced before. */
  #durableSeq = 0;
  /** The name of the file is durable. */
  isNamed = false;

  constructor(disk: Disk, path: string, fd: number, identity: StreamIdentity, doneSeq: number) {
    super(disk, path, makeSalt(), 0);
    this.#fd = fd;
    this.#identity = identity;
    this.#doneSeq = doneSeq;
    this.#closed = new Promise((resolve) => {
      this.#markClosed = resolve;
    });
  }

  /** Bytes that still fit. */
  get room(): number {
    return SPILL_SEGMENT_BYTES_MAX - Math.max(HEADER_BYTES, this.bytes);
  }
  get isUnsynced(): boolean {
    if (this.#isSealed || this.isRemoved || this.#writtenEnd === 0) return false;
    return this.#syncedEnd < this.#writtenEnd || !this.isNamed;
  }

  /** Gives `batches` their place. They must fit. */
  place(batches: readonly EncodedBatch[]): SegmentWrite {
    const buffers: Buffer[] = [];
    const [first, last] = [batches[0], batches.at(-1)];
    if (first === undefined || last === undefined) throw new RangeError("a write needs a batch");
    const position = this.bytes;
    if (position === 0) {
      const [identity, doneSeq, { firstSeq }, { salt }] = [this.#identity, this.#doneSeq, first, this];
      buffers.push(encodeSegmentHeader({ identity, firstSeq, doneSeq, salt, madeAtMs: Date.now() }));
      this.bytes = HEADER_BYTES;
    }
    const start = this.bytes;
    const headers = Buffer.allocUnsafe(batches.length * FRAME_HEADER_BYTES);
    let memoryBytes = 0;
    batches.forEach((batch, index) => {
      const at = index * FRAME_HEADER_BYTES;
      const payload = batch.bytes;
      encodeFrameHeader(headers, at, batch, payload, this.salt);
      buffers.push(headers.subarray(at, at + FRAME_HEADER_BYTES), payload);
      memoryBytes += batch.byteLength;
      this.bytes += frameBytes(batch);
    });
    const { firstSeq } = first;
    return { segment: this, firstSeq, lastSeq: last.lastSeq, start, end: this.bytes, memoryBytes, buffers, position };
  }

  /** Writes in its turn, if it is still wanted then. */
  write({ buffers, position }: SegmentWrite, turns: Lane): Promise<void> {
    return this.#operate(() =>
      turns.run(() => writeAll(this.disk, this.#fd, buffers, position, () => !this.#isSealed && !this.isRemoved)),
    );
  }

  writeNow({ buffers, position }: SegmentWrite): void {
    writeAllNow(this.disk, this.#fd, buffers, position);
  }

  /** It was written: readers may read it. Writes are confirmed in the order of their places. */
  confirm({ firstSeq, lastSeq, start, end }: SegmentWrite): void {
    this.#writtenEnd = end;
    const last = this.extents.at(-1);
    if (last !== undefined && last.lastSeq + 1 === firstSeq && last.end === start) {
      last.lastSeq = lastSeq;
      last.end = end;
    } else {
      this.extents.push({ segment: this, firstSeq, lastSeq, start, end });
    }
  }

  async sync(): Promise<void> {
    const end = this.#writtenEnd;
    if (this.#syncedEnd < end) await this.#operate(() => this.disk.syncFile(this.#fd));
    this.#syncedEnd = Math.max(this.#syncedEnd, end);
  }

  syncNow(): void {
    const end = this.#writtenEnd;
    if (this.#syncedEnd < end) this.disk.syncFileSync(this.#fd);
    this.#syncedEnd = Math.max(this.#syncedEnd, end);
  }

  /** Takes nothing more. */
  retire(): void {
    this.#isRetired = true;
    this.closeIfDone();
  }

  /** Takes nothing more and is never synced again; of its numbers, those up to `syncedSeq` are durable in it. */
  seal(syncedSeq: number): void {
    if (this.#isSealed) return;
    this.#isSealed = true;
    for (const { firstSeq, lastSeq } of this.extents) {
      if (firstSeq <= syncedSeq) this.#durableSeq = Math.max(this.#durableSeq, Math.min(lastSeq, syncedSeq));
    }
    this.closeIfDone();
  }

  override isSpent(doneSeq: number, safeSeq: number): boolean {
    if (this.#isSealed) return this.#durableSeq <= doneSeq && this.lastSeq <= safeSeq;
    return this.#isRetired && super.isSpent(doneSeq, safeSeq);
  }

  override async remove(): Promise<void> {
    this.closeIfDone();
    await this.#closed;
    await super.remove();
  }

  override async keep(path: string): Promise<void> {
    this.isRemoved = true;
    this.closeIfDone();
    await this.#closed;
    await super.keep(path);
  }

  /** Closes the file if nobody needs it any more. Its log calls this after a sync. */
  closeIfDone(): void {
    const isDone = this.isRemoved || this.#isSealed || (this.#isRetired && !this.isUnsynced);
    if (!isDone || this.#isClosing || this.#operations > 0) return;
    this.#isClosing = true;
    // What close says is about data that was synced, or is given up anyway.
    void this.disk.close(this.#fd).then(this.#markClosed, this.#markClosed);
  }

  /** The file stays open meanwhile: a descriptor that is closed may be the trainer's next file. */
  async #operate(work: () => Promise<void>): Promise<void> {
    if (this.#isClosing) return;
    this.#operations++;
    try {
      await work();
    } finally {
      this.#operations--;
      this.closeIfDone();
    }
  }
}

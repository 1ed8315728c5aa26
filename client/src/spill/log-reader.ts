/**
 * Reads a log in order of its numbers, from memory where they are still there and from its files otherwise. Numbers that
 * turn out to be in neither are given as gaps, so that those that follow keep their places.
 */

import { GapCause } from "@tailkeep/proto";
import type { Clock } from "../clock.js";
import { EncodedBatch } from "../encode/encoded-batch.js";
import { GAP_COUNT_MAX, SPILL_RETRY_MS_FIRST } from "../limits.js";
import { type Disk, errorCode, isOutOfResources } from "./disk.js";
import { FrameReader } from "./frame-reader.js";
import type { Extent, Segment } from "./segment.js";
import type { SegmentList } from "./segment-list.js";
import { Slicer } from "./slicer.js";

/** What a reader needs to know of its log. */
export interface ReadableLog {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly segments: SegmentList;
  /** Last number to be read at present. */
  lastSeq(): number;
  /** The batch with this number, if it is in memory. */
  heldAt(seq: number): EncodedBatch | undefined;
  /** Lowest number in memory, Infinity if there is none; all from there on are. */
  heldFirstSeq(): number;
  /** These numbers cannot be read. */
  lost(firstSeq: number, lastSeq: number): void;
}

interface OpenFile {
  readonly segment: Segment;
  readonly fd: number;
  readonly frames: FrameReader;
  /** Highest number before the position of `frames`, 0 if that is not known. */
  passedSeq: number;
}

/** Attempts to open a file, a second apart, before what is in it counts as lost. */
const OPEN_ATTEMPTS_MAX = 3;

export class LogReader {
  readonly #log: ReadableLog;
  readonly #slicer: Slicer;
  #cursor: number;
  #file: OpenFile | undefined;
  #openAttempts = 0;
  #isReading = false;
  #isStopped = false;

  constructor(log: ReadableLog, cursor: number) {
    this.#log = log;
    this.#slicer = new Slicer(log.clock, "awaited");
    this.#cursor = cursor;
  }

  /** The number that is read next. */
  get cursor(): number {
    return this.#cursor;
  }

  skipTo(seq: number): void {
    this.#cursor = Math.max(this.#cursor, seq + 1);
  }

  /** The batch that has the cursor's number; undefined at the end. One call at a time. */
  async next(): Promise<EncodedBatch | undefined> {
    this.#isReading = true;
    try {
      return await this.#find();
    } finally {
      this.#isReading = false;
      if (this.#isStopped || this.#cursor > this.#log.lastSeq()) await this.#close();
    }
  }

  /** Ends reading. A call under way closes the file itself: a descriptor that is closed while it is read may be another's. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    if (!this.#isReading) await this.#close();
  }

  async #find(): Promise<EncodedBatch | undefined> {
    const log = this.#log;
    while (!this.#isStopped && this.#cursor <= log.lastSeq()) {
      const extent = log.heldFirstSeq() <= this.#cursor ? undefined : log.segments.covering(this.#cursor);
      const batch =
        extent === undefined ? (log.heldAt(this.#cursor) ?? this.#gap()) : await this.#read(extent, this.#cursor);
      await this.#slicer.step();
      // It may have been skipped while it was read.
      if (batch !== undefined && batch.lastSeq >= this.#cursor) {
        this.#cursor = batch.lastSeq + 1;
        return batch;
      }
    }
    return undefined;
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    if (file !== undefined) await this.#log.disk.close(file.fd).catch(() => undefined);
  }

  /** The cursor's number is nowhere. */
  #gap(): EncodedBatch {
    const firstSeq = this.#cursor;
    const foundAt = Math.min(this.#log.segments.nextAbove(firstSeq), this.#log.heldFirstSeq());
    const lastSeq = Math.min(foundAt - 1, this.#log.lastSeq(), firstSeq + GAP_COUNT_MAX - 1);
    this.#log.lost(firstSeq, lastSeq);
    return EncodedBatch.ofGap(firstSeq, lastSeq - firstSeq + 1, 0, GapCause.SPILL_CORRUPT);
  }

  /** Undefined: look again, the log has changed. */
  async #read(extent: Extent, seq: number): Promise<EncodedBatch | undefined> {
    const { segments } = this.#log;
    const file = await this.#open(extent.segment);
    if (file === undefined) {
      if (!extent.segment.isRemoved && this.#openAttempts >= OPEN_ATTEMPTS_MAX) {
        segments.lose(extent, extent.firstSeq, extent.lastSeq, extent.end);
        this.#openAttempts = 0;
      }
      return undefined;
    }
    const { frames } = file;
    if (frames.position < extent.start || frames.position >= extent.end || file.passedSeq >= seq) {
      frames.seek(extent.start);
      file.passedSeq = 0;
    }
    const frame = await frames.next(extent.end, seq);
    if (this.#isStopped) return undefined;
    if (frame !== undefined) {
      file.passedSeq = frame.lastSeq;
      if (frame.firstSeq <= seq) return EncodedBatch.restore(frame, frame.payload);
    }
    // It was valid when it was written or found, and is not any more.
    const through = Math.min((frame?.firstSeq ?? Number.POSITIVE_INFINITY) - 1, extent.lastSeq);
    if (!extent.segment.isRemoved) segments.lose(extent, seq, through, frame?.start ?? extent.end);
    return undefined;
  }

  /** The open file of `segment`; undefined if it cannot be had now. */
  async #open(segment: Segment): Promise<OpenFile | undefined> {
    if (this.#file?.segment === segment) return this.#file;
    await this.#close();
    const { disk } = this.#log;
    try {
      const fd = await disk.open(segment.path, "r");
      this.#openAttempts = 0;
      this.#file = { segment, fd, frames: new FrameReader(disk, fd, segment.salt, 0, segment.bytes), passedSeq: 0 };
      return this.#file;
    } catch (error) {
      if (segment.isRemoved) return undefined;
      // A process that has used up its descriptors gets some back; a file that is gone does not come back.
      if (errorCode(error) === "ENOENT") this.#openAttempts = OPEN_ATTEMPTS_MAX;
      else if (!isOutOfResources(error)) this.#openAttempts++;
      if (this.#openAttempts < OPEN_ATTEMPTS_MAX) await this.#pause();
      return undefined;
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => void this.#log.clock.after(SPILL_RETRY_MS_FIRST, resolve));
  }
}

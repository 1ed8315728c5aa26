/**
 * Writes the batches of one log: queued on append, written in the background one write at a time, synced by policy.
 *
 * A file that failed once is never written or synced again: what a later sync would say about it is not true. Whatever is
 * not durable is written to a new one. So batches stay in memory until they are synced. Where that is too much memory (a
 * trainer that never yields to the event loop hears of no sync), the oldest are only in files; should those fail, they are
 * copied from there.
 */

import type { EncodedBatch } from "../encode/encoded-batch.js";
import { SPILL_HELD_BYTES_MAX, SPILL_WRITE_BATCHES_MAX, SPILL_WRITE_BYTES_MAX } from "../limits.js";
import { DiskOutage } from "./disk-outage.js";
import { frameBytes, HeldBatches } from "./held-batches.js";
import { LogReader } from "./log-reader.js";
import type { OpenSegment, SegmentWrite } from "./open-segment.js";
import { SegmentFiles } from "./segment-files.js";
import type { StreamIdentity } from "./segment-format.js";
import type { SegmentList } from "./segment-list.js";
import type { SegmentPlace, SpillShared } from "./shared.js";

export interface LogWriterEvents {
  /** syncedSeq grew. */
  synced(seq: number): void;
  /** These numbers were in failed files only, and cannot be read there. */
  lost(firstSeq: number, lastSeq: number): void;
}

/** Batches that are in failed files only, and are being copied to a good one. */
interface Copying {
  readonly reader: LogReader;
  nextSeq: number;
  readonly lastSeq: number;
}

/** Batches that have their place in a file. */
interface Placed {
  readonly write: SegmentWrite;
  readonly isCopy: boolean;
}

export class LogWriter {
  readonly #shared: SpillShared;
  readonly #segments: SegmentList;
  readonly #files: SegmentFiles;
  readonly #events: LogWriterEvents;
  readonly #held = new HeldBatches();
  readonly #outage: DiskOutage;
  #inFlight: Placed | undefined;
  #copying: Copying | undefined;
  /** Counts failures of files: what was begun before one has no say after it. */
  #generation = 0;
  #lastSeq = 0;
  #writtenSeq = 0;
  #syncedSeq = 0;
  #doneSeq = 0;
  #unwrittenBytes = 0;
  #pumping: Promise<void> | undefined;
  #isWakeSet = false;
  #isClosed = false;

  constructor(
    shared: SpillShared,
    identity: StreamIdentity,
    segments: SegmentList,
    place: SegmentPlace,
    events: LogWriterEvents,
  ) {
    this.#shared = shared;
    this.#segments = segments;
    this.#files = new SegmentFiles(shared, identity, segments, place, () => this.#doneSeq);
    this.#events = events;
    this.#outage = new DiskOutage(shared, () => this.#probe());
  }

  get syncedSeq(): number {
    return this.#syncedSeq;
  }
  get unwrittenBytes(): number {
    return this.#unwrittenBytes;
  }
  get heldBytes(): number {
    return this.#held.bytes;
  }
  /** What waits for a place in a file will take there, with the header of a file that it is the first of. */
  get waitingFileBytes(): number {
    return this.#files.bytesOf(this.#held.waitingFileBytes);
  }
  get heldFirstSeq(): number {
    return this.#held.firstSeq ?? Number.POSITIVE_INFINITY;
  }
  heldAt(seq: number): EncodedBatch | undefined {
    return this.#held.at(seq);
  }

  append(batch: EncodedBatch): "taken" | "full" | "failed" {
    if (this.#isClosed) return "failed";
    const { because } = this.#outage;
    if (because !== undefined) return because;
    const bytesAfter = this.#files.bytesOf(this.#held.waitingFileBytes + frameBytes(batch));
    if (!this.#shared.budget.take(bytesAfter - this.waitingFileBytes)) return "full";
    this.#held.push(batch);
    this.#unwrittenBytes += batch.byteLength;
    this.#lastSeq = batch.lastSeq;
    this.#wake();
    return "taken";
  }

  /** Writes everything queued on the caller's thread, without a sync. */
  writeNow(): void {
    // The second round is for a new file after the first failure of one.
    for (let isDone = false; !isDone && !this.#isClosed && !this.#outage.isWaiting; ) {
      try {
        this.#writeAllNow();
        isDone = true;
      } catch (error) {
        this.#fail(error);
      }
    }
  }

  /** The same, and syncs: for the end of the process. */
  syncNow(): void {
    this.writeNow();
    const throughSeq = this.#durableNext();
    try {
      this.#files.syncNow();
      this.#synced(throughSeq);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Syncs what is written by now. Called by the schedule; never rejects. */
  async sync(): Promise<void> {
    const generation = this.#generation;
    const throughSeq = this.#durableNext();
    try {
      const wasUnsynced = await this.#files.sync();
      if (generation !== this.#generation) return;
      if (wasUnsynced) this.#outage.over();
      this.#synced(throughSeq);
    } catch (error) {
      if (generation === this.#generation) this.#fail(error);
    }
  }

  /** Everything up to `seq` is of no more use. */
  done(seq: number): void {
    if (seq <= this.#doneSeq) return;
    this.#doneSeq = seq;
    this.#copying?.reader.skipTo(seq);
    this.#copied(seq);
    if (seq >= this.#lastSeq) this.#forgetAll();
    this.#synced(Math.min(seq, this.#lastSeq));
    this.#collect();
  }

  /** Writes and syncs what can be, and closes the files. Nothing is appended any more. */
  async close(): Promise<void> {
    while (!this.#isClosed) {
      const generation = this.#generation;
      await (this.#mayWrite() ? this.#startPump() : this.#pumping);
      await this.#shared.syncs.now(this);
      if (generation !== this.#generation || this.#mayWrite()) continue;
      this.#isClosed = true;
      this.#files.sealAll(this.#syncedSeq, true);
      this.#collect();
      await this.#copying?.reader.stop();
    }
  }

  // -- The pump -------------------------------------------------------------------------------------------------------

  #mayWrite(): boolean {
    if (this.#isClosed || this.#outage.isWaiting) return false;
    return this.#copying !== undefined || this.#held.next !== undefined;
  }

  /** Pumps when the present turn of the event loop is over, so that its appends become one write. */
  #wake(): void {
    if (this.#isWakeSet || this.#pumping !== undefined) return;
    this.#isWakeSet = true;
    this.#shared.clock.soon(() => {
      this.#isWakeSet = false;
      void this.#startPump();
    });
  }

  #startPump(): Promise<void> {
    this.#pumping ??= this.#pump().finally(() => {
      this.#pumping = undefined;
      if (this.#mayWrite()) this.#wake();
    });
    return this.#pumping;
  }

  async #pump(): Promise<void> {
    while (this.#mayWrite()) {
      const generation = this.#generation;
      try {
        await this.#writeSome();
        if (this.#outage.isProbing || this.#shared.syncPolicy === "always") await this.#shared.syncs.now(this);
      } catch (error) {
        if (generation === this.#generation) this.#fail(error);
      }
    }
  }

  async #writeSome(): Promise<void> {
    const generation = this.#generation;
    const copies = this.#copying === undefined ? undefined : await this.#readCopies(this.#copying);
    const bytes = copies?.reduce((sum, batch) => sum + frameBytes(batch), 0);
    // Whoever writes on its own thread may overtake at every `await`.
    for (;;) {
      const first = copies === undefined ? this.#held.next : copies[0];
      if (first === undefined || generation !== this.#generation) return;
      const bytesNeeded = bytes ?? frameBytes(first);
      const segment = this.#files.withRoom(bytesNeeded);
      if (segment !== undefined) {
        const isCopy = copies !== undefined;
        return await this.#write({ write: segment.place(copies ?? this.#takeFor(segment)), isCopy });
      }
      await this.#files.open(
        first.firstSeq,
        () => generation === this.#generation && this.#files.withRoom(bytesNeeded) === undefined,
      );
    }
  }

  async #write(placed: Placed): Promise<void> {
    const generation = this.#generation;
    const { write } = placed;
    this.#inFlight = placed;
    try {
      await write.segment.write(write, this.#shared.writes);
      // Else somebody wrote and confirmed it on its own thread, or a failure had all of it queued again.
      if (this.#inFlight === placed && generation === this.#generation) this.#confirm(placed);
    } finally {
      if (this.#inFlight === placed) this.#inFlight = undefined;
    }
  }

  #takeFor(segment: OpenSegment): EncodedBatch[] {
    return this.#held.take(Math.min(SPILL_WRITE_BYTES_MAX, segment.room), SPILL_WRITE_BATCHES_MAX);
  }

  #writeAllNow(): void {
    const inFlight = this.#inFlight;
    if (inFlight !== undefined) {
      // Its outcome is not known before the event loop turns. Written twice, the same bytes are at the same place.
      inFlight.write.segment.writeNow(inFlight.write);
      this.#inFlight = undefined;
      this.#confirm(inFlight);
    }
    for (let next = this.#held.next; next !== undefined; next = this.#held.next) {
      const segment = this.#files.withRoom(frameBytes(next)) ?? this.#files.openNow(next.firstSeq);
      const write = segment.place(this.#takeFor(segment));
      segment.writeNow(write);
      this.#confirm({ write, isCopy: false });
    }
  }

  #confirm({ write, isCopy }: Placed): void {
    write.segment.confirm(write);
    this.#shared.syncs.wrote(this);
    if (isCopy) {
      this.#copied(write.lastSeq);
      return;
    }
    this.#writtenSeq = write.lastSeq;
    this.#unwrittenBytes -= write.memoryBytes;
    // While the disk is on probation, memory is the only copy that counts.
    if (this.#outage.because !== undefined) return;
    this.#held.release(this.#writtenSeq, () => this.#held.bytes - this.#unwrittenBytes <= SPILL_HELD_BYTES_MAX);
  }

  /** Everything up to here becomes durable by a sync. */
  #durableNext(): number {
    return this.#copying === undefined ? this.#writtenSeq : this.#copying.nextSeq - 1;
  }

  #synced(seq: number): void {
    if (seq <= this.#syncedSeq) return;
    this.#syncedSeq = seq;
    this.#held.release(seq);
    this.#collect();
    this.#events.synced(seq);
  }

  #collect(): void {
    this.#segments.collect(this.#doneSeq, Math.max(this.#doneSeq, this.#syncedSeq));
  }

  // -- Failures -------------------------------------------------------------------------------------------------------

  #fail(error: unknown): void {
    this.#generation++;
    const safeSeq = Math.max(this.#syncedSeq, this.#doneSeq);
    // The files of a probe hold nothing that is not in memory.
    this.#files.sealAll(safeSeq, this.#outage.because === undefined);
    this.#inFlight = undefined;
    this.#held.rewind();
    this.#unwrittenBytes = this.#held.bytes;
    this.#writtenSeq = safeSeq;
    this.#copy(safeSeq + 1, (this.#held.firstSeq ?? this.#lastSeq + 1) - 1);
    this.#outage.failed(error);
    this.#collect();
    if (this.#mayWrite()) this.#wake();
  }

  #probe(): void {
    if (this.#mayWrite()) this.#wake();
    else this.#outage.over();
  }

  #forgetAll(): void {
    this.#generation++;
    this.#inFlight = undefined;
    this.#held.clear();
    this.#unwrittenBytes = 0;
    this.#writtenSeq = this.#lastSeq;
    this.#files.retire();
    this.#outage.over();
  }

  #copy(firstSeq: number, lastSeq: number): void {
    void this.#copying?.reader.stop();
    this.#copying = undefined;
    if (firstSeq > lastSeq) return;
    const log = {
      ...this.#shared,
      segments: this.#segments,
      lastSeq: () => lastSeq,
      heldAt: () => undefined,
      heldFirstSeq: () => Number.POSITIVE_INFINITY,
      lost: (first: number, last: number) => this.#events.lost(first, last),
    };
    this.#copying = { reader: new LogReader(log, firstSeq), nextSeq: firstSeq, lastSeq };
  }

  async #readCopies(copying: Copying): Promise<EncodedBatch[]> {
    const batches: EncodedBatch[] = [];
    let bytes = 0;
    // Half of a write at most, so that the last batch, whatever its size, fits beside them in a new file.
    while (bytes < SPILL_WRITE_BYTES_MAX / 2 && batches.length < SPILL_WRITE_BATCHES_MAX) {
      const batch = await copying.reader.next();
      if (batch === undefined) break;
      batches.push(batch);
      bytes += batch.byteLength;
    }
    // Whatever is unreadable comes as a gap, so this is a bug; going round and round would make it a trainer's trouble.
    if (batches.length === 0 && this.#copying === copying)
      throw new Error("nothing is left to be copied from a failed spill file");
    return batches;
  }

  /** Numbers up to `seq` need not be copied any more. */
  #copied(seq: number): void {
    const copying = this.#copying;
    if (copying === undefined) return;
    copying.nextSeq = Math.max(copying.nextSeq, seq + 1);
    if (copying.nextSeq <= copying.lastSeq) return;
    this.#copying = undefined;
    void copying.reader.stop();
  }
}

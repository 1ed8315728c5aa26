/** The append log of one stream: what it spilled, in order, until the server has it. */

import { basename, join } from "node:path";
import type { Clock } from "../clock.js";
import type { EncodedBatch } from "../encode/encoded-batch.js";
import { Listeners } from "../ingest/listeners.js";
import type { Disk } from "./disk.js";
import { Lane } from "./lane.js";
import { LogReader } from "./log-reader.js";
import { LogWriter } from "./log-writer.js";
import { type NumberRange, NumberRanges } from "./number-ranges.js";
import type { SpillProblems } from "./problems.js";
import { canBeFramed, type StreamIdentity } from "./segment-format.js";
import { SegmentList } from "./segment-list.js";
import type { SegmentPlace, SpillShared } from "./shared.js";

/** What a dead process left of one stream. */
export interface FoundLog {
  readonly segments: SegmentList;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Numbers that are gaps in it. */
  readonly gaps: readonly NumberRange[];
  /** Numbers that cannot be read. */
  readonly missing: readonly NumberRange[];
}

export interface SpillLogSettings {
  readonly identity: StreamIdentity;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly problems: SpillProblems;
  /** Makes the folder for the files of sealed logs, and returns its path. */
  readonly keepingFolder: () => Promise<string>;
  /** The log has ended: its files are deleted, moved away, or closed. */
  readonly onEnded: (log: SpillLog) => void;
}

export class SpillLog {
  /** Which stream, and whose. */
  readonly identity: StreamIdentity;
  readonly #settings: SpillLogSettings;
  readonly #segments: SegmentList;
  readonly #writer: LogWriter | undefined;
  readonly #reader: LogReader;
  readonly #reads = new Lane();
  readonly #gaps = new NumberRanges();
  readonly #missing = new NumberRanges();
  readonly #synced = new Listeners<number>();
  #firstSeq: number;
  #lastSeq: number;
  #ackedSeq: number;
  #isEnded = false;
  #ending: Promise<void> | undefined;

  private constructor(
    settings: SpillLogSettings,
    found: FoundLog,
    write: (SpillShared & { place: SegmentPlace }) | undefined,
  ) {
    this.identity = settings.identity;
    this.#settings = settings;
    this.#segments = found.segments;
    this.#firstSeq = found.firstSeq;
    this.#lastSeq = found.lastSeq;
    this.#ackedSeq = found.firstSeq - 1;
    for (const { firstSeq, lastSeq } of found.gaps) this.#gaps.add(firstSeq, lastSeq);
    for (const { firstSeq, lastSeq } of found.missing) this.#lost(firstSeq, lastSeq);
    const writer =
      write === undefined
        ? undefined
        : new LogWriter(write, settings.identity, found.segments, write.place, {
            synced: (seq) => this.#synced.emit(seq),
            lost: (firstSeq, lastSeq) => this.#lost(firstSeq, lastSeq),
          });
    this.#writer = writer;
    this.#reader = new LogReader(
      {
        disk: settings.disk,
        clock: settings.clock,
        segments: found.segments,
        lastSeq: () => this.#lastSeq,
        heldAt: (seq) => writer?.heldAt(seq),
        heldFirstSeq: () => writer?.heldFirstSeq ?? Number.POSITIVE_INFINITY,
        lost: (firstSeq, lastSeq) => this.#lost(firstSeq, lastSeq),
      },
      found.firstSeq,
    );
  }

  /** An empty log of this process. */
  static make(settings: SpillLogSettings, shared: SpillShared, place: SegmentPlace): SpillLog {
    const nothing = { segments: new SegmentList(), firstSeq: 1, lastSeq: 0, gaps: [], missing: [] };
    return new SpillLog(settings, nothing, { ...shared, place });
  }

  /** A log to be read only. */
  static found(settings: SpillLogSettings, found: FoundLog): SpillLog {
    return new SpillLog(settings, found, undefined);
  }

  /** First number that it had, since it was last empty. */
  get firstSeq(): number {
    return this.#firstSeq;
  }
  /** Last number appended; 0 before the first. */
  get lastSeq(): number {
    return this.#lastSeq;
  }
  /** Everything up to here is durable: synced to disk, or acked and read past. Never goes back. */
  get syncedSeq(): number {
    return this.#writer?.syncedSeq ?? this.#lastSeq;
  }
  /** Bytes on disk, or on their way. */
  get bytes(): number {
    return this.#segments.bytes + (this.#writer?.waitingFileBytes ?? 0);
  }
  /** Memory of batches that are not yet written. */
  get unwrittenBytes(): number {
    return this.#writer?.unwrittenBytes ?? 0;
  }
  /** The same, and of those that are written but not yet synced, at most SPILL_HELD_BYTES_MAX. */
  get heldBytes(): number {
    return this.#writer?.heldBytes ?? 0;
  }
  /** Records, not numbers of gaps, in it that are not acked. */
  get records(): number {
    return this.#recordsFrom(this.#ackedSeq + 1);
  }
  /** Records, not numbers of gaps, that were neither read nor skipped. */
  get unreadRecords(): number {
    return this.#recordsFrom(this.unreadSeq);
  }
  /** The number that `next` reads next. */
  get unreadSeq(): number {
    return Math.min(this.#reader.cursor, this.#lastSeq + 1);
  }
  /** Whether everything was read or skipped. */
  get atEnd(): boolean {
    return this.#reader.cursor > this.#lastSeq;
  }
  /** Numbers that cannot be read; `next` gives gaps for them. Grows when more damage shows while reading. */
  get missing(): readonly NumberRange[] {
    return this.#missing.all;
  }

  /**
   * Takes a batch, which must follow `lastSeq`, or be above it if nothing is left in the log. Synchronous, a microsecond.
   * "full": not taken, the quota or the disk is full. "failed": not taken, the log has ended or no file can be had.
   */
  append(batch: EncodedBatch): "taken" | "full" | "failed" {
    const writer = this.#writer;
    if (writer === undefined || this.#isEnded) return "failed";
    const isEmpty = this.atEnd && this.#ackedSeq >= this.#lastSeq;
    const follows = batch.firstSeq === this.#lastSeq + 1 || (isEmpty && batch.firstSeq > this.#lastSeq);
    if (!follows || !canBeFramed(batch)) {
      this.#settings.problems.say(
        "SPILL_BAD_BATCH",
        `batch ${batch.firstSeq} is larger than any may be, or does not follow ${this.#lastSeq}, and is not spilled: please ` +
          "report this",
      );
      return "failed";
    }
    if (isEmpty) writer.done(batch.firstSeq - 1);
    const outcome = writer.append(batch);
    if (outcome !== "taken") return outcome;
    if (isEmpty) this.#restartAt(batch.firstSeq);
    this.#lastSeq = batch.lastSeq;
    if (batch.isGap) this.#gaps.add(batch.firstSeq, batch.lastSeq);
    return outcome;
  }

  /** Writes all that is queued on this thread (no sync): for a trainer that never yields to the event loop. */
  writeSync(): void {
    this.#writer?.writeNow();
  }

  /** The same, and syncs: for the end of the process. */
  syncSync(): void {
    this.#writer?.syncNow();
  }

  /**
   * Reads the batch that follows, equal to the one that was appended; undefined at the end, which an append moves. Damage
   * is given as gaps (cause spill_corrupt). After `skipTo` into the middle of a batch, that whole batch. Never rejects.
   */
  next(): Promise<EncodedBatch | undefined> {
    return this.#reads.run(async () => {
      const batch = this.#isEnded ? undefined : await this.#reader.next();
      this.#done();
      return batch;
    });
  }

  /** Goes on reading after `seq`. */
  skipTo(seq: number): void {
    this.#reader.skipTo(Math.min(seq, this.#lastSeq));
    this.#done();
  }

  /** Everything up to `seq` is durable on the server. Files whose numbers all are, and were read or skipped, are deleted. */
  acked(seq: number): void {
    const ackedSeq = Math.min(seq, this.#lastSeq);
    if (ackedSeq <= this.#ackedSeq) return;
    this.#ackedSeq = ackedSeq;
    this.#done();
  }

  /** Calls `listener` whenever `syncedSeq` has grown; returns what stops that. */
  onSynced(listener: (seq: number) => void): () => void {
    return this.#synced.add(listener);
  }

  /** Ends the log and deletes its files, whatever is in them. */
  async remove(): Promise<void> {
    // First, so that nothing is written that nobody wants.
    this.#writer?.done(this.#lastSeq);
    await this.#end(() => this.#segments.discardAll());
  }

  /** Ends the log, and moves its files to where no process replays them: another writer has the stream. */
  async seal(): Promise<void> {
    await this.#end(async () => {
      if (this.#segments.all.length === 0) return;
      const folder = await this.#settings.keepingFolder();
      await this.#segments.keepAll(({ path }) => join(folder, basename(path)));
    });
  }

  /** Ends the log and leaves its files to a successor. */
  async close(): Promise<void> {
    await this.#end(() => undefined);
  }

  /** Only the first way to end it counts. */
  #end(finish: () => Promise<void> | void): Promise<void> {
    this.#isEnded = true;
    this.#ending ??= (async () => {
      await this.#writer?.close();
      await this.#reader.stop();
      await this.#reads.run(() => Promise.resolve());
      await finish();
      await this.#segments.settled();
      this.#settings.onEnded(this);
    })();
    return this.#ending;
  }

  /** What was read or skipped, and is acked, is of no more use. */
  #done(): void {
    const doneSeq = Math.min(this.#ackedSeq, this.#reader.cursor - 1);
    this.#gaps.forgetThrough(doneSeq);
    if (this.#writer !== undefined) this.#writer.done(doneSeq);
    else this.#segments.collect(doneSeq, doneSeq);
  }

  #restartAt(firstSeq: number): void {
    this.#firstSeq = firstSeq;
    this.#ackedSeq = firstSeq - 1;
    this.#reader.skipTo(firstSeq - 1);
  }

  #recordsFrom(seq: number): number {
    const firstSeq = Math.max(seq, this.#firstSeq);
    if (firstSeq > this.#lastSeq) return 0;
    return this.#lastSeq - firstSeq + 1 - this.#gaps.countIn(firstSeq, this.#lastSeq);
  }

  #lost(firstSeq: number, lastSeq: number): void {
    this.#missing.add(firstSeq, lastSeq);
    this.#gaps.add(firstSeq, lastSeq);
  }
}

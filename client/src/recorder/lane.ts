/**
 * One stream of one session and overflow class, as its recorder sees it. Every record handed over takes the next number,
 * whatever becomes of it; numbers that are given up become declared gaps.
 *
 *   append -> open batch --full--> line to the server                            direct
 *                          '-----> spill log --read ahead of acks--> line        spilling
 *                          '-----> nowhere: withheld, a gap in its place         no room
 *
 * Spilling begins when the oldest unacked record has waited too long or memory is short: what is on the line is copied to
 * the log first, so that the log alone has everything a successor needs. It ends when the server has taken up again and
 * all of the log was read. Memory and log never change places.
 */

import { EncodedBatch } from "../encode/encoded-batch.js";
import type { TailkeepError } from "../errors/errors.js";
import { asUnencodable, Batcher } from "../ingest/batcher.js";
import { ACK_SILENCE_MS_MAX, SPILL_FULL_RETRY_MS } from "../limits.js";
import type { StreamRejection } from "../protocol/stream-driver.js";
import { gapCauseNumber, recordTypeNumber } from "../records/names.js";
import type { StreamTotals } from "../records/totals.js";
import type { RecordTypeName, TrainingRecord } from "../records/training-record.js";
import type { StreamInfo } from "../transport/ingest-transport.js";
import { type DropCause, droppedTotal, emptyDrops, type Ledger } from "./ledger.js";
import { LogFeeder } from "./log-feeder.js";
import type { BudgetHolder, MemoryBudget } from "./memory-budget.js";
import type { OverflowPolicy } from "./options.js";
import type { Problems } from "./problems.js";
import { missingCount, type RecorderSpill } from "./spill-port.js";
import { type LinkSettings, type StreamIdentity, StreamLink } from "./stream-link.js";

/** What the lanes of a recorder share. */
export interface LaneSettings extends LinkSettings {
  readonly budget: MemoryBudget;
  readonly spill: RecorderSpill | undefined;
  readonly spillAfterMs: number;
  /** What of a log may be on the line at a time. */
  readonly readAheadBytes: number;
  readonly flushRecords: number;
  readonly flushBytes: number;
  readonly flushDelayMs: number;
  readonly problems: Problems;
  /** Something progressed that somebody may wait for. */
  readonly onProgress: () => void;
}

/** Which records a lane takes, and what it does when there is no room. */
export interface LaneClass {
  readonly policy: OverflowPolicy;
  /** The one type of a class that drops; undefined for the class that spills, which all such types share. */
  readonly type: RecordTypeName | undefined;
}

/** What `append` returns for a record that has no number, or whose number became a gap. */
export const GIVEN_UP = 0;
/** What `append` returns for a record that cannot be encoded. */
export const REFUSED = -1;

export class Lane implements BudgetHolder {
  readonly identity: StreamIdentity;
  readonly class: LaneClass;
  readonly #settings: LaneSettings;
  readonly #link: StreamLink;
  readonly #batcher: Batcher;
  readonly #gapOf: (firstSeq: number, count: number) => EncodedBatch;
  #feeder: LogFeeder | undefined;
  #isSpilling = false;
  /** Last number that is on the line or in the log. */
  #placedSeq = 0;
  /** Numbers after it that were given up and whose gap has no place yet. */
  #withheld = 0;
  #refused = 0;
  readonly #dropped = emptyDrops();
  /** Records handed over after the stream was lost; they have no number. */
  #afterStop = 0;
  #stopped: DropCause | undefined;
  #lastTakenMs = 0;
  /** Since when the oldest unacked batch has waited; undefined while nothing waits. */
  #waitingSinceMs: number | undefined;
  #lastAckedSeq = 0;
  #isWatchSet = false;
  #isResumeSet = false;
  #isRetired = false;
  #fullUntilMs = 0;

  constructor(identity: StreamIdentity, laneClass: LaneClass, settings: LaneSettings) {
    this.identity = identity;
    this.class = laneClass;
    this.#settings = settings;
    const type = laneClass.type === undefined ? 0 : recordTypeNumber(laneClass.type);
    this.#gapOf = (firstSeq, count) => EncodedBatch.ofGap(firstSeq, count, type, gapCauseNumber("overflow"));
    this.#link = new StreamLink(identity, settings, {
      progressed: () => this.#progressed(),
      opened: (info, before, ownGaps) => this.#opened(info, before, ownGaps),
      rejected: (rejections) => this.#rejected(rejections),
      failed: (error, isFenced) => this.#failed(error, isFenced),
    });
    this.#batcher = new Batcher(settings, settings.clock, {
      nextSeq: () => this.#placedSeq + this.#withheld + 1,
      take: (batch) => this.#take(batch),
      isIdle: () => this.#link.isIdle && !this.#isSpilling,
      wantsAfterDelay: () => this.#isSpilling || this.#link.state === "open" || this.#link.isIdle,
    });
  }

  // --- readings ---

  /** Number of the last record handed over. */
  get lastSeq(): number {
    return this.#placedSeq + this.#withheld + this.#batcher.count;
  }
  /** Everything up to here is durable, or declared lost. */
  get ackedSeq(): number {
    return this.#link.ackedSeq;
  }
  /** Everything up to here is durable, or synced to disk. */
  get safeSeq(): number {
    return Math.max(this.#link.ackedSeq, this.#feeder?.log.syncedSeq ?? 0);
  }
  get ledger(): Ledger {
    const { stored, rejected } = this.#link.totals;
    const dropped = { ...this.#dropped };
    if (this.#feeder !== undefined) dropped.spill_corrupt += missingCount(this.#feeder.log);
    const appended = this.lastSeq + this.#refused + this.#afterStop;
    const settled = stored + rejected + this.#refused + droppedTotal(dropped);
    return {
      appended,
      durable: stored,
      pending: appended - settled,
      rejected: rejected + this.#refused,
      dropped,
    };
  }
  /** Nothing is open, on the line, in the log, or without its gap. */
  get isSettled(): boolean {
    return this.#stopped !== undefined || this.#link.ackedSeq >= this.lastSeq;
  }
  /** Why it takes nothing more. */
  get stopCause(): DropCause | undefined {
    return this.#stopped;
  }
  get isRetired(): boolean {
    return this.#isRetired;
  }
  get isSpilling(): boolean {
    return this.#isSpilling;
  }
  /** Why nothing goes out, if the server or the network said so. */
  get trouble(): TailkeepError | undefined {
    return this.#link.trouble;
  }
  get state(): StreamLink["state"] {
    return this.#link.state;
  }
  /** When it last took a batch, by the clock's monotonic time. */
  get lastTakenMs(): number {
    return this.#lastTakenMs;
  }
  get givesWayAs(): RecordTypeName | undefined {
    return this.class.policy === "drop-oldest" ? this.class.type : undefined;
  }

  // --- from above ---

  /** Takes a record; its number, or GIVEN_UP, or REFUSED. Never throws. */
  append(record: TrainingRecord): number {
    if (this.#stopped !== undefined) {
      this.#afterStop++;
      this.#dropped[this.#stopped]++;
      return GIVEN_UP;
    }
    if (this.#withheld > 0 && this.#batcher.count === 0 && !this.#resume()) {
      this.#withheld++;
      this.#dropped.overflow++;
      return GIVEN_UP;
    }
    try {
      this.#batcher.append(record);
    } catch (error) {
      this.refuse(error);
      return REFUSED;
    }
    return this.lastSeq;
  }

  /** Counts a record that cannot be encoded, and says why, once. */
  refuse(error: unknown): void {
    this.#refused++;
    const { message } = asUnencodable(error);
    this.#settings.problems.report({ code: "RECORD_REFUSED", message: `a record was refused: ${message}` });
  }

  /** What is in the open batch leaves now. */
  seal(): void {
    this.#batcher.seal();
    if (this.#withheld > 0) this.#resume();
  }

  giveWay(): boolean {
    const lost = this.#link.dropOldestUnsent(this.#gapOf);
    if (lost === undefined) return false;
    this.#dropped.overflow += lost.count;
    this.#account();
    return true;
  }

  /** Everything that is only in memory goes to the log, as far as it takes it. True if all of it is there. */
  spillAll(): boolean {
    if (this.isSettled) return true;
    if (this.class.policy !== "spill" || this.#stopped !== undefined) return false;
    if (!this.#isSpilling && !this.#startSpilling()) return false;
    this.seal();
    return this.#withheld === 0 && this.#feeder?.log.lastSeq === this.#placedSeq;
  }

  /** Ends the call when all is acked. */
  finish(): void {
    this.seal();
    this.#link.finish();
  }

  /** Nothing is pending and nobody should append any more: containers ask their recorder for another lane. */
  retire(): void {
    this.#isRetired = true;
    this.finish();
    this.#settings.budget.remove(this);
  }

  /** Ends now. What is neither durable nor in the log is lost with the process, and said so. */
  abandon(): void {
    if (this.#stopped === undefined && !this.isSettled) {
      const isKept = this.#feeder !== undefined && this.#feeder.log.lastSeq >= this.#placedSeq;
      if (!isKept) this.#dropped.closed += this.ledger.pending;
    }
    this.#stopped ??= "closed";
    this.#feeder?.stop();
    this.#link.abort();
    this.#settings.budget.remove(this);
  }

  // --- placing ---

  #take(batch: EncodedBatch): void {
    if (this.#stopped !== undefined) {
      // It was open when the stream was lost, and is counted with everything that was pending.
      this.#withheld += batch.count;
      return;
    }
    this.#lastTakenMs = this.#settings.clock.nowMs();
    if ((this.#withheld > 0 && !this.#resume()) || !this.#place(batch)) {
      this.#withheld += batch.count;
      this.#dropped.overflow += batch.count;
      this.#sayOverflow();
      this.#retryResume();
    }
    this.#account();
  }

  /** The gap of what was withheld finds its place, if there is room again for more than the gap. */
  #resume(): boolean {
    const { budget, clock } = this.#settings;
    if (this.#stopped !== undefined || clock.nowMs() < this.#fullUntilMs) return false;
    if (!this.#isSpilling && !budget.hasRoomAgain) return false;
    const gap = this.#gapOf(this.#placedSeq + 1, this.#withheld);
    if (!this.#isSpilling || !this.#log(gap)) {
      // A gap is a few bytes: it may stand on the line where nothing else may, once all before it does.
      if (!this.#isCaughtUp) return false;
      this.#isSpilling = false;
      this.#toLine(gap);
    }
    this.#withheld = 0;
    this.#settings.problems.solved("OVERFLOW");
    return true;
  }

  /** Nobody may append any more, and nothing be on its way whose ack would look. */
  #retryResume(): void {
    if (this.#isResumeSet) return;
    this.#isResumeSet = true;
    this.#settings.clock.after(SPILL_FULL_RETRY_MS, () => {
      this.#isResumeSet = false;
      if (this.#withheld === 0 || this.#stopped !== undefined) return;
      if (!this.#resume()) this.#retryResume();
    });
  }

  #place(batch: EncodedBatch): boolean {
    if (this.#isSpilling) return this.#log(batch);
    const { budget } = this.#settings;
    const bytes = batch.byteLength;
    const hasRoom = budget.makeRoom(this, bytes);
    if (this.class.policy === "spill" && (!hasRoom || this.#hasWaitedTooLong()) && this.#startSpilling()) {
      return this.#log(batch);
    }
    if (!hasRoom && !budget.fits(bytes)) return false;
    this.#toLine(batch);
    return true;
  }

  #toLine(batch: EncodedBatch): void {
    this.#placedSeq = batch.lastSeq;
    this.#link.enqueue(batch);
    this.#watch();
  }

  #log(batch: EncodedBatch): boolean {
    const log = this.#feeder?.log;
    if (log === undefined || this.#settings.clock.nowMs() < this.#fullUntilMs) return false;
    if (log.append(batch) !== "taken") {
      this.#fullUntilMs = this.#settings.clock.nowMs() + SPILL_FULL_RETRY_MS;
      return false;
    }
    this.#placedSeq = batch.lastSeq;
    this.#watch();
    // A trainer that never yields leaves nobody to write for it.
    if (!this.#settings.budget.fits(log.unwrittenBytes)) log.writeSync();
    this.#feeder?.progressed();
    return true;
  }

  // --- spilling ---

  #hasWaitedTooLong(): boolean {
    const since = this.#waitingSinceMs;
    return since !== undefined && this.#settings.clock.nowMs() - since >= this.#settings.spillAfterMs;
  }

  /** From now on everything goes through the log. False where nothing can be spilled. */
  #startSpilling(): boolean {
    const { spill, clock } = this.#settings;
    if (spill === undefined || clock.nowMs() < this.#fullUntilMs) return false;
    const log = this.#feeder?.log ?? spill.log(this.identity);
    if (log === undefined) {
      this.#fullUntilMs = clock.nowMs() + SPILL_FULL_RETRY_MS;
      return false;
    }
    for (const batch of this.#link.unacked()) {
      // Of an earlier time of spilling, the log has the first of them already.
      if (batch.firstSeq <= log.lastSeq) continue;
      if (log.append(batch) === "taken") continue;
      this.#fullUntilMs = clock.nowMs() + SPILL_FULL_RETRY_MS;
      if (this.#feeder === undefined) void log.remove().catch(() => undefined);
      return false;
    }
    log.skipTo(this.#placedSeq);
    this.#feeder ??= new LogFeeder(log, this.#link, this.#settings.readAheadBytes, (error) => this.#fed(error));
    this.#isSpilling = true;
    return true;
  }

  #fed(error: unknown): void {
    if (error !== undefined) {
      this.#settings.problems.report({
        code: "SPILL_UNREADABLE",
        message: `spilled records cannot be read back (${String(error)}); they stay on disk for the next start`,
      });
    }
    this.#progressed();
  }

  /** The server takes again and has all that was spilled before: the way is direct again. */
  #stopSpillingIfCaughtUp(hasNewAck: boolean): void {
    const feeder = this.#feeder;
    if (feeder === undefined) return;
    feeder.progressed();
    const { log } = feeder;
    if (this.#isSpilling && hasNewAck && this.#isCaughtUp) this.#isSpilling = false;
    if (!this.#isSpilling && this.#link.ackedSeq >= log.lastSeq) {
      feeder.stop();
      this.#dropped.spill_corrupt += missingCount(log);
      this.#feeder = undefined;
      void log.remove().catch(() => undefined);
    }
  }

  /** Everything that has a place is on the line, or was. */
  get #isCaughtUp(): boolean {
    return this.#link.enqueuedSeq === this.#placedSeq;
  }

  /** Begins to count how long the oldest batch waits. */
  #watch(): void {
    const { clock, spillAfterMs, spill } = this.#settings;
    this.#waitingSinceMs ??= clock.nowMs();
    if (this.#isWatchSet) return;
    this.#isWatchSet = true;
    const maySpill = spill !== undefined && this.class.policy === "spill" && !this.#isSpilling;
    const fullMs = this.#fullUntilMs - clock.nowMs();
    clock.after(maySpill ? Math.max(spillAfterMs, fullMs) : ACK_SILENCE_MS_MAX, () => {
      this.#isWatchSet = false;
      if (this.#waitingSinceMs === undefined || this.#stopped !== undefined) return;
      this.#whenWaiting(clock.nowMs() - this.#waitingSinceMs);
      this.#watch();
      this.#account();
    });
  }

  #whenWaiting(waitedMs: number): void {
    if (!this.#isSpilling && waitedMs >= this.#settings.spillAfterMs && this.class.policy === "spill") {
      if (this.#startSpilling()) this.seal();
    }
    if (waitedMs >= ACK_SILENCE_MS_MAX) this.#link.hangUp(`no ack for ${Math.round(waitedMs / 1_000)} s`);
  }

  // --- from the line ---

  #progressed(): void {
    const acked = this.#link.ackedSeq;
    const hasNewAck = acked > this.#lastAckedSeq;
    if (hasNewAck) {
      this.#lastAckedSeq = acked;
      this.#waitingSinceMs = acked >= this.#placedSeq ? undefined : this.#settings.clock.nowMs();
    }
    if (this.#stopped === undefined) {
      this.#stopSpillingIfCaughtUp(hasNewAck);
      if (this.#withheld > 0) this.#resume();
      this.#batcher.wake();
    }
    this.#account();
    this.#settings.onProgress();
  }

  #opened({ counts }: StreamInfo, before: StreamTotals, ownGaps: number): void {
    // Not only where this answer says that the database had forgotten something: the one that said so may have been lost.
    // Some of the range may have been gaps before, whose records are counted as what they were given up for.
    const lost = counts.gapped - before.gapped - ownGaps;
    if (lost <= 0) return;
    this.#dropped.store_regressed += lost;
    this.#settings.problems.report({
      code: "STORE_REGRESSED",
      message:
        `the server's database has lost ${lost} records that it once acked (a restored backup?); ` +
        "the history shows them as a gap",
    });
  }

  #rejected(rejections: readonly StreamRejection[]): void {
    for (const rejection of rejections) {
      if (rejection.by === "decoder") this.#dropped.invalid++;
      this.#settings.problems.report({
        code: "RECORD_REJECTED",
        message: `the server refused record ${rejection.seq} of session ${this.identity.sessionId}: ${rejection.message}`,
      });
    }
  }

  #failed(error: TailkeepError, isFenced: boolean): void {
    const { sessionId } = this.identity;
    if (!isFenced) {
      const message = `records of session ${sessionId} are kept and tried again every now and then: ${error.message}`;
      this.#settings.problems.report({ code: error.code, message });
      return;
    }
    this.#dropped.fenced += this.ledger.pending;
    this.#stopped = "fenced";
    this.#feeder?.stop();
    void this.#feeder?.log.seal().catch(() => undefined);
    this.#settings.budget.remove(this);
    this.#settings.problems.report({
      code: error.code,
      message: `nothing more is recorded for session ${sessionId} by this process: ${error.message}`,
    });
    this.#settings.onProgress();
  }

  // --- accounting ---

  #account(): void {
    if (this.#stopped !== undefined || this.#isRetired) return;
    this.#settings.budget.report(this, this.#link.queuedBytes + (this.#feeder?.log.heldBytes ?? 0));
  }

  #sayOverflow(): void {
    this.#settings.problems.report({
      code: "OVERFLOW",
      message:
        `records of session ${this.identity.sessionId} are being dropped, because neither memory nor the spill has room: ` +
        "check the server, free disk space, or raise memoryBytesMax or spill.bytesMax",
    });
  }
}

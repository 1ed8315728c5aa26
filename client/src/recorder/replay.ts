/** Sends what a dead process had spilled of one stream, under that stream's own name, and then deletes it. */

import type { TailkeepError } from "../errors/errors.js";
import type { StreamRejection } from "../protocol/stream-driver.js";
import type { StreamInfo } from "../transport/ingest-transport.js";
import { droppedTotal, emptyDrops, type Ledger } from "./ledger.js";
import { LogFeeder } from "./log-feeder.js";
import type { MemoryBudget } from "./memory-budget.js";
import type { Problems } from "./problems.js";
import { missingCount, type OrphanedLog } from "./spill-port.js";
import { type LinkSettings, StreamLink } from "./stream-link.js";

export interface ReplaySettings extends LinkSettings {
  readonly readAheadBytes: number;
  readonly budget: MemoryBudget;
  readonly problems: Problems;
  readonly onProgress: () => void;
}

export class Replay {
  readonly #orphan: OrphanedLog;
  readonly #settings: ReplaySettings;
  readonly #link: StreamLink;
  readonly #feeder: LogFeeder;
  readonly #dropped = emptyDrops();
  #isOver = false;
  readonly givesWayAs = undefined;

  constructor(orphan: OrphanedLog, settings: ReplaySettings) {
    this.#orphan = orphan;
    this.#settings = settings;
    this.#link = new StreamLink(
      orphan.identity,
      settings,
      {
        progressed: () => this.#progressed(),
        opened: (info) => this.#opened(info),
        rejected: (rejections) => this.#rejected(rejections),
        failed: (error, isFenced) => this.#failed(error, isFenced),
      },
      orphan.firstSeq - 1,
    );
    this.#feeder = new LogFeeder(orphan.log, this.#link, settings.readAheadBytes, () => this.#progressed());
  }

  /** Of the numbers that were spilled; those that the server had all the same count as durable. */
  get ledger(): Ledger {
    const { firstSeq, lastSeq, log } = this.#orphan;
    const appended = lastSeq - firstSeq + 1;
    const dropped = { ...this.#dropped, spill_corrupt: missingCount(log) };
    const lost = droppedTotal(dropped);
    const pending = this.#isOver ? 0 : Math.min(this.#unsettled, appended - lost);
    return { appended, durable: appended - lost - pending, pending, rejected: 0, dropped };
  }

  /** Nothing is left to do: all is durable, or the stream belongs to somebody else. */
  get isOver(): boolean {
    return this.#isOver;
  }
  get state(): StreamLink["state"] {
    return this.#link.state;
  }

  start(): void {
    this.#feeder.progressed();
  }

  giveWay(): boolean {
    return false;
  }

  /** Stops; what is not durable stays on disk for the next start. */
  abandon(): void {
    if (this.#isOver) return;
    this.#feeder.stop();
    this.#link.abort();
    this.#settings.budget.remove(this);
  }

  #progressed(): void {
    if (this.#isOver) return;
    this.#settings.budget.report(this, this.#link.queuedBytes);
    this.#feeder.progressed();
    if (this.#link.ackedSeq >= this.#orphan.lastSeq) {
      this.#over();
      this.#link.finish();
      void this.#orphan.log.remove().catch(() => undefined);
    }
    this.#settings.onProgress();
  }

  #opened(info: StreamInfo): void {
    if (info.regressed === undefined) return;
    this.#settings.problems.report({
      code: "STORE_REGRESSED",
      message:
        "the server's database has lost records that it once acked (a restored backup?); the history shows a gap",
    });
  }

  #rejected(rejections: readonly StreamRejection[]): void {
    for (const { by } of rejections) if (by === "decoder") this.#dropped.invalid++;
  }

  #failed(error: TailkeepError, isFenced: boolean): void {
    const { sessionId } = this.#orphan.identity;
    if (!isFenced) {
      this.#settings.problems.report({
        code: error.code,
        message: `spilled records of session ${sessionId} are kept and tried again every now and then: ${error.message}`,
      });
      return;
    }
    this.#dropped.fenced += this.#unsettled;
    this.#over();
    void this.#orphan.log.seal().catch(() => undefined);
    this.#settings.problems.report({
      code: "REPLAY_FENCED",
      message: `spilled records of session ${sessionId} are not sent, and kept on disk: ${error.message}`,
    });
    this.#settings.onProgress();
  }

  /** Numbers that are neither acked nor known to be damaged. */
  get #unsettled(): number {
    const { firstSeq, lastSeq, log } = this.#orphan;
    const ackedSeq = Math.max(firstSeq - 1, Math.min(this.#link.ackedSeq, lastSeq));
    return lastSeq - ackedSeq - missingCount(log, ackedSeq);
  }

  #over(): void {
    this.#isOver = true;
    this.#feeder.stop();
    this.#settings.budget.remove(this);
  }
}

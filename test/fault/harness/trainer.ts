/** Appends what a plan says to a real stream, in its rhythm, and journals every step. */
import { setTimeout as sleep } from "node:timers/promises";
import type { IngestStream, TailkeepClient } from "@tailkeep/client";
import { hashOfRecord } from "./content.js";
import { StreamJournal } from "./journal.js";
import type { StreamPlan } from "./plan.js";
import { SeededRandom } from "./random.js";
import { badRecord, goodRecord } from "./records.js";

/** Small enough that a trainer meets "full" while its server is away. */
const QUEUE_RECORDS_MAX = 4_000;
const GAP_COUNT_MAX = 5;
const HOUR_US = 3_600_000_000;

export class Trainer {
  readonly journal: StreamJournal;
  readonly stream: IngestStream;
  readonly #plan: StreamPlan;
  readonly #random: SeededRandom;
  readonly #beganUs = Date.now() * 1_000;

  constructor(client: TailkeepClient, plan: StreamPlan) {
    const { sessionId, streamId, flushRecords, idleCloseMs } = plan;
    this.#plan = plan;
    this.#random = new SeededRandom(plan.seed);
    const journal = new StreamJournal(sessionId, streamId);
    this.journal = journal;
    this.stream = client.openStream({
      sessionId,
      streamId,
      flushRecords,
      idleCloseMs,
      queueRecordsMax: QUEUE_RECORDS_MAX,
    });
    this.stream.onAck((seq) => journal.acked(seq));
    this.stream.onRejected((rejection) => journal.rejected(rejection.seq));
    this.stream.onStateChange((state) => {
      if (state.name === "failed") journal.failure = `${state.error.name} ${state.error.code}: ${state.error.message}`;
    });
  }

  get hasUnacked(): boolean {
    return this.stream.pending.records > 0;
  }

  /** Appends everything; resolves when it is taken, which is not yet durable. */
  async run(until?: AbortSignal): Promise<void> {
    const { entries, burstMax, pauseMsMax } = this.#plan;
    let left = entries;
    while (left > 0 && this.journal.failure === undefined && until?.aborted !== true) {
      const burst = Math.min(left, this.#random.whole(1, burstMax));
      for (let at = 0; at < burst; at++) await this.appendOne();
      left -= burst;
      await sleep(this.#random.whole(0, pauseMsMax));
    }
  }

  async appendOne(): Promise<void> {
    const { gapShare, badShare, timelessShare } = this.#plan;
    const random = this.#random;
    if (random.chance(gapShare)) {
      const count = random.whole(1, GAP_COUNT_MAX);
      const seq = await this.#untilTaken(() => this.stream.gap({ count, cause: "overflow" }));
      if (seq !== undefined) this.journal.gapSent(seq, count);
      return;
    }
    const isBad = random.chance(badShare);
    const isTimeless = random.chance(timelessShare);
    const eventTimeUs = isTimeless ? undefined : this.#beganUs + random.whole(-HOUR_US, HOUR_US);
    const record = isBad ? badRecord(random) : goodRecord(random, eventTimeUs);
    const seq = await this.#untilTaken(() => this.stream.append(record));
    if (seq === undefined) return;
    const hash = isBad ? 0 : hashOfRecord(record, isTimeless ? null : (eventTimeUs as number));
    this.journal.recordSent(seq, { type: record.type, hash, isTimeless, isBad });
  }

  async #untilTaken(append: () => ReturnType<IngestStream["append"]>): Promise<number | undefined> {
    for (;;) {
      const result = append();
      if (result.outcome === "queued") return result.seq;
      if (result.outcome !== "full") {
        this.journal.failure ??= `append said ${result.outcome}: ${result.reason.message}`;
        return undefined;
      }
      await this.stream.ready();
    }
  }
}

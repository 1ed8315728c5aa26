/** Trainers that append as fast as they may, for as long as they are let, and what the server does meanwhile. */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { IngestStream, TailkeepClient, TrainingRecord } from "@tailkeep/client";
import { hashOfRecord } from "./content.js";
import { StreamJournal } from "./journal.js";

const BURST_RECORDS = 200;

export class PressingTrainer {
  readonly stream: IngestStream;
  readonly journal: StreamJournal;
  readonly #grid: string;
  /** Longest time that `append` did not return "queued". */
  timesFull = 0;

  /** @param recordBytes size of each record, about */
  constructor(client: TailkeepClient, sessionId: string, streamId: string, recordBytes: number, queueBytesMax: number) {
    this.#grid = "0123456789abcdef".repeat(Math.ceil(recordBytes / 16));
    const journal = new StreamJournal(sessionId, streamId);
    this.journal = journal;
    this.stream = client.openStream({ sessionId, streamId, queueBytesMax });
    this.stream.onAck((seq) => journal.acked(seq));
    this.stream.onStateChange((state) => {
      if (state.name === "failed") journal.failure = `${state.error.code}: ${state.error.message}`;
    });
  }

  /** Appends until told to stop. */
  async run(until: AbortSignal): Promise<void> {
    while (!until.aborted && this.journal.failure === undefined) {
      for (let at = 0; at < BURST_RECORDS; at++) {
        if (!this.#append()) {
          this.timesFull++;
          await Promise.race([this.stream.ready(), sleep(50)]);
          break;
        }
      }
      // Lets the event loop send.
      await sleep(1);
    }
  }

  #append(): boolean {
    const seq = this.journal.sentSeq + 1;
    const record: TrainingRecord = {
      type: "frame_tracking",
      gameId: "ls20",
      eventTimeUs: seq,
      frameHash: String(seq),
      frameAnalysis: { seq, grid: this.#grid },
    };
    const result = this.stream.append(record);
    if (result.outcome !== "queued") return false;
    this.journal.recordSent(seq, {
      type: record.type,
      hash: hashOfRecord(record, seq),
      isTimeless: false,
      isBad: false,
    });
    return true;
  }
}

/** Samples the resident memory of a process until stopped. */
export class MemorySampler {
  readonly #timer: NodeJS.Timeout;
  #bytesMax = 0;
  #samples = 0;

  constructor(pid: number, everyMs = 100) {
    const sample = () => {
      this.#bytesMax = Math.max(this.#bytesMax, residentBytes(pid));
      this.#samples++;
    };
    sample();
    this.#timer = setInterval(sample, everyMs);
  }

  stop(): { readonly bytesMax: number; readonly samples: number } {
    clearInterval(this.#timer);
    return { bytesMax: this.#bytesMax, samples: this.#samples };
  }
}

function residentBytes(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kibibytes) * 1_024;
}

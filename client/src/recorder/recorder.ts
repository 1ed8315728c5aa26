/**
 * One per process and server: takes records from every container, and sees to it that each reaches the database or is
 * declared lost. Synchronous where the trainer is, patient where the network is.
 *
 *   append -> lane of (session, class) -> line to the server, or spill     see lane.ts
 *   at start: what dead processes had spilled -> replays, a few at a time  see replay.ts
 */

import { randomUUID } from "node:crypto";
import type { TailkeepClient } from "../client.js";
import { type Clock, systemClock } from "../clock.js";
import { DeadlineError, FencedError, type TailkeepError } from "../errors/errors.js";
import { Waiters, type WaitOptions } from "../ingest/waiters.js";
import {
  ADOPT_EVERY_MS,
  CALL_TIMEOUT_MS_DEFAULT,
  EXIT_PATIENCE_MS,
  LANES_IDLE_MAX,
  REPLAYS_MAX,
  SPILL_READ_AHEAD_BYTES,
} from "../limits.js";
import type { StreamStateName } from "../protocol/stream-state.js";
import { id } from "../records/id.js";
import type { RecordTypeName, TrainingRecord } from "../records/training-record.js";
import type { IngestTransport } from "../transport/ingest-transport.js";
import { RetryBudget } from "../transport/retry-budget.js";
import type { CentralLimits } from "./central-limits.js";
import { EventClock } from "./event-clock.js";
import { Lane, type LaneClass, type LaneSettings, REFUSED } from "./lane.js";
import { emptyDrops, type Ledger, sumLedgers } from "./ledger.js";
import { MemoryBudget } from "./memory-budget.js";
import type { ResolvedRecorderOptions } from "./options.js";
import type { Problem, Problems } from "./problems.js";
import { endWithProcess } from "./process-end.js";
import { Replay } from "./replay.js";
import type { OrphanedLog, RecorderSpill } from "./spill-port.js";

/** What became of an append. */
export type RecordOutcome =
  /** In memory, on its way. */
  | "queued"
  /** On its way through the spill: the server is away or slow. */
  | "spilled"
  /** Given up by the policy of its type, or because its stream is lost; counted, and a gap in the history. */
  | "dropped"
  /** Refused: it cannot be encoded; counted, and said once as a problem. */
  | "rejected"
  /** Recording is switched off. */
  | "off";

/** A stream of the recorder, for people and metrics. */
export interface LaneReading {
  readonly sessionId: string;
  readonly streamId: string;
  /** The type of a class that drops; undefined for the one that spills. */
  readonly type: RecordTypeName | undefined;
  readonly state: StreamStateName | "resting" | "stopped";
  readonly isSpilling: boolean;
  /** Everything up to here outlives this process: it is durable, or synced to disk. */
  readonly safeSeq: number;
  readonly ledger: Ledger;
}

/** What the recorder is made of; `connectRecorder` and the default recorder put it together. */
export interface RecorderParts {
  readonly client: TailkeepClient;
  readonly transport: IngestTransport;
  readonly spill: RecorderSpill | undefined;
  readonly problems: Problems;
  readonly limits: CentralLimits;
  /** Ends what else works in the background. */
  readonly onClose?: (() => void) | undefined;
  readonly clock?: Clock | undefined;
  /** What of a log may be on the line at a time, in bytes. @default 4 MiB */
  readonly readAheadBytes?: number | undefined;
  /** Makes ids of writers and streams. @default random UUIDs */
  readonly newId?: (() => string) | undefined;
  /** Arranges what happens to pending records when the process ends; returns what undoes it. @default the process's own end */
  readonly endWithProcess?: typeof endWithProcess | undefined;
}

/** Takes the records of all containers of a process. Made by `openRecorder`, or as the default one by the first container. */
export class Recorder {
  readonly options: ResolvedRecorderOptions;
  /** For reading back. Shares the recorder's connection. */
  readonly client: TailkeepClient;
  /** What containers without a capacity of their own follow. */
  readonly limits: CentralLimits;
  readonly #clock: Clock;
  readonly #spill: RecorderSpill | undefined;
  readonly #problems: Problems;
  readonly #budget: MemoryBudget;
  readonly #settings: LaneSettings;
  readonly #newId: () => string;
  readonly #writerId: string;
  readonly #eventClock = new EventClock();
  /** By session and class. */
  readonly #lanes = new Map<string, Lane>();
  readonly #waiters: Waiters;
  readonly #orphans: OrphanedLog[] = [];
  #replays: Replay[] = [];
  #replayedBefore: Ledger = NOTHING;
  #retired: Ledger = NOTHING;
  #adopting: Promise<void> | undefined;
  #isAdopted = false;
  #closing: Promise<Ledger> | undefined;
  #isClosed = false;
  #gaveUpAt: number | undefined;
  #endOnce: () => void;
  readonly #onClose: (() => void) | undefined;

  constructor(options: ResolvedRecorderOptions, parts: RecorderParts) {
    this.options = options;
    this.client = parts.client;
    this.limits = parts.limits;
    this.#onClose = parts.onClose;
    this.#clock = parts.clock ?? systemClock;
    this.#newId = parts.newId ?? randomUUID;
    this.#writerId = this.#newId();
    this.#spill = parts.spill;
    this.#problems = parts.problems;
    this.#budget = new MemoryBudget(options.memoryBytesMax, options.giveWay);
    this.#waiters = new Waiters(this.#clock);
    this.#settings = {
      transport: parts.transport,
      clock: this.#clock,
      retryBudget: new RetryBudget(() => this.#clock.nowMs()),
      labels: options.labels,
      budget: this.#budget,
      spill: parts.spill,
      spillAfterMs: options.spillAfterMs,
      readAheadBytes: parts.readAheadBytes ?? SPILL_READ_AHEAD_BYTES,
      flushRecords: options.flushRecords,
      flushBytes: options.flushBytes,
      flushDelayMs: options.flushDelayMs,
      problems: parts.problems,
      onProgress: () => this.#progressed(),
    };
    this.#endOnce = (parts.endWithProcess ?? endWithProcess)({
      flushOn: options.flushOn,
      hasPending: () => this.#hasPending(),
      flushBeforeEnd: () => this.#flushBeforeEnd(),
      spillAtExit: () => this.#spillAtExit(),
    });
    if (parts.spill === undefined) this.#isAdopted = true;
    else this.#clock.soon(() => void this.#adopt());
  }

  // --- writing ---

  /** Takes a record of `sessionId`. Synchronous; never waits, and never throws for reasons of telemetry. */
  append(record: TrainingRecord, sessionId = this.options.connect.sessionId): RecordOutcome {
    if (!this.options.recording) return "off";
    const lane = this.lane(sessionId, record.type);
    const seq = lane.append(record);
    if (seq > 0) return lane.isSpilling ? "spilled" : "queued";
    return seq === REFUSED ? "rejected" : "dropped";
  }

  /** The stream that takes records of a type in a session. Containers keep it until `isRetired`. @internal */
  lane(sessionId: string, type: RecordTypeName): Lane {
    // A type that does not exist is refused by the encoder, with a message.
    const policy = this.options.overflow[type] ?? "spill";
    const laneClass: LaneClass = { policy, type: policy === "spill" ? undefined : type };
    const key = `${laneClass.type ?? ""} ${sessionId}`;
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      this.#retireIdle();
      const identity = { sessionId: id(sessionId, "sessionId"), streamId: this.#newId(), writerId: this.#writerId };
      lane = new Lane(identity, laneClass, this.#settings);
      if (this.#isClosed) lane.abandon();
      this.#lanes.set(key, lane);
    }
    return lane;
  }

  /** Microseconds since 1970 for an event of now. */
  nowUs(): number {
    return this.#eventClock.nowUs();
  }

  // --- readings ---

  /** Where every record of this process went. */
  get ledger(): Ledger {
    return sumLedgers([this.#retired, ...[...this.#lanes.values()].map((lane) => lane.ledger)]);
  }
  /** Where the records went that earlier processes had spilled. */
  get replayLedger(): Ledger {
    const waiting = this.#orphans.map(({ firstSeq, lastSeq }) => {
      const count = lastSeq - firstSeq + 1;
      return { ...NOTHING, appended: count, pending: count };
    });
    return sumLedgers([this.#replayedBefore, ...this.#replays.map((replay) => replay.ledger), ...waiting]);
  }
  /** Bytes in memory that wait for the server or the disk. */
  get memoryBytes(): number {
    return this.#budget.usedBytes;
  }
  /** Bytes on disk. */
  get spillBytes(): number {
    return this.#spill?.bytes ?? 0;
  }
  /** Every stream, those that are idle too. */
  get lanes(): LaneReading[] {
    return [...this.#lanes.values()].map((lane) => ({
      sessionId: lane.identity.sessionId,
      streamId: lane.identity.streamId,
      type: lane.class.type,
      state: lane.state,
      isSpilling: lane.isSpilling,
      safeSeq: lane.safeSeq,
      ledger: lane.ledger,
    }));
  }

  /** Calls `listener` with what a person should know: each kind once. Without one, problems are process warnings. */
  onProblem(listener: (problem: Problem) => void): () => void {
    return this.#problems.add(listener);
  }

  // --- waiting ---

  /**
   * Resolves when everything appended so far is durable, or declared lost. Rejects with DeadlineError, which says how many
   * are pending (they are still being sent), or with FencedError if a stream was lost. @default timeoutMs 10,000
   */
  flush(options: WaitOptions = {}): Promise<void> {
    const targets = [...this.#lanes.values()].map((lane) => {
      lane.seal();
      return { lane, seq: lane.lastSeq };
    });
    return this.#waiters.until(
      () => {
        const lost = targets.find(({ lane }) => lane.stopCause === "fenced");
        if (lost !== undefined) return lostStream(lost.lane);
        return targets.every(({ lane, seq }) => lane.ackedSeq >= seq || lane.stopCause !== undefined);
      },
      { timeoutMs: CALL_TIMEOUT_MS_DEFAULT, ...options },
      (timeoutMs) => this.#late(timeoutMs),
    );
  }

  /** Resolves when everything up to `seq` of a lane is durable, or declared lost. @default timeoutMs 10,000 @internal */
  durable(lane: Lane, seq: number, options: WaitOptions = {}): Promise<void> {
    if (lane.ackedSeq < seq) lane.seal();
    return this.#waiters.until(
      () => lane.ackedSeq >= seq || lane.stopCause !== undefined,
      { timeoutMs: options.timeoutMs ?? CALL_TIMEOUT_MS_DEFAULT, signal: options.signal },
      (timeoutMs) => this.#late(timeoutMs),
    );
  }

  /** Resolves when memory for pending records is below a quarter of its bound: for a trainer that would rather wait. */
  drained(options: WaitOptions = {}): Promise<void> {
    return this.#waiters.until(
      () => this.#isClosed || this.#budget.usedBytes <= this.#budget.bytesMax / 4,
      options,
      (timeoutMs) => this.#late(timeoutMs),
    );
  }

  /** Resolves when all that earlier processes had spilled is durable, or declared lost. @default timeoutMs 10,000 */
  replayed(options: WaitOptions = {}): Promise<void> {
    return this.#waiters.until(
      () => this.#isClosed || (this.#isAdopted && this.#orphans.length === 0 && this.#replays.length === 0),
      { timeoutMs: CALL_TIMEOUT_MS_DEFAULT, ...options },
      (timeoutMs) => this.#late(timeoutMs),
    );
  }

  /**
   * Waits until everything is durable, spills what is not by then, and ends. Never rejects: the ledger says what became of
   * everything; what is pending in it is on disk and is sent by the next process. @default timeoutMs 10,000
   */
  close(options: WaitOptions = {}): Promise<Ledger> {
    this.#closing ??= this.#close(options);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(options: WaitOptions): Promise<Ledger> {
    await this.flush(options).catch(() => undefined);
    this.#isClosed = true;
    this.#onClose?.();
    this.#endOnce();
    for (const lane of this.#lanes.values()) {
      lane.spillAll();
      lane.finish();
    }
    // Those that are done half-close by themselves; the rest is cut off.
    await new Promise<void>((resolve) => this.#clock.soon(resolve));
    for (const lane of this.#lanes.values()) lane.abandon();
    for (const replay of this.#replays) replay.abandon();
    await this.#adopting;
    await this.#spill?.close();
    const { ledger } = this;
    this.#waiters.check();
    await this.client.close().catch(() => undefined);
    return ledger;
  }

  // --- replaying ---

  async #adopt(): Promise<void> {
    this.#adopting ??= (async () => {
      const orphans = (await this.#spill?.adopt()) ?? [];
      this.#orphans.push(...orphans);
    })().catch((error: unknown) => {
      this.#problems.report({
        code: "SPILL_UNREADABLE",
        message: `what earlier processes had spilled cannot be read (${String(error)}); it stays on disk`,
      });
    });
    await this.#adopting;
    this.#adopting = undefined;
    this.#isAdopted = true;
    this.#replaySome();
    this.#waiters.check();
    // A process beside this one may die at any time; what it spilled need not wait for the next start.
    if (!this.#isClosed) this.#clock.after(ADOPT_EVERY_MS, () => void this.#adopt());
  }

  #replaySome(): void {
    for (const replay of this.#replays) {
      if (replay.isOver) this.#replayedBefore = sumLedgers([this.#replayedBefore, replay.ledger]);
    }
    this.#replays = this.#replays.filter((replay) => !replay.isOver);
    while (!this.#isClosed && this.#replays.length < REPLAYS_MAX) {
      const orphan = this.#orphans.shift();
      if (orphan === undefined) return;
      const replay = new Replay(orphan, this.#settings);
      this.#replays.push(replay);
      replay.start();
    }
  }

  // --- inside ---

  #progressed(): void {
    if (this.#replays.some((replay) => replay.isOver)) this.#replaySome();
    if (!this.#waiters.isEmpty) this.#waiters.check();
  }

  /** Streams of sessions that are over would add up in a trainer that runs for weeks. */
  #retireIdle(): void {
    if (this.#lanes.size < LANES_IDLE_MAX) return;
    const idle = [...this.#lanes].filter(([, lane]) => lane.isSettled && lane.stopCause === undefined);
    idle.sort(([, a], [, b]) => a.lastTakenMs - b.lastTakenMs);
    for (const [key, lane] of idle.slice(0, this.#lanes.size - LANES_IDLE_MAX + 1)) {
      lane.retire();
      this.#retired = sumLedgers([this.#retired, lane.ledger]);
      this.#lanes.delete(key);
    }
  }

  #hasPending(): boolean {
    // Whoever waited in vain once does not wait again for the same.
    if (this.#isClosed || this.#gaveUpAt === this.ledger.appended) return false;
    const isReplaying = this.#replays.some(({ state }) => state === "open" || state === "opening");
    return isReplaying || [...this.#lanes.values()].some((lane) => !lane.isSettled);
  }

  /** Waits while there is hope: until the deadline, but not for a server that is not there when all can be spilled. */
  async #flushBeforeEnd(): Promise<void> {
    const { exitFlushMs } = this.options;
    const patienceMs = this.#spill === undefined ? exitFlushMs : Math.min(exitFlushMs, EXIT_PATIENCE_MS);
    const isDone = await this.flush({ timeoutMs: Math.max(1, patienceMs) }).then(
      () => true,
      () => false,
    );
    const isMoving = [...this.#lanes.values()].some((lane) => !lane.isSettled && lane.state === "open");
    if (!isDone && isMoving && exitFlushMs > patienceMs) {
      await this.flush({ timeoutMs: exitFlushMs - patienceMs }).catch(() => undefined);
    }
    await this.replayed({ timeoutMs: Math.max(1, patienceMs) }).catch(() => undefined);
    this.#gaveUpAt = this.ledger.appended;
  }

  #spillAtExit(): void {
    if (this.#isClosed) return;
    for (const lane of this.#lanes.values()) lane.spillAll();
    this.#spill?.writeAllSync();
  }

  #late(timeoutMs: number): DeadlineError {
    const pending = this.ledger.pending;
    const trouble = [...this.#lanes.values()].map((lane) => lane.trouble).find((error) => error !== undefined);
    const because = trouble === undefined ? "" : ` (${trouble.message})`;
    return new DeadlineError(`${pending} records pending after waiting ${timeoutMs} ms${because}`, {
      code: "DEADLINE_EXCEEDED",
      retryable: true,
      grpcStatus: 4,
      pendingRecords: pending,
      cause: trouble,
    });
  }
}

const NOTHING: Ledger = Object.freeze({
  appended: 0,
  durable: 0,
  pending: 0,
  rejected: 0,
  dropped: Object.freeze(emptyDrops()),
});

function lostStream(lane: Lane): TailkeepError {
  return (
    lane.trouble ??
    new FencedError(`the stream of session ${lane.identity.sessionId} belongs to another writer`, {
      code: "FENCED",
      retryable: false,
    })
  );
}

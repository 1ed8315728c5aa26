/**
 * One stream's line to the server, for as long as its recorder lives. A StreamMachine ends for good when reopening cannot
 * help; a recorder goes on where it may: a wrong key or a missing right is somebody's to mend, and nothing is lost meanwhile.
 *
 *   running --machine failed, somebody may mend it--> resting --after a while, with the same batches--> running
 *   running --fenced--> stopped
 */

import type { Clock } from "../clock.js";
import type { EncodedBatch } from "../encode/encoded-batch.js";
import { FencedError, type TailkeepError } from "../errors/errors.js";
import { MachineDriver } from "../ingest/machine-driver.js";
import { IDLE_CLOSE_MS_DEFAULT, OPEN_TIMEOUT_MS_DEFAULT, STREAM_REST_MS } from "../limits.js";
import type { StreamRejection } from "../protocol/stream-driver.js";
import { StreamMachine } from "../protocol/stream-machine.js";
import type { StreamStateName } from "../protocol/stream-state.js";
import type { StreamTotals } from "../records/totals.js";
import type { IngestTransport, StreamInfo } from "../transport/ingest-transport.js";
import type { RetryBudget } from "../transport/retry-budget.js";

/** Which stream, and whose. */
export interface StreamIdentity {
  readonly sessionId: string;
  readonly streamId: string;
  readonly writerId: string;
}

/** What links share. */
export interface LinkSettings {
  readonly transport: IngestTransport;
  readonly clock: Clock;
  readonly retryBudget: RetryBudget;
  readonly labels: Readonly<Record<string, string>>;
}

export interface LinkObserver {
  /** ackedSeq grew, memory became free, or the state changed. */
  progressed(): void;
  /** `before`: what was known to have become of 1 to ackedSeq until now. */
  opened(info: StreamInfo, before: StreamTotals, ownGaps: number): void;
  rejected(rejections: readonly StreamRejection[]): void;
  /** The machine failed; the link rests or, if fenced, has stopped. */
  failed(error: TailkeepError, isFenced: boolean): void;
}

const GRPC_FAILED_PRECONDITION = 9;
const GRPC_DATA_LOSS = 15;

export class StreamLink {
  readonly identity: StreamIdentity;
  readonly #settings: LinkSettings;
  readonly #observer: LinkObserver;
  #machine: StreamMachine;
  #cancelRest: (() => void) | undefined;
  #stopped = false;
  /** Known before the present machine has opened. */
  #totalsBefore: StreamTotals = { stored: 0, rejected: 0, gapped: 0 };
  #isOpened = false;

  /** `ackedSeq`: everything up to here was acked earlier, or never belonged to this link. */
  constructor(identity: StreamIdentity, settings: LinkSettings, observer: LinkObserver, ackedSeq = 0) {
    this.identity = identity;
    this.#settings = settings;
    this.#observer = observer;
    this.#machine = this.#makeMachine(ackedSeq, ackedSeq);
  }

  get state(): StreamStateName | "resting" | "stopped" {
    if (this.#stopped) return "stopped";
    return this.#cancelRest === undefined ? this.#machine.state.name : "resting";
  }
  /** Why it waits, rests or has stopped. */
  get trouble(): TailkeepError | undefined {
    const { state } = this.#machine;
    if (state.name === "failed") return state.error;
    return state.name === "waiting" ? state.because : undefined;
  }
  get ackedSeq(): number {
    return this.#machine.ackedSeq;
  }
  /** Last number handed over. */
  get enqueuedSeq(): number {
    return this.#machine.appendedSeq;
  }
  get queuedBytes(): number {
    return this.#machine.queuedBytes;
  }
  get isIdle(): boolean {
    return this.#machine.wireIsIdle;
  }
  /** What became of 1 to ackedSeq. */
  get totals(): StreamTotals {
    return this.#isOpened ? this.#machine.totals : this.#totalsBefore;
  }

  enqueue(batch: EncodedBatch): void {
    this.#machine.enqueue(batch);
  }

  unacked(): EncodedBatch[] {
    return this.#machine.unacked();
  }

  dropOldestUnsent(gapOf: (firstSeq: number, count: number) => EncodedBatch): EncodedBatch | undefined {
    return this.#machine.dropOldestUnsent(gapOf);
  }

  /** Ends the present call: an open call keeps the process alive, also one to a server that stands still. */
  hangUp(message: string): void {
    this.#machine.hangUp(message);
  }

  /** Ends the call once everything is acked; nothing is enqueued any more. */
  finish(): void {
    this.#machine.finish();
  }

  /** Ends now. */
  abort(): void {
    this.#cancelRest?.();
    this.#machine.abort();
  }

  #makeMachine(ackedSeq: number, sentSeq: number): StreamMachine {
    const { transport, clock, retryBudget, labels } = this.#settings;
    const driver = new MachineDriver(transport, clock);
    const machine = new StreamMachine(
      {
        ...this.identity,
        ackedSeq,
        sentSeq,
        takeover: false,
        labels,
        numbering: "resend",
        openTimeoutMs: OPEN_TIMEOUT_MS_DEFAULT,
        idleCloseMs: IDLE_CLOSE_MS_DEFAULT,
        random: () => clock.random(),
        retryBudget,
      },
      driver,
      {
        progressed: () => this.#observer.progressed(),
        opened: (info, before, ownGaps) => {
          const known = this.#isOpened ? before : this.#totalsBefore;
          this.#isOpened = true;
          this.#observer.opened(info, known, ownGaps);
        },
        rejected: (rejections) => this.#observer.rejected(rejections),
        stateChanged: (state) => {
          if (state.name === "failed") this.#failed(state.error);
        },
        renumbered: () => undefined,
      },
    );
    driver.attach(machine);
    return machine;
  }

  #failed(error: TailkeepError): void {
    if (isFenced(error)) {
      this.#stopped = true;
    } else {
      this.#cancelRest = this.#settings.clock.after(STREAM_REST_MS, () => this.#wakeUp());
    }
    this.#observer.failed(error, this.#stopped);
  }

  #wakeUp(): void {
    this.#cancelRest = undefined;
    const old = this.#machine;
    const batches = old.unacked();
    this.#totalsBefore = this.totals;
    this.#isOpened = false;
    this.#machine = this.#makeMachine(old.ackedSeq, old.sentSeq);
    for (const batch of batches) this.#machine.enqueue(batch);
    this.#observer.progressed();
  }
}

/** Whether the stream is not ours any more, or not to be continued, whatever anybody mends. */
function isFenced(error: TailkeepError): boolean {
  if (error instanceof FencedError) return true;
  // Somebody can make room in a session that has too many streams.
  if (error.code === "TOO_MANY_STREAMS") return false;
  return error.grpcStatus === GRPC_FAILED_PRECONDITION || error.grpcStatus === GRPC_DATA_LOSS;
}

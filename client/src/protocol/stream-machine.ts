/**
 * The protocol of one stream, without input or output: a simulator runs it on a virtual clock and network.
 *
 * Rules:
 * - Each call has a number. What an older call still says is ignored.
 * - acked <= committed <= sent <= appended, each monotone. What breaks that ends the stream (`failed`), not the process.
 * - After any end, the whole unacked window is resent: StreamOpened.committed_seq says what of it is durable.
 * - A batch partly durable is resent whole; the server skips what it has.
 * - A batch refused as malformed is found by sending one message at a time; the message in flight when the call ends is
 *   the guilty one. It is taken apart into single records, and a single record becomes a gap in its place.
 */

import { status as GrpcStatus } from "@grpc/grpc-js";
import type { EncodedBatch } from "../encode/encoded-batch.js";
import { FencedError, InvalidArgumentError, type TailkeepError } from "../errors/errors.js";
import { type CallStatus, errorFromStatus } from "../errors/from-status.js";
import { RECONNECTED_SPREAD_MS, SUPERSEDED_FORGET_MS, SUPERSEDED_MAX } from "../limits.js";
import type { AckedRejection } from "../records/rejection.js";
import type { StreamTotals } from "../records/totals.js";
import { Backoff } from "../transport/backoff.js";
import type { StreamInfo } from "../transport/ingest-transport.js";
import { BatchQueue } from "./batch-queue.js";
import { meaningOf } from "./call-end.js";
import type { StreamMachineConfig, StreamObserver, StreamPort, StreamTimer } from "./stream-driver.js";
import { broken, StreamProgress } from "./stream-progress.js";
import { mayGo, type StreamState } from "./stream-state.js";

export class StreamMachine {
  readonly #config: StreamMachineConfig;
  readonly #port: StreamPort;
  readonly #observer: StreamObserver;
  readonly #queue = new BatchQueue();
  readonly #progress: StreamProgress;
  /** Waits for a server that is not reached, and for one that refuses: the one says nothing about the other. */
  readonly #networkBackoff: Backoff;
  readonly #refusalBackoff: Backoff;
  #state: StreamState = { name: "idle" };
  #calls = 0;
  #everOpened = false;
  #openWanted = false;
  #finishing = false;

  // Of the current call.
  #writable = true;
  #sentBytes = 0;
  #creditBytes = 0;
  #openedAtMs = 0;

  /** Up to here one message at a time is sent, to find the malformed one. */
  #suspectThroughSeq = 0;
  #superseded = 0;
  #lastActivityMs = 0;
  #idleTimerSet = false;
  /** When a wait for the network ends by itself; undefined while not waiting, or waiting because the server asked to. */
  #networkWaitEndsMs: number | undefined;

  constructor(config: StreamMachineConfig, port: StreamPort, observer: StreamObserver) {
    this.#config = config;
    this.#port = port;
    this.#observer = observer;
    this.#networkBackoff = new Backoff(config.random, config.retryBudget);
    this.#refusalBackoff = new Backoff(config.random);
    this.#progress = new StreamProgress(config.ackedSeq, config.sentSeq);
  }

  get state(): StreamState {
    return this.#state;
  }
  get ackedSeq(): number {
    return this.#progress.ackedSeq;
  }
  get appendedSeq(): number {
    return this.#progress.appendedSeq;
  }
  /** Highest number sent in any call: what is above it cannot be durable. */
  get sentSeq(): number {
    return this.#progress.sentSeq;
  }
  get queuedEntries(): number {
    return this.#queue.entries;
  }
  get queuedBytes(): number {
    return this.#queue.bytes;
  }
  /** Nothing is sent and unacked, and what is enqueued now would go out at once. */
  get wireIsIdle(): boolean {
    return this.#queue.length === 0;
  }
  /** What became of 1 to ackedSeq. */
  get totals(): StreamTotals {
    return this.#progress.totals;
  }

  /** What is not known to be durable, in order: what a spill would keep. */
  unacked(): EncodedBatch[] {
    return this.#queue.toArray();
  }

  // --- from above ---

  enqueue(batch: EncodedBatch): void {
    const problem = this.#progress.append(batch.firstSeq, batch.lastSeq);
    if (problem !== undefined) {
      this.#fail(problem);
      return;
    }
    if (batch.lastSeq <= this.ackedSeq) {
      // A resend of what the server said it has.
      this.#observer.progressed();
      return;
    }
    this.#queue.push(batch);
    this.#lastActivityMs = this.#port.nowMs();
    if (this.#state.name === "open") this.#pump();
    else if (this.#state.name === "idle") this.#startCall();
  }

  /**
   * Gives up the oldest batch of records that was never sent, whose numbers become a declared gap. Returns what was lost,
   * undefined if all that is queued was sent before.
   */
  dropOldestUnsent(gapOf: (firstSeq: number, count: number) => EncodedBatch): EncodedBatch | undefined {
    return this.#isOver() ? undefined : this.#queue.dropOldestAbove(this.#progress.sentSeq, gapOf);
  }

  /** Opens even with nothing to send, to learn what the server has. */
  open(): void {
    if (this.#everOpened || this.#isOver()) return;
    this.#openWanted = true;
    if (this.#state.name === "idle") this.#startCall();
  }

  /** Nothing more will be enqueued: half-close when everything is acked. */
  finish(): void {
    if (this.#isOver()) return;
    this.#finishing = true;
    this.#finishIfDone();
  }

  /** Ends the call as if the network had: whoever is at its other end does not answer. It is made again after a wait. */
  hangUp(message: string): void {
    const state = this.#state;
    if (state.name !== "open" && state.name !== "halfClosed") return;
    this.#port.cancel(state.call);
    this.ended(state.call, { status: GrpcStatus.UNAVAILABLE, message });
  }

  /** Discards now. What is unacked stays readable by `unacked`. */
  abort(): void {
    if (this.#isOver()) return;
    this.#dropCall();
    this.#go({ name: "closed" });
  }

  // --- from the transport ---

  opened(call: number, info: StreamInfo): void {
    if (this.#state.name !== "opening" || this.#state.call !== call) return;
    const problem = this.#progress.checkOpened(info, !this.#everOpened);
    if (problem !== undefined) {
      this.#fail(problem);
      return;
    }
    const before = this.totals;
    const ownGaps = this.#adopt(info);
    this.#port.clearTimer("openTimeout");
    this.#everOpened = true;
    this.#openWanted = false;
    this.#openedAtMs = this.#port.nowMs();
    this.#lastActivityMs = this.#openedAtMs;
    this.#writable = true;
    this.#sentBytes = 0;
    this.#creditBytes = info.creditBytes;
    this.#go({ name: "open", call, info });
    this.#observer.opened(info, before, ownGaps);
    this.#observer.progressed();
    this.#pump();
    this.#whenDrained();
  }

  acked(call: number, committedSeq: number, rejected: readonly AckedRejection[]): void {
    if (!this.#isCurrent(call)) return;
    const problem = this.#progress.checkAck(committedSeq);
    if (problem !== undefined) {
      this.#fail(problem);
      return;
    }
    const isNew = this.#progress.ack(committedSeq, rejected.length, this.#release(committedSeq));
    if (isNew) {
      this.#resetBackoffs();
      this.#lastActivityMs = this.#port.nowMs();
    }
    if (rejected.length > 0) {
      this.#observer.rejected(rejected.map((rejection) => ({ ...rejection, by: "server" as const })));
    }
    if (isNew) this.#observer.progressed();
    this.#pump();
    this.#whenDrained();
  }

  credited(call: number, creditBytes: number): void {
    if (!this.#isCurrent(call) || creditBytes <= this.#creditBytes) return;
    this.#creditBytes = creditBytes;
    this.#pump();
  }

  drained(call: number): void {
    if (!this.#isCurrent(call)) return;
    this.#writable = true;
    this.#pump();
  }

  ended(call: number, end: CallStatus): void {
    const state = this.#state;
    if ((state.name !== "opening" && state.name !== "open" && state.name !== "halfClosed") || state.call !== call)
      return;
    this.#port.clearTimer("openTimeout");
    this.#clearIdle();
    const meaning = meaningOf(end);
    switch (meaning) {
      case "fatal":
        this.#fail(errorFromStatus(end));
        return;
      case "bad-batch":
        this.#isolate(end);
        return;
      case "superseded":
        if (this.#port.nowMs() - this.#openedAtMs > SUPERSEDED_FORGET_MS) this.#superseded = 0;
        if (++this.#superseded >= SUPERSEDED_MAX) {
          this.#fail(
            new FencedError("another process writes this stream under the same writer_id: give each its own", {
              code: "SUPERSEDED",
              retryable: false,
              grpcStatus: end.status,
            }),
          );
          return;
        }
        break;
      default:
        break;
    }
    this.#queue.rewind();
    if (this.#queue.length === 0 && !this.#openWanted) {
      // Nothing is lost and nothing is wanted: a later append opens again.
      this.#go({ name: this.#finishing ? "closed" : "idle" });
    } else if (meaning === "ended" && state.name === "halfClosed") {
      this.#startCall();
    } else {
      // A server says why it refuses; where nothing is said, it was not reached.
      const isUnreached = end.status === GrpcStatus.UNAVAILABLE && end.code === undefined;
      if (!isUnreached) this.#networkBackoff.reset();
      const delayMs = (isUnreached ? this.#networkBackoff : this.#refusalBackoff).nextMs(end.retryAfterMs);
      this.#networkWaitEndsMs = isUnreached ? this.#port.nowMs() + delayMs : undefined;
      this.#wait(delayMs, meaning === "ended" ? undefined : errorFromStatus(end));
    }
  }

  /** The network is back: what remains of a wait for it is cut short. */
  connected(): void {
    const endsMs = this.#networkWaitEndsMs;
    if (this.#state.name !== "waiting" || endsMs === undefined) return;
    this.#networkWaitEndsMs = undefined;
    const delayMs = this.#config.random() * RECONNECTED_SPREAD_MS;
    if (this.#port.nowMs() + delayMs < endsMs) this.#port.setTimer("reopen", delayMs);
  }

  timerFired(name: StreamTimer): void {
    if (name === "reopen" && this.#state.name === "waiting") {
      this.#startCall();
    } else if (name === "openTimeout" && (this.#state.name === "opening" || this.#state.name === "halfClosed")) {
      const { name: doing, call } = this.#state;
      this.#port.cancel(call);
      this.ended(call, {
        status: GrpcStatus.UNAVAILABLE,
        message: `no answer within ${this.#config.openTimeoutMs} ms of ${doing === "opening" ? "opening" : "closing"} the stream`,
      });
    } else if (name === "idle") {
      this.#idleTimerSet = false;
      this.#closeIfIdle();
    }
  }

  // --- inside ---

  #isOver(): boolean {
    return this.#state.name === "closed" || this.#state.name === "failed";
  }

  #isCurrent(call: number): boolean {
    const state = this.#state;
    return (state.name === "open" || state.name === "halfClosed") && state.call === call;
  }

  #go(next: StreamState): void {
    if (!mayGo(this.#state.name, next.name)) {
      // A bug of ours: the stream must stop, the trainer must not.
      if (this.#isOver()) return;
      this.#dropCall();
      this.#state = { name: "failed", error: broken(`${this.#state.name} -> ${next.name} is no transition`) };
    } else {
      this.#state = next;
    }
    this.#observer.stateChanged(this.#state);
    if (this.#isOver()) this.#observer.progressed();
  }

  #fail(error: TailkeepError): void {
    this.#dropCall();
    this.#go({ name: "failed", error });
  }

  /** Cancels whatever call there is and forgets its timers. */
  #dropCall(): void {
    const state = this.#state;
    this.#port.clearTimer("openTimeout");
    this.#port.clearTimer("reopen");
    this.#clearIdle();
    if (state.name === "opening" || state.name === "open" || state.name === "halfClosed") this.#port.cancel(state.call);
  }

  #startCall(): void {
    const call = ++this.#calls;
    this.#networkWaitEndsMs = undefined;
    this.#queue.rewind();
    this.#go({ name: "opening", call });
    // A listener may have aborted the stream.
    if (this.#isOver()) return;
    this.#port.setTimer("openTimeout", this.#config.openTimeoutMs);
    this.#port.startCall(call, {
      sessionId: this.#config.sessionId,
      streamId: this.#config.streamId,
      writerId: this.#config.writerId,
      ackedSeq: this.ackedSeq,
      // Once it was ours, taking it again would steal it from whoever took it since.
      takeover: this.#config.takeover && !this.#everOpened,
      labels: this.#config.labels,
    });
  }

  #resetBackoffs(): void {
    this.#networkBackoff.reset();
    this.#refusalBackoff.reset();
  }

  #wait(delayMs: number, because: TailkeepError | undefined): void {
    this.#go({ name: "waiting", delayMs, because });
    if (this.#state.name === "waiting") this.#port.setTimer("reopen", delayMs);
  }

  /** Takes over what the server says, which has been checked; returns how many numbers of our own gaps are acked by it. */
  #adopt(info: StreamInfo): number {
    const ahead = info.committedSeq - this.ackedSeq;
    let ownGaps = 0;
    const renumber = ahead > 0 && !this.#everOpened && this.#config.numbering === "continue";
    if (renumber) {
      this.#queue.renumber(ahead);
      this.#progress.shift(ahead);
    } else {
      ownGaps = this.#release(info.committedSeq);
    }
    if (ahead > 0 && this.#everOpened) this.#resetBackoffs();
    this.#progress.opened(info);
    if (renumber) this.#observer.renumbered(ahead);
    return ownGaps;
  }

  /** Forgets batches that are durable; returns how many numbers of gaps were among them. */
  #release(committedSeq: number): number {
    let gapped = 0;
    for (let batch = this.#queue.first(); batch !== undefined; batch = this.#queue.first()) {
      if (batch.lastSeq > committedSeq) break;
      if (batch.isGap) gapped += batch.count;
      this.#queue.shift();
    }
    return gapped;
  }

  #pump(): void {
    const state = this.#state;
    if (state.name !== "open") return;
    while (this.#writable) {
      const batch = this.#queue.nextUnsent();
      if (batch === undefined) return;
      const inFlight = this.#queue.sentCount;
      if (inFlight > 0) {
        if (this.ackedSeq < this.#suspectThroughSeq) return;
        // With nothing in flight one batch is always allowed, else two sides could wait for each other for ever.
        if (this.#sentBytes + batch.creditBytes > this.#creditBytes) return;
      }
      this.#queue.markSent();
      this.#sentBytes += batch.creditBytes;
      this.#progress.send(batch.lastSeq);
      this.#writable = this.#port.send(state.call, batch);
    }
  }

  /** A batch was refused as malformed or too large. */
  #isolate(end: CallStatus): void {
    const inFlight = this.#queue.sentCount;
    const guilty = this.#queue.first();
    if (this.#state.name === "opening" || inFlight === 0 || guilty === undefined) {
      // Then it is about the open itself.
      this.#fail(errorFromStatus(end));
      return;
    }
    this.#suspectThroughSeq = Math.max(this.#suspectThroughSeq, this.#progress.sentSeq);
    this.#queue.rewind();
    if (inFlight === 1) {
      if (guilty.isGap) {
        this.#fail(
          new InvalidArgumentError(`the server refuses the gap at ${guilty.firstSeq}: ${end.message}`, {
            code: end.code ?? "MALFORMED",
            retryable: false,
            grpcStatus: end.status,
          }),
        );
        return;
      }
      if (guilty.entryCount > 1) {
        this.#queue.replaceFirst(guilty.split());
      } else {
        this.#queue.replaceFirst([guilty.asInvalidGap()]);
        this.#observer.rejected([{ by: "decoder", seq: guilty.firstSeq, message: end.message, entry: guilty.bytes }]);
      }
    }
    // Each round takes something apart, so it ends; there is nothing to wait for.
    if (!this.#isOver()) this.#wait(0, undefined);
  }

  /** The queue may have become empty: finish, or begin to count idle time. */
  #whenDrained(): void {
    if (this.#state.name !== "open" || this.#queue.length > 0) return;
    if (this.#finishing) this.#finishIfDone();
    else if (!this.#idleTimerSet) {
      this.#idleTimerSet = true;
      this.#port.setTimer("idle", this.#config.idleCloseMs);
    }
  }

  #closeIfIdle(): void {
    const state = this.#state;
    if (state.name !== "open" || this.#queue.length > 0) return;
    const leftMs = this.#lastActivityMs + this.#config.idleCloseMs - this.#port.nowMs();
    if (leftMs > 0) {
      // One timer that is pushed back, instead of one set and cleared with every batch.
      this.#idleTimerSet = true;
      this.#port.setTimer("idle", Math.max(1, leftMs));
      return;
    }
    this.#halfClose(state.call);
  }

  #clearIdle(): void {
    if (!this.#idleTimerSet) return;
    this.#idleTimerSet = false;
    this.#port.clearTimer("idle");
  }

  #finishIfDone(): void {
    const state = this.#state;
    if (this.#queue.length > 0) return;
    if (state.name === "open") {
      this.#halfClose(state.call);
    } else if (state.name !== "halfClosed") {
      this.#dropCall();
      this.#go({ name: "closed" });
    }
  }

  #halfClose(call: number): void {
    this.#clearIdle();
    this.#go({ name: "halfClosed", call });
    this.#port.setTimer("openTimeout", this.#config.openTimeoutMs);
    this.#port.halfClose(call);
  }
}

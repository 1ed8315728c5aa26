/**
 * One Ingest call, from its first message to its status. Knows the protocol and nothing of gRPC: the wire is an interface.
 *
 * States:
 *   awaitingOpen -> opening -> open -> draining -> ended
 * `opening` and every wait for memory have reading paused, so messages arrive one at a time. `draining`: the writer has
 * half-closed; what was taken is committed and acked, then the call ends with OK. Any error ends the call with a status
 * from any state; what is in a transaction is left to its fate, the rest is dropped unacked and will be sent again.
 */
import type { IngestResponse } from "@tailkeep/proto";
import { ProgressWriter } from "../ack/progress-writer.js";
import type { Clock } from "../base/clock.js";
import { BATCH_BYTES_MAX, CREDIT_AT_REST_MS, STREAM_WINDOW_BYTES_MIN, STREAM_WINDOW_BYTES_OPENING } from "../limits.js";
import type { Batch, RejectedEntry } from "../record/batch.js";
import { decodeBatch, requestPart } from "../record/decode.js";
import type { Quota } from "../rpc/caller.js";
import { RpcError } from "../rpc/errors.js";
import { countsMessage } from "../rpc/messages.js";
import type { SessionListener, StreamSession } from "../session/session.js";
import type { Opened, Sessions } from "../session/sessions.js";
import { IngestBudget } from "./budget.js";
import { readOpenStream } from "./open-request.js";
import { crowdedError, decodeError, refusalError } from "./refusals.js";

export interface IngestWire {
  /** False: the connection is full; `onWritable` follows. */
  send(response: IngestResponse): boolean;
  pause(): void;
  resume(): void;
  /** Ends the call: with OK, or with what was thrown. */
  end(error?: unknown): void;
}

export interface IngestContext {
  namespace: string;
  /** What its key may still take. */
  quota: Quota;
  sessions: Sessions;
  budget: IngestBudget;
  clock: Clock;
  /** Whether acks survive a power loss. */
  durable(): boolean;
  serverVersion: string;
  received(bytes: number, records: number): void;
  /** Dead letters of a stream between two numbers. */
  earlierRejections(key: bigint, fromSeq: number, toSeq: number): Promise<Omit<RejectedEntry, "body">[]>;
}

interface Charge {
  size: number;
  cost: number;
}

type State = "awaitingOpen" | "opening" | "open" | "draining" | "ended";

export class IngestCall {
  readonly #wire: IngestWire;
  readonly #context: IngestContext;
  #state: State = "awaitingOpen";
  #session: StreamSession | undefined;
  #progress: ProgressWriter | undefined;
  /** Encoded bytes of batches: received since open, and of these no longer in memory. */
  #receivedBytes = 0;
  #releasedBytes = 0;
  /** Of batches that are held: encoded size, for the writer's credit, and what memory was charged for them. */
  readonly #charged = new Map<Batch, Charge>();
  #stopWaiting: (() => void) | undefined;
  /** While its key has taken more than its rate: reading stands still until then. */
  #slowed: AbortController | undefined;
  #halfClosed = false;
  #shuttingDown = false;
  #offeredCredit = 0;
  /** While nothing of it waits and its credit is below a largest batch. */
  #resting: AbortController | undefined;

  constructor(wire: IngestWire, context: IngestContext) {
    this.#wire = wire;
    this.#context = context;
  }

  onMessage(bytes: Buffer): void {
    if (this.#state === "ended") return;
    try {
      const part = requestPart(bytes);
      if (part.kind === "open") this.#onOpen(bytes.subarray(part.start, part.end));
      else if (part.kind === "batch") this.#onBatch(bytes, part.start, part.end);
      else throw new RpcError("MALFORMED", "request: neither open nor batch is set; set one of them");
    } catch (error) {
      this.#fail(decodeError(error));
    }
  }

  /** The writer has sent everything. */
  onHalfClose(): void {
    this.#halfClosed = true;
    if (this.#state === "awaitingOpen")
      this.#fail(new RpcError("NOT_OPENED", "the call ended before `open`; send it first"));
    // While opening or waiting for memory, the rest follows when that is over.
    if (this.#state === "open" && this.#stopWaiting === undefined) this.#drain();
  }

  /** The connection takes more. */
  onWritable(): void {
    this.#progress?.writable();
    this.#updateReading();
  }

  /** The call is gone: cancelled, or its connection lost. */
  onGone(): void {
    this.#finish();
  }

  /** The server ends: whatever is not decided by now will be found in the database by the next open. */
  abort(): void {
    this.#fail(new RpcError("SHUTTING_DOWN", "the server is shutting down; reconnect and resend what is not acked"));
  }

  /** Its key has ended: what was taken and is not durable yet is left to be found by the next open. */
  shutOut(error: unknown): void {
    this.#fail(error);
  }

  /** The server is going away: what was taken is committed and acked, more is not read. */
  shutdown(): void {
    if (this.#state === "open") {
      this.#wire.pause();
      this.#shuttingDown = true;
      this.#drain();
    } else if (this.#state !== "draining")
      this.#fail(new RpcError("SHUTTING_DOWN", "the server is shutting down; reconnect"));
  }

  #onOpen(bytes: Uint8Array): void {
    if (this.#state !== "awaitingOpen") {
      throw new RpcError("ALREADY_OPENED", "open: the stream is open; send it once, as the first message");
    }
    const request = readOpenStream(bytes, this.#context.namespace);
    // A stream that is opened may send a largest batch at once, for which there would be no room.
    if (this.#context.budget.crowded) throw crowdedError();
    this.#state = "opening";
    this.#wire.pause();
    void this.#context.sessions.open(request, this.#listener()).then(
      (result) => {
        if ("refusal" in result) this.#fail(refusalError(result.refusal));
        else this.#opened(result.session, result.opened);
      },
      (error: unknown) => this.#fail(error),
    );
  }

  #opened(session: StreamSession, opened: Opened): void {
    if (this.#state === "ended") {
      session.end();
      this.#context.sessions.closed(session);
      return;
    }
    this.#state = "open";
    this.#session = session;
    const { budget, sessions } = this.#context;
    const creditBytes = budget.window(sessions.openCount, sessions.openCount, STREAM_WINDOW_BYTES_OPENING);
    this.#offeredCredit = creditBytes;
    const { counts, regressed } = opened;
    this.#progress = new ProgressWriter(
      { send: (response) => this.#wire.send(response), defer: (work) => this.#context.clock.defer(work) },
      opened.committedSeq,
      creditBytes,
    );
    this.#wire.send({
      message: {
        $case: "opened",
        value: {
          epoch: BigInt(opened.epoch),
          committedSeq: BigInt(opened.committedSeq),
          counts: countsMessage(counts),
          creditBytes: BigInt(creditBytes),
          regressed:
            regressed === null
              ? undefined
              : { firstSeq: BigInt(regressed.firstSeq), lastSeq: BigInt(regressed.lastSeq) },
          durable: this.#context.durable(),
          serverVersion: this.#context.serverVersion,
        },
      },
    });
    this.#wire.resume();
    this.#restIfIdle();
    if (this.#halfClosed) this.#drain();
  }

  #onBatch(bytes: Buffer, start: number, end: number): void {
    if (this.#state !== "open")
      throw new RpcError("NOT_OPENED", "batch: the stream is not open; send `open` first and wait");
    const size = end - start;
    if (size > BATCH_BYTES_MAX) {
      throw new RpcError("BATCH_TOO_LARGE", `batch: has ${size} bytes; send at most ${BATCH_BYTES_MAX} in one`);
    }
    this.#context.budget.pace.took(size, this.#receivedBytes === this.#releasedBytes);
    this.#receivedBytes += size;
    const cost = IngestBudget.cost(bytes.length);
    if (this.#context.budget.tryCharge(cost)) {
      this.#take(bytes, start, end);
      return;
    }
    if (this.#context.budget.crowded) throw crowdedError();
    this.#wire.pause();
    this.#stopWaiting = this.#context.budget.charge(cost, () => {
      this.#stopWaiting = undefined;
      try {
        this.#take(bytes, start, end);
        this.#updateReading();
        if (this.#halfClosed) this.#drain();
      } catch (error) {
        this.#fail(decodeError(error));
      }
    });
  }

  /** Decodes a batch that is charged for, and hands it on. */
  #take(bytes: Buffer, start: number, end: number): void {
    const charge = { size: end - start, cost: IngestBudget.cost(bytes.length) };
    let held = false;
    try {
      const batch = decodeBatch(bytes, start, end, this.#context.clock.nowUs());
      charge.cost += this.#context.budget.extend(IngestBudget.decodedCost(batch) - charge.cost);
      const outcome = this.#session?.accept(batch);
      if (outcome === "accepted") {
        held = true;
        this.#charged.set(batch, charge);
        const records = batch.rowCount + batch.rejected.length;
        this.#context.received(charge.size, records);
        this.#context.quota.take(charge.size, records);
        this.#updateReading();
      } else if (outcome !== "ignored" && outcome !== undefined) throw refusalError(outcome);
    } finally {
      if (!held) {
        this.#giveBack(charge, false);
        // What was committed before brings no ack, but the writer has paid for it.
        if (this.#progress !== undefined) this.#offerCredit(this.#progress);
      }
    }
  }

  #listener(): SessionListener {
    return {
      progress: (committedSeq, rejected, batches) => {
        this.#release(batches, true);
        this.#progress?.committed(committedSeq, rejected);
        if (this.#progress !== undefined) this.#offerCredit(this.#progress);
        this.#updateReading();
      },
      drained: () => this.#finishDrained(),
      refused: (refusal, dropped) => {
        this.#release(dropped, false);
        this.#fail(refusalError(refusal));
      },
    };
  }

  #release(batches: readonly Batch[], durable: boolean): void {
    for (const batch of batches) {
      const charge = this.#charged.get(batch);
      if (charge === undefined) continue;
      this.#charged.delete(batch);
      this.#giveBack(charge, durable);
    }
  }

  #giveBack({ size, cost }: Charge, durable: boolean): void {
    this.#releasedBytes += size;
    this.#context.budget.pace.released(size, durable, this.#releasedBytes === this.#receivedBytes);
    this.#context.budget.release(cost);
  }

  #window(): number {
    const { budget, sessions } = this.#context;
    return budget.window(sessions.openCount, budget.pace.busyStreams, STREAM_WINDOW_BYTES_MIN);
  }

  /**
   * Credit is worth a message when it has grown by a quarter of the window, or when little of it is left. A share below a
   * largest batch is enough for those who send small ones; for others it grows once nothing of theirs waits.
   */
  #offerCredit(progress: ProgressWriter): void {
    const window = this.#window();
    const credit = this.#releasedBytes + window;
    const growth = credit - this.#offeredCredit;
    const left = this.#offeredCredit - this.#receivedBytes;
    const short = left < (window < BATCH_BYTES_MAX ? window / 2 : BATCH_BYTES_MAX);
    if (growth >= window / 4 || (short && growth > 0)) {
      this.#offeredCredit = credit;
      progress.credit(credit);
    }
    this.#restIfIdle();
  }

  /** Every stream may always send one largest batch: at the latest when it has had nothing unacked for a moment. */
  #restIfIdle(): void {
    const needs = () =>
      this.#state === "open" &&
      this.#receivedBytes === this.#releasedBytes &&
      this.#offeredCredit - this.#receivedBytes < BATCH_BYTES_MAX;
    if (this.#resting !== undefined || !needs()) return;
    const resting = new AbortController();
    this.#resting = resting;
    void this.#context.clock.sleep(CREDIT_AT_REST_MS, resting.signal).then(() => {
      this.#resting = undefined;
      if (!needs()) return;
      this.#offeredCredit = this.#receivedBytes + BATCH_BYTES_MAX;
      this.#progress?.credit(this.#offeredCredit);
    });
  }

  /** Reading stops while the writer is past its window (it ignores credit), waits for memory, or does not read acks. */
  #updateReading(): void {
    if (this.#state !== "open" || this.#stopWaiting !== undefined || this.#shuttingDown) return;
    const pending = this.#receivedBytes - this.#releasedBytes;
    if (pending > Math.max(BATCH_BYTES_MAX, this.#window()) || this.#progress?.flush() === false || this.#isSlowed())
      this.#wire.pause();
    else this.#wire.resume();
  }

  /** Streams of a key above its rate are slowed: what they send waits in their connections. */
  #isSlowed(): boolean {
    if (this.#slowed !== undefined) return true;
    const { quota, clock } = this.#context;
    const waitMs = quota.waitMs();
    if (waitMs === 0) return false;
    const slowed = new AbortController();
    this.#slowed = slowed;
    void clock.sleep(waitMs, slowed.signal).then(() => {
      this.#slowed = undefined;
      this.#updateReading();
    });
    return true;
  }

  #drain(): void {
    if (this.#state !== "open") return;
    this.#state = "draining";
    this.#session?.halfClose();
  }

  #finishDrained(): void {
    this.#progress?.flushLast();
    const error = this.#shuttingDown
      ? new RpcError("SHUTTING_DOWN", "the server is shutting down; everything it took is acked; reconnect")
      : undefined;
    this.#wire.end(error);
    this.#finish();
  }

  #fail(error: unknown): void {
    if (this.#state === "ended") return;
    // What is durable by now is said before the call ends.
    this.#progress?.flushLast();
    this.#wire.end(error);
    this.#finish();
  }

  #finish(): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#progress?.end();
    this.#stopWaiting?.();
    this.#stopWaiting = undefined;
    this.#slowed?.abort();
    this.#resting?.abort();
    if (this.#session === undefined) return;
    this.#release(this.#session.end(), false);
    this.#context.sessions.closed(this.#session);
    // What waited for memory, or was refused it, was received and never charged for.
    let held = 0;
    for (const { size } of this.#charged.values()) held += size;
    const size = this.#receivedBytes - this.#releasedBytes - held;
    if (size > 0) this.#giveBack({ size, cost: 0 }, false);
  }
}

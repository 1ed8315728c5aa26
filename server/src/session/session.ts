/**
 * A stream that a writer holds open on this server: its place in the sequence, and what of it is durable.
 *
 * States: open -> (draining) -> ended. `open` takes batches; `draining` only waits for what it took; `ended` is final,
 * with or without a refusal. Progress never goes back: acked <= committed <= accepted, asserted on every step.
 */
import type { Committed, GroupCommit } from "../commit/group-commit.js";
import { type QueueIdentity, StreamQueue } from "../commit/stream-queue.js";
import { type Batch, type RejectedEntry, storedPart } from "../record/batch.js";
import type { StreamCounts } from "../store/model.js";
import type { RunOutcome } from "../store/store.js";

const NONE: ReadonlySet<number> = new Set();

/** Why a stream cannot go on. */
export type Refusal =
  | { kind: "fenced"; writerId?: string }
  | { kind: "superseded" }
  | { kind: "hole"; firstSeq: number; expectedSeq: number }
  | { kind: "broken"; message: string }
  | { kind: "tooManyStreams" }
  | { kind: "deleting" }
  | { kind: "tooManyOpen" };

export interface SessionListener {
  /** More is durable; `batches` are no longer held. */
  progress(committedSeq: number, rejected: readonly RejectedEntry[], batches: readonly Batch[]): void;
  /** Everything accepted is durable and no more will come. */
  drained(): void;
  /** The stream is over; `dropped` batches were not committed by this call. */
  refused(refusal: Refusal, dropped: readonly Batch[]): void;
}

export class StreamSession {
  readonly #commit: GroupCommit;
  readonly #listener: SessionListener;
  readonly #queue: StreamQueue;
  #state: "open" | "draining" | "ended" = "open";
  #acceptedSeq: number;
  #committedSeq: number;
  #counts: StreamCounts;
  #inCommit: Batch[] = [];

  constructor(
    identity: QueueIdentity,
    opened: { committedSeq: number; counts: StreamCounts },
    commit: GroupCommit,
    listener: SessionListener,
  ) {
    this.#commit = commit;
    this.#listener = listener;
    this.#acceptedSeq = opened.committedSeq;
    this.#committedSeq = opened.committedSeq;
    this.#counts = opened.counts;
    this.#queue = new StreamQueue(identity, {
      committed: (batches, outcome) => this.#committed(batches, outcome),
      failed: (outcome) => this.#failed(outcome),
    });
  }

  get identity(): QueueIdentity {
    return this.#queue.identity;
  }

  get committedSeq(): number {
    return this.#committedSeq;
  }

  get counts(): StreamCounts {
    return this.#counts;
  }

  /** Takes a batch, unless it leaves a hole or the stream has ended; a batch that is all old is taken and ignored. */
  accept(batch: Batch): "accepted" | "ignored" | Refusal {
    if (this.#state !== "open") return "ignored";
    if (batch.firstSeq > this.#acceptedSeq + 1) {
      return { kind: "hole", firstSeq: batch.firstSeq, expectedSeq: this.#acceptedSeq + 1 };
    }
    if (batch.lastSeq <= this.#acceptedSeq) return "ignored";
    // One transaction may get both batches, and only the watermark before it is skipped there. Numbers that are committed
    // already are left to it, as it also looks up what became of them.
    if (batch.firstSeq <= this.#acceptedSeq && this.#inCommit.length > 0) {
      Object.assign(batch, storedPart(batch, this.#acceptedSeq, NONE));
    }
    this.#acceptedSeq = batch.lastSeq;
    this.#inCommit.push(batch);
    this.#commit.enqueue(this.#queue, batch);
    return "accepted";
  }

  /** The writer will send nothing more. */
  halfClose(): void {
    if (this.#state !== "open") return;
    this.#state = "draining";
    this.#finishIfDrained();
  }

  /** Ends the stream with what is in a transaction going on; returns the batches that no transaction has. */
  end(): Batch[] {
    this.#state = "ended";
    const dropped = this.#commit.abandon(this.#queue);
    this.#inCommit = this.#inCommit.filter((batch) => !dropped.includes(batch));
    return dropped;
  }

  /** Another open took the stream, on this server. */
  refuse(refusal: Refusal): void {
    if (this.#state === "ended") return;
    this.#listener.refused(refusal, this.end());
  }

  #committed(batches: readonly Batch[], outcome: Committed): void {
    const { committedSeq, counts, rejected } = outcome;
    if (committedSeq < this.#committedSeq) throw new Error(`committed ${committedSeq} after ${this.#committedSeq}`);
    this.#committedSeq = committedSeq;
    this.#counts = counts;
    this.#inCommit.splice(0, batches.length);
    // An ended stream still gives back what it had charged.
    this.#listener.progress(committedSeq, rejected, batches);
    this.#finishIfDrained();
  }

  #failed(outcome: Exclude<RunOutcome, { kind: "committed" }>): void {
    const dropped = this.#inCommit.splice(0);
    const wasOpen = this.#state !== "ended";
    this.#state = "ended";
    if (!wasOpen) {
      this.#listener.progress(this.#committedSeq, [], dropped);
      return;
    }
    if (outcome.kind === "hole") {
      this.#listener.refused(
        { kind: "hole", firstSeq: dropped[0]?.firstSeq ?? 0, expectedSeq: outcome.expectedSeq },
        dropped,
      );
    } else this.#listener.refused(outcome, dropped);
  }

  #finishIfDrained(): void {
    if (this.#state !== "draining" || this.#inCommit.length > 0) return;
    this.#state = "ended";
    this.#listener.drained();
  }
}

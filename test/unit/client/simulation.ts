/**
 * A trainer's stream against a server on a virtual clock and a network that loses calls at any point. One seed gives one
 * run, so a failing one can be repeated.
 */

import type { Entry } from "@tailkeep/proto";
import { RecordBatch } from "@tailkeep/proto";
import type { Clock } from "../../../client/src/clock.js";
import type { EncodedBatch } from "../../../client/src/encode/encoded-batch.js";
import type { CallStatus } from "../../../client/src/errors/from-status.js";
import type {
  IngestCall,
  IngestCallHandlers,
  IngestTransport,
  OpenRequest,
} from "../../../client/src/transport/ingest-transport.js";

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly fire: () => void;
}

/** Time that passes only when told to; what is due at the same time fires in the order it was set. */
export class VirtualClock implements Clock {
  #nowMs = 0;
  #order = 0;
  #state: number;
  readonly #timers = new Set<Timer>();

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, fire: () => void): () => void {
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, fire };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  afterKeepingAlive(delayMs: number, fire: () => void): () => void {
    return this.after(delayMs, fire);
  }

  soon(fire: () => void): void {
    this.after(0, fire);
  }

  /** mulberry32. */
  random(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** Fires everything due until then. */
  advanceTo(untilMs: number): void {
    while (this.step(untilMs));
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  /** Fires the next timer; false if there is none before `untilMs`. */
  step(untilMs = Number.POSITIVE_INFINITY): boolean {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (next === undefined || timer.atMs < next.atMs || (timer.atMs === next.atMs && timer.order < next.order)) {
        next = timer;
      }
    }
    if (next === undefined || next.atMs > untilMs) return false;
    this.#timers.delete(next);
    this.#nowMs = next.atMs;
    next.fire();
    return true;
  }
}

export interface NetworkFaults {
  /** Chance that a message, either way, breaks its call. */
  readonly breakChance: number;
  /** Chance that a call cannot be made at all. */
  readonly refuseChance: number;
  /** Scores that the server cannot decode. */
  readonly malformed: ReadonlySet<number>;
  readonly creditBytes: number;
  /** Planted bug: acks before committing, so that a break in between loses records. */
  readonly ackBeforeCommit?: boolean;
}

/** The server's side of one stream, and the network before it. */
export class SimulatedServer implements IngestTransport {
  readonly entries = new Map<number, Entry>();
  committedSeq = 0;
  gapped = 0;
  duplicates = 0;
  calls = 0;
  bytesOverCredit = 0;
  readonly #clock: VirtualClock;
  #faults: NetworkFaults;
  #epoch = 0;

  constructor(clock: VirtualClock, faults: NetworkFaults) {
    this.#clock = clock;
    this.#faults = faults;
  }

  heal(): void {
    this.#faults = { ...this.#faults, breakChance: 0, refuseChance: 0 };
  }

  open(request: OpenRequest, handlers: IngestCallHandlers): IngestCall {
    this.calls++;
    return new SimulatedCall(this, this.#clock, request, handlers);
  }

  get faults(): NetworkFaults {
    return this.#faults;
  }

  opened(): number {
    return ++this.#epoch;
  }

  isCurrent(epoch: number): boolean {
    return epoch === this.#epoch;
  }

  /** What is wrong with the batch, if anything. */
  commit(firstSeq: number, entries: readonly Entry[]): CallStatus | undefined {
    if (firstSeq > this.committedSeq + 1) return { status: 10, message: "hole", code: "SEQUENCE_GAP" };
    if (entries.some((entry) => this.#faults.malformed.has(scoreOf(entry) ?? -1))) {
      return { status: 3, message: "cannot be decoded", code: "MALFORMED" };
    }
    let seq = firstSeq;
    for (const entry of entries) {
      const count = entry.kind?.$case === "gap" ? Number(entry.kind.value.count) : 1;
      if (seq + count - 1 > this.committedSeq) {
        if (this.entries.has(seq)) this.duplicates++;
        this.entries.set(seq, entry);
        this.committedSeq = seq + count - 1;
        if (entry.kind?.$case === "gap") this.gapped += count;
      }
      seq += count;
    }
    return undefined;
  }
}

class SimulatedCall implements IngestCall {
  readonly #server: SimulatedServer;
  readonly #clock: VirtualClock;
  readonly #handlers: IngestCallHandlers;
  #epoch = -1;
  #receivedBytes = 0;
  #creditBytes: number;
  #queued = 0;
  #over = false;

  constructor(server: SimulatedServer, clock: VirtualClock, request: OpenRequest, handlers: IngestCallHandlers) {
    this.#server = server;
    this.#clock = clock;
    this.#handlers = handlers;
    this.#creditBytes = server.faults.creditBytes;
    if (clock.random() < server.faults.refuseChance) {
      this.#travel(() => this.#end({ status: 14, message: "refused" }));
      return;
    }
    this.#up(() => {
      this.#epoch = server.opened();
      if (request.ackedSeq > server.committedSeq) throw new Error("acked more than was committed");
      const { committedSeq, gapped } = server;
      const counts = { stored: committedSeq - gapped, rejected: 0, gapped };
      const info = { epoch: this.#epoch, committedSeq, counts, creditBytes: this.#creditBytes };
      this.#down(() => handlers.onOpened({ ...info, durable: true, serverVersion: "simulated" }));
    });
  }

  send(batch: EncodedBatch): boolean {
    const { firstSeq, entries } = RecordBatch.decode(batch.recordBatch());
    const bytes = batch.creditBytes;
    const inFlight = ++this.#queued;
    this.#up(() => {
      this.#queued--;
      if (this.#queued === 3) this.#down(() => this.#handlers.onDrain());
      this.#receivedBytes += bytes;
      if (inFlight > 1) {
        this.#server.bytesOverCredit = Math.max(this.#server.bytesOverCredit, this.#receivedBytes - this.#creditBytes);
      }
      if (!this.#server.isCurrent(this.#epoch)) {
        this.#down(() => this.#end({ status: 10, message: "newer call", code: "SUPERSEDED" }));
        return;
      }
      const lastSeq = Number(firstSeq) + batch.count - 1;
      if (this.#server.faults.ackBeforeCommit) {
        this.#down(() => this.#handlers.onAck(lastSeq, []));
        if (this.#clock.random() < this.#server.faults.breakChance) {
          this.#break();
          return;
        }
      }
      const problem = this.#server.commit(Number(firstSeq), entries);
      const { committedSeq } = this.#server;
      this.#creditBytes += bytes;
      const { creditBytes } = { creditBytes: this.#creditBytes };
      this.#down(() => {
        if (problem !== undefined) this.#end(problem);
        else {
          this.#handlers.onAck(committedSeq, []);
          this.#handlers.onCredit(creditBytes);
        }
      });
    });
    return this.#queued < 4;
  }

  halfClose(): void {
    this.#up(() => this.#down(() => this.#end({ status: 0, message: "" })));
  }

  cancel(): void {
    this.#over = true;
  }

  #up(arrive: () => void): void {
    this.#travel(arrive);
  }

  #down(arrive: () => void): void {
    this.#travel(arrive);
  }

  /** Messages of one call keep their order: all take the same time. */
  #travel(arrive: () => void): void {
    if (this.#over) return;
    if (this.#clock.random() < this.#server.faults.breakChance) this.#break();
    this.#clock.after(5, () => {
      if (!this.#over) arrive();
    });
  }

  #break(): void {
    this.#clock.after(this.#clock.random() * 10, () => this.#end({ status: 14, message: "connection lost" }));
  }

  #end(end: CallStatus): void {
    if (this.#over) return;
    this.#over = true;
    this.#handlers.onEnd(end);
  }
}

export function scoreOf(entry: Entry): number | undefined {
  if (entry.kind?.$case !== "record") return undefined;
  const kind = entry.kind.value.kind;
  return kind?.$case === "scoreHistory" ? kind.value.score : undefined;
}

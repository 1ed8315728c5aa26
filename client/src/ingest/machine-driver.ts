/** Connects the protocol machine to a transport and a clock. Holds the current call; the machine knows its number. */

import { status as GrpcStatus } from "@grpc/grpc-js";
import type { Clock } from "../clock.js";
import type { EncodedBatch } from "../encode/encoded-batch.js";
import type { StreamPort, StreamTimer } from "../protocol/stream-driver.js";
import type { StreamMachine } from "../protocol/stream-machine.js";
import type { IngestCall, IngestTransport, OpenRequest } from "../transport/ingest-transport.js";

export class MachineDriver implements StreamPort {
  readonly #transport: IngestTransport;
  readonly #clock: Clock;
  readonly #timers = new Map<StreamTimer, () => void>();
  #machine: StreamMachine | undefined;
  #call: IngestCall | undefined;
  #callNumber = 0;
  #stopListening: (() => void) | undefined;

  constructor(transport: IngestTransport, clock: Clock) {
    this.#transport = transport;
    this.#clock = clock;
  }

  /** The machine is made with its port, so it comes second. */
  attach(machine: StreamMachine): void {
    this.#machine = machine;
  }

  startCall(call: number, request: OpenRequest): void {
    const machine = this.#machine;
    if (machine === undefined) return;
    this.#callNumber = call;
    try {
      this.#call = this.#transport.open(request, {
        onOpened: (info) => machine.opened(call, info),
        onAck: (committedSeq, rejected) => machine.acked(call, committedSeq, rejected),
        onCredit: (creditBytes) => machine.credited(call, creditBytes),
        onDrain: () => machine.drained(call),
        onEnd: (end) => {
          if (this.#callNumber === call) this.#call = undefined;
          machine.ended(call, end);
        },
      });
    } catch (error) {
      // A closed channel throws instead of ending the call.
      this.#call = undefined;
      const message = error instanceof Error ? error.message : String(error);
      this.#clock.soon(() => machine.ended(call, { status: GrpcStatus.UNAVAILABLE, message }));
    }
  }

  send(call: number, batch: EncodedBatch): boolean {
    return this.#current(call)?.send(batch) ?? false;
  }

  halfClose(call: number): void {
    this.#current(call)?.halfClose();
  }

  cancel(call: number): void {
    this.#current(call)?.cancel();
  }

  setTimer(name: StreamTimer, delayMs: number): void {
    this.clearTimer(name);
    this.#timers.set(
      name,
      this.#clock.after(delayMs, () => {
        this.#forgetTimer(name);
        this.#machine?.timerFired(name);
      }),
    );
    // Only a waiting machine wants to know, so an idle stream leaves nothing behind in its channel.
    if (name === "reopen") this.#stopListening = this.#transport.onConnected?.(() => this.#machine?.connected());
  }

  clearTimer(name: StreamTimer): void {
    const cancel = this.#timers.get(name);
    if (cancel === undefined) return;
    this.#forgetTimer(name);
    cancel();
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  #forgetTimer(name: StreamTimer): void {
    this.#timers.delete(name);
    if (name !== "reopen") return;
    this.#stopListening?.();
    this.#stopListening = undefined;
  }

  #current(call: number): IngestCall | undefined {
    return this.#callNumber === call ? this.#call : undefined;
  }
}

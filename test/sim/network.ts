/**
 * Calls between trainers and servers as grpc-js gives them, over a network that delays, stalls, loses connections and
 * tells the two ends of it at different times. Within one call nothing is reordered; between calls everything may be.
 */
import { EventEmitter } from "node:events";
import { status as GrpcStatus, Metadata } from "@grpc/grpc-js";
import { IngestResponse } from "@tailkeep/proto";
import type { SimulatedProcess } from "./process.js";
import type { World } from "./world.js";

export type Direction = "up" | "down";

/** What the other side of a connection is. */
export interface Listener {
  readonly process: SimulatedProcess;
  accept(call: ServerEnd): void;
}

/** Hears what travels, for the oracle. */
export interface Tap {
  sent(call: NetworkCall, message: Buffer): void;
  answered(call: NetworkCall, response: IngestResponse): void;
  heard(call: NetworkCall, response: IngestResponse): void;
}

interface Parcel {
  readonly bytes: number;
  readonly deliver: () => void;
}

/** When a connection whose other end went silently is given up: keepalive. */
const KEEPALIVE_MS = 30_000;

export class Network {
  readonly world: World;
  readonly tap: Tap;
  readonly calls = new Set<NetworkCall>();
  /** Names of processes that cannot send, or not be sent to, as `from>to`. */
  readonly #stalled = new Set<string>();
  readonly #connected = new Map<SimulatedProcess, Set<() => void>>();
  latencyMsMax = 3;
  /** Bytes on the way, per call and direction, from which on a sender should wait. */
  windowBytes = 16_384;
  #numbers = 0;

  constructor(world: World, tap: Tap) {
    this.world = world;
    this.tap = tap;
  }

  /** What a trainer's transport is given in place of a Channel. */
  channelOf(client: SimulatedProcess, pickServer: () => Listener | undefined): unknown {
    const listeners = new Set<() => void>();
    this.#connected.set(client, listeners);
    return {
      grpc: {
        makeBidiStreamRequest: (
          _path: string,
          _serialize: unknown,
          deserialize: (bytes: Buffer) => IngestResponse,
        ): ClientEnd => {
          const call = new NetworkCall(this, ++this.#numbers, client, pickServer(), deserialize);
          this.calls.add(call);
          call.connect();
          return call.client;
        },
      },
      metadata: () => new Metadata(),
      onConnected: (listener: () => void) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    };
  }

  isStalled(from: SimulatedProcess, to: SimulatedProcess): boolean {
    return this.#stalled.has(`${from.name}>${to.name}`);
  }

  /** Nothing gets from one process to another until `heal`. */
  stall(from: SimulatedProcess, to: SimulatedProcess): void {
    this.#stalled.add(`${from.name}>${to.name}`);
  }

  /** What was on its way arrives, where the connection still stands; channels find that they are connected. */
  heal(): void {
    this.#stalled.clear();
    for (const call of this.calls) call.flow();
    this.reconnected();
  }

  /** A server can be reached again. */
  reconnected(): void {
    for (const [process, listeners] of this.#connected) {
      if (!process.isAlive || listeners.size === 0) continue;
      process.after(this.world.latencyMs(1, 800), "connected", () => {
        // A copy: listeners remove themselves, and add others.
        const present = [...listeners];
        for (const listener of present) listener();
      });
    }
  }

  latency(): number {
    return this.world.latencyMs(0.05, this.latencyMsMax);
  }
}

/** One direction of a call: in order, each parcel after the one before it. */
class Pipe {
  readonly #call: NetworkCall;
  readonly #from: SimulatedProcess;
  readonly #to: SimulatedProcess;
  readonly #waiting: Parcel[] = [];
  #bytes = 0;
  #isFull = false;
  #isMoving = false;
  readonly #drained: () => void;

  constructor(call: NetworkCall, from: SimulatedProcess, to: SimulatedProcess, drained: () => void) {
    this.#call = call;
    this.#from = from;
    this.#to = to;
    this.#drained = drained;
  }

  /** False: full. */
  send(bytes: number, deliver: () => void): boolean {
    this.#waiting.push({ bytes, deliver });
    this.#bytes += bytes;
    this.move();
    if (this.#bytes <= this.#call.network.windowBytes) return true;
    this.#isFull = true;
    return false;
  }

  move(): void {
    const { network } = this.#call;
    if (this.#isMoving || this.#waiting.length === 0 || network.isStalled(this.#from, this.#to)) return;
    this.#isMoving = true;
    this.#to.after(network.latency(), `call ${this.#call.number} arrives`, () => {
      this.#isMoving = false;
      // Stalled while it was on its way: it waits at the other end of the gap.
      if (network.isStalled(this.#from, this.#to)) return;
      const parcel = this.#waiting.shift();
      if (parcel === undefined) return;
      this.#bytes -= parcel.bytes;
      parcel.deliver();
      if (this.#isFull && this.#bytes <= network.windowBytes / 2) {
        this.#isFull = false;
        this.#from.after(network.latency(), "drain", () => this.#drained());
      }
      this.move();
    });
  }

  lose(): void {
    this.#waiting.length = 0;
    this.#bytes = 0;
  }
}

export class NetworkCall {
  readonly network: Network;
  readonly number: number;
  readonly clientProcess: SimulatedProcess;
  readonly listener: Listener | undefined;
  readonly client: ClientEnd;
  readonly server: ServerEnd | undefined;
  readonly up: Pipe | undefined;
  readonly down: Pipe | undefined;
  readonly deserialize: (bytes: Buffer) => IngestResponse;
  /** The connection is gone; nothing arrives any more. */
  isCut = false;

  constructor(
    network: Network,
    number: number,
    client: SimulatedProcess,
    listener: Listener | undefined,
    deserialize: (bytes: Buffer) => IngestResponse,
  ) {
    this.network = network;
    this.number = number;
    this.clientProcess = client;
    this.listener = listener;
    this.deserialize = deserialize;
    this.client = new ClientEnd(this);
    if (listener === undefined) return;
    this.server = new ServerEnd(this);
    this.up = new Pipe(this, client, listener.process, () => this.client.emit("drain"));
    this.down = new Pipe(this, listener.process, client, () => this.server?.drained());
  }

  connect(): void {
    const { listener, server } = this;
    if (listener === undefined || server === undefined || !listener.process.isAlive) {
      // Refused.
      this.isCut = true;
      this.client.endLater(unavailable("connection refused"), this.network.latency());
      return;
    }
    this.up?.send(0, () => listener.accept(server));
    listener.process.onDeath(() => this.cut({ serverHears: false }));
    this.clientProcess.onDeath(() => this.cut({ clientHears: false }));
  }

  flow(): void {
    this.up?.move();
    this.down?.move();
  }

  /** The connection breaks; an end that cannot tell finds out by keepalive. */
  cut(options: { clientHears?: boolean; serverHears?: boolean; isSilent?: boolean } = {}): void {
    if (this.isCut) return;
    this.isCut = true;
    this.up?.lose();
    this.down?.lose();

    const soon = (): number => this.network.world.latencyMs(0.1, 20);
    const silent = options.isSilent === true;
    if (options.clientHears !== false) {
      this.client.endLater(unavailable("the connection was lost"), silent ? KEEPALIVE_MS : soon());
    }
    const { server } = this;
    if (server !== undefined && options.serverHears !== false) {
      this.listener?.process.after(silent ? KEEPALIVE_MS + soon() : soon(), `call ${this.number} lost`, () =>
        server.lost(),
      );
    }
  }
}

interface Status {
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata;
}

function unavailable(details: string): Status {
  return { code: GrpcStatus.UNAVAILABLE, details, metadata: new Metadata() };
}

/** A ClientDuplexStream, as far as the client's transport uses it. */
export class ClientEnd extends EventEmitter {
  readonly #call: NetworkCall;
  #isOver = false;
  #isEndSet = false;

  constructor(call: NetworkCall) {
    super();
    this.#call = call;
  }

  write(message: Buffer): boolean {
    const { up, server, isCut, network } = this.#call;
    // Views into batches are valid only now.
    const bytes = Buffer.from(message);
    if (!this.#isOver) network.tap.sent(this.#call, bytes);
    if (isCut || up === undefined) return true;
    return up.send(bytes.length, () => server?.arrived(bytes));
  }

  end(): void {
    if (!this.#call.isCut) this.#call.up?.send(0, () => this.#call.server?.halfClosed());
  }

  cancel(): void {
    const call = this.#call;
    if (this.#isOver) return;
    if (!call.isCut) call.up?.send(0, () => call.server?.lost());
    this.endLater({ code: GrpcStatus.CANCELLED, details: "cancelled", metadata: new Metadata() }, 0.01);
  }

  receive(bytes: Buffer): void {
    if (this.#isOver) return;
    const response = this.#call.deserialize(bytes);
    this.#call.network.tap.heard(this.#call, response);
    this.emit("data", response);
  }

  /** The end arrives after everything that came before it. */
  finish(status: Status): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#call.isCut = true;
    this.#call.network.calls.delete(this.#call);
    this.emit("end");
    this.emit("status", status);
  }

  endLater(status: Status, delayMs: number): void {
    if (this.#isEndSet) return;
    this.#isEndSet = true;
    this.#call.clientProcess.after(delayMs, `call ${this.#call.number} ends`, () => this.finish(status));
  }
}

/** A ServerDuplexStream, as far as the server uses it. */
export class ServerEnd extends EventEmitter {
  readonly metadata = new Metadata();
  readonly _readableState = { highWaterMark: 16 };
  readonly call: NetworkCall;
  /** Arrived and not read. */
  readonly #arrived: (Buffer | undefined)[] = [];
  #isPaused = false;
  #isOver = false;
  #isReading = false;

  constructor(call: NetworkCall) {
    super();
    this.call = call;
    this.on("error", (status: Status) => this.#end(status));
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#read();
  }

  write(response: IngestResponse): boolean {
    if (this.#isOver) return true;
    this.call.network.tap.answered(this.call, response);
    if (this.call.isCut) return true;
    const bytes = Buffer.from(IngestResponse.encode(response).finish());
    return this.call.down?.send(bytes.length, () => this.call.client.receive(bytes)) ?? true;
  }

  end(): void {
    this.#end({ code: GrpcStatus.OK, details: "", metadata: new Metadata() });
  }

  arrived(bytes: Buffer): void {
    this.#arrived.push(bytes);
    this.#read();
  }

  halfClosed(): void {
    this.#arrived.push(undefined);
    this.#read();
  }

  drained(): void {
    if (!this.#isOver) this.emit("drain");
  }

  /** Cancelled, or the connection is gone. */
  lost(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.emit("cancelled");
    this.emit("close");
  }

  #end(status: Status): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (!this.call.isCut) this.call.down?.send(0, () => this.call.client.finish(status));
    this.emit("close");
  }

  /** One message a turn, as a stream does it. */
  #read(): void {
    if (this.#isReading || this.#isPaused || this.#arrived.length === 0 || this.#isOver) return;
    this.#isReading = true;
    this.call.listener?.process.after(0, `call ${this.call.number} read`, () => {
      this.#isReading = false;
      if (this.#isPaused || this.#isOver) return;
      const bytes = this.#arrived.shift();
      if (bytes === undefined) this.emit("end");
      else this.emit("data", bytes);
      this.#read();
    });
  }
}

/** HTTP/2 written by hand over a bare socket: whatever a proper client would never send. */
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export const TYPE = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const FLAG = { ack: 1, endStream: 1, endHeaders: 4, padded: 8 } as const;

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const SETTING_INITIAL_WINDOW = 4;

export function frame(type: number, flags: number, streamId: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

export function settings(...pairs: readonly (readonly [number, number])[]): Buffer {
  return Buffer.concat(
    pairs.map(([id, value]) => {
      const pair = Buffer.alloc(6);
      pair.writeUInt16BE(id);
      pair.writeUInt32BE(value >>> 0, 2);
      return pair;
    }),
  );
}

/** An integer of HPACK with `bits` bits in its first byte. */
function hpackInteger(value: number, bits: number, first = 0): number[] {
  const most = 2 ** bits - 1;
  if (value < most) return [first | value];
  const bytes = [first | most];
  let rest = value - most;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest & 127) | 128);
  bytes.push(rest);
  return bytes;
}

/** A header as a literal, without Huffman coding. `kept`: it enters the table, and may be sent as an index afterwards. */
export function header(name: string, value: string, kept = false): Buffer {
  return Buffer.concat([
    Buffer.from([kept ? 0x40 : 0x00]),
    Buffer.from(hpackInteger(name.length, 7)),
    Buffer.from(name, "latin1"),
    Buffer.from(hpackInteger(value.length, 7)),
    Buffer.from(value, "latin1"),
  ]);
}

/** The head of a gRPC request. */
export function requestHead(path: string, ...more: Buffer[]): Buffer {
  const [post, http] = [0x83, 0x86];
  return Buffer.concat([
    Buffer.from([post, http]),
    header(":path", path),
    header(":authority", "localhost"),
    header("content-type", "application/grpc"),
    header("te", "trailers"),
    ...more,
  ]);
}

/** A gRPC message in its envelope of five bytes. */
export function grpcMessage(bytes: Uint8Array, length = bytes.length, compressed = 0): Buffer {
  return Buffer.concat([Buffer.from([compressed]), uint32(length), bytes]);
}

export class RawConnection {
  readonly socket: Socket;
  /** Everything the server said. */
  #received: Buffer[] = [];
  #closed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.#closed = true;
    });
    socket.on("data", (bytes) => {
      // Enough to see what the server thinks; a flood of answers is let go.
      if (this.#received.length < 1_000) this.#received.push(bytes);
    });
  }

  /** Connects, and says nothing. */
  static async silent(address: string): Promise<RawConnection> {
    const at = address.lastIndexOf(":");
    const socket = connect({ host: address.slice(0, at), port: Number(address.slice(at + 1)), noDelay: true });
    const connection = new RawConnection(socket);
    await new Promise<void>((resolve) => {
      socket.once("connect", resolve);
      socket.once("close", () => resolve());
    });
    return connection;
  }

  /** Connects, and says what a client says first. */
  static async open(address: string, options: { windowBytes?: number } = {}): Promise<RawConnection> {
    const connection = await RawConnection.silent(address);
    const own = options.windowBytes === undefined ? [] : [[SETTING_INITIAL_WINDOW, options.windowBytes] as const];
    await connection.write(PREFACE, frame(TYPE.settings, 0, 0, settings(...own)), frame(TYPE.settings, FLAG.ack, 0));
    return connection;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Frames that came, as `type/stream/payload`. */
  frames(): { type: number; flags: number; streamId: number; payload: Buffer }[] {
    const bytes = Buffer.concat(this.#received);
    const found = [];
    for (let at = 0; at + 9 <= bytes.length; ) {
      const length = bytes.readUIntBE(at, 3);
      if (at + 9 + length > bytes.length) break;
      found.push({
        type: bytes.readUInt8(at + 3),
        flags: bytes.readUInt8(at + 4),
        streamId: bytes.readUInt32BE(at + 5),
        payload: bytes.subarray(at + 9, at + 9 + length),
      });
      at += 9 + length;
    }
    return found;
  }

  /** Error code of the GOAWAY that came, if one did. */
  get goaway(): number | undefined {
    return this.frames()
      .find(({ type }) => type === TYPE.goaway)
      ?.payload.readUInt32BE(4);
  }

  /** Waits while the socket is full. False: the connection is gone. */
  async write(...frames: readonly Uint8Array[]): Promise<boolean> {
    if (this.#closed || this.socket.destroyed) return false;
    if (!this.socket.write(frames.length === 1 ? (frames[0] as Uint8Array) : Buffer.concat(frames))) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(done, 500);
        const { socket } = this;
        function done() {
          clearTimeout(timer);
          socket.off("drain", done);
          socket.off("close", done);
          resolve();
        }
        socket.once("drain", done);
        socket.once("close", done);
      });
    }
    return !this.#closed;
  }

  /** Sends the same again and again for so long, or until the server has enough. */
  async flood(ms: number, next: (round: number) => Uint8Array): Promise<void> {
    const until = performance.now() + ms;
    for (let round = 0; performance.now() < until && !this.#closed; round++) {
      if (!(await this.write(next(round)))) return;
      // Lets the socket take it, and the others have their turn.
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  async untilClosed(ms: number): Promise<boolean> {
    const until = performance.now() + ms;
    while (!this.#closed && performance.now() < until) await sleep(20);
    return this.#closed;
  }

  end(): void {
    this.socket.destroy();
  }
}

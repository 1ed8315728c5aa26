/**
 * What a connection may do before and beside its calls: how many there may be, in all and from one address, how long one
 * may be silent before its first request, and how many frames of no use it may send.
 *
 * What Node and nghttp2 can refuse by themselves is left to them (`sessionLimits`); the rest is counted here. A
 * connection over a limit is closed with a GOAWAY that says so where it can still read one.
 */
import http2 from "node:http2";
import type { Socket } from "node:net";
import { AddressCaps, type ConnectionCaps } from "../base/address-caps.js";
import {
  FIRST_REQUEST_MS_MAX,
  HEADER_PAIRS_MAX,
  INVALID_FRAMES_MAX,
  NUISANCE_BURST_MAX,
  NUISANCES_PER_SECOND,
  REJECTED_STREAMS_MAX,
  SETTINGS_ENTRIES_MAX,
} from "../limits.js";
import { Patience } from "./nuisance.js";

type Http2Server = http2.Http2Server | http2.Http2SecureServer;

/** Limits that node:http2 holds for every session by itself. */
export function sessionLimits(): http2.ServerOptions {
  return {
    maxHeaderListPairs: HEADER_PAIRS_MAX,
    maxSettings: SETTINGS_ENTRIES_MAX,
    maxSessionInvalidFrames: INVALID_FRAMES_MAX,
    maxSessionRejectedStreams: REJECTED_STREAMS_MAX,
    streamResetBurst: NUISANCE_BURST_MAX,
    streamResetRate: NUISANCES_PER_SECOND,
  };
}

/** The same for the two ends of one connection: TLS puts a socket of its own around the first. */
function nameOf(socket: { remoteAddress?: string | undefined; remotePort?: number | undefined }): string {
  return `${socket.remoteAddress ?? ""}|${socket.remotePort ?? 0}`;
}

export class ConnectionLimits {
  readonly #caps: AddressCaps;
  readonly #isMethod: (path: string) => boolean;
  /** Connections without a request so far, and how to stop waiting for it. */
  readonly #awaited = new Map<string, { timer: NodeJS.Timeout; session: http2.ServerHttp2Session | undefined }>();
  #refused = 0;

  /** @param isMethod whether a call of this path is served */
  constructor(caps: ConnectionCaps, isMethod: (path: string) => boolean) {
    this.#caps = new AddressCaps(caps);
    this.#isMethod = isMethod;
  }

  get count(): number {
    return this.#caps.count;
  }

  /** Connections that were closed because there were too many. */
  get refused(): number {
    return this.#refused;
  }

  /** Takes charge of a server that was just made, before anybody else listens to it. */
  guard<Server extends Http2Server>(server: Server): Server {
    const listeners = server.listeners("connection") as ((socket: Socket) => void)[];
    server.removeAllListeners("connection");
    server.on("connection", (socket: Socket) => {
      // Node would make a session even of a socket that is destroyed; so it never hears of it.
      if (this.#admit(socket)) for (const listener of listeners) listener.call(server, socket);
      else socket.destroy();
    });
    server.on("session", (session: http2.ServerHttp2Session) => this.#guardSession(session));
    server.on("stream", (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => {
      if (!this.#isMethod(headers[":path"] ?? "")) uselessCall(stream.session);
    });
    return server;
  }

  #admit(socket: Socket): boolean {
    const address = socket.remoteAddress ?? "";
    if (!this.#caps.enter(address)) {
      this.#refused++;
      return false;
    }
    const name = nameOf(socket);
    const timer = setTimeout(() => {
      const session = this.#awaited.get(name)?.session;
      this.#awaited.delete(name);
      // A client that only connected in advance is told by GOAWAY and connects again when it has something to say.
      session?.close();
      setTimeout(() => socket.destroy(), session === undefined ? 0 : 1_000).unref();
    }, FIRST_REQUEST_MS_MAX);
    timer.unref();
    this.#awaited.set(name, { timer, session: undefined });
    socket.once("close", () => {
      this.#caps.leave(address);
      this.#requested(name);
    });
    return true;
  }

  #requested(name: string): void {
    clearTimeout(this.#awaited.get(name)?.timer);
    this.#awaited.delete(name);
  }

  #guardSession(session: http2.ServerHttp2Session): void {
    const name = nameOf(session.socket);
    const awaited = this.#awaited.get(name);
    if (awaited !== undefined) awaited.session = session;
    const patience = new Patience();
    const nuisance = () => {
      if (!patience.bears()) endSession(session);
    };
    session.once("stream", () => this.#requested(name));
    session.on("ping", nuisance);
    session.on("remoteSettings", nuisance);
    patiences.set(session, patience);
  }
}

const patiences = new WeakMap<http2.Http2Session, Patience>();

/** A call that was of no use, such as one of a method that does not exist. */
export function uselessCall(session: http2.Http2Session | undefined): void {
  if (session === undefined || patiences.get(session)?.bears() !== false) return;
  endSession(session);
}

/** Not within the event that showed that it is too much: grpc-js answers the same event, and throws where it cannot. */
export function endSession(session: http2.Http2Session): void {
  setImmediate(() => {
    if (!session.destroyed) session.destroy(undefined, http2.constants.NGHTTP2_ENHANCE_YOUR_CALM);
  });
}

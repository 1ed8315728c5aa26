/**
 * The HTTP/2 servers of grpc-js, as this server needs them: with wide windows, and with limits on their connections.
 * grpc-js leaves the server's HTTP/2 receive window at 64 KB and has no option for it or for the header limits: its own
 * servers are made by `http2.createServer`, which is wrapped while it binds. Measured at 40 ms: 1.5 MB/s before, 46 after.
 */
import http2 from "node:http2";
import { HEADER_LIST_BYTES_MAX, HTTP2_WINDOW_BYTES } from "../limits.js";
import { type ConnectionLimits, sessionLimits } from "./connection-limits.js";

function widened(options: http2.ServerOptions | undefined): http2.ServerOptions {
  return {
    ...options,
    ...sessionLimits(),
    settings: {
      ...options?.settings,
      initialWindowSize: HTTP2_WINDOW_BYTES,
      maxHeaderListSize: HEADER_LIST_BYTES_MAX,
    },
  };
}

function widenSessions<Server extends http2.Http2Server | http2.Http2SecureServer>(
  server: Server,
  sessions: Set<http2.ServerHttp2Session>,
): Server {
  server.on("session", (session: http2.ServerHttp2Session) => {
    session.setLocalWindowSize(HTTP2_WINDOW_BYTES);
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  });
  return server;
}

/** Runs `bind`, during which grpc-js makes its HTTP/2 servers; `sessions` has those that are open from then on. */
export async function withOwnHttp2<Result>(
  limits: ConnectionLimits,
  sessions: Set<http2.ServerHttp2Session>,
  bind: () => Promise<Result>,
): Promise<Result> {
  const { createServer, createSecureServer } = http2;
  http2.createServer = ((options?: http2.ServerOptions) =>
    widenSessions(limits.guard(createServer(widened(options))), sessions)) as never;
  http2.createSecureServer = ((options?: http2.SecureServerOptions) =>
    widenSessions(limits.guard(createSecureServer(widened(options) as http2.SecureServerOptions)), sessions)) as never;
  try {
    return await bind();
  } finally {
    http2.createServer = createServer;
    http2.createSecureServer = createSecureServer;
  }
}

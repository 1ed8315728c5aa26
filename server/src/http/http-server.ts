/** HTTP for operators: /metrics, /healthz, /readyz, and the dashboard at / with its API. */
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { SecureContextOptions } from "node:tls";
import type { Registry } from "prom-client";
import { AddressCaps } from "../base/address-caps.js";
import { isLoopback, splitAddress } from "../config/address.js";
import {
  HEADER_LIST_BYTES_MAX,
  HTTP_CONNECTIONS_MAX,
  HTTP_CONNECTIONS_PER_ADDRESS_MAX,
  HTTP_REQUEST_MS_MAX,
  HTTP_REQUESTS_PER_CONNECTION_MAX,
} from "../limits.js";

export interface HttpContext {
  registry: Registry;
  /** Undefined when ready, else what is missing. */
  notReady(): string | undefined;
  /** The dashboard and its API. */
  web: { answer(url: URL, request: IncomingMessage, response: ServerResponse): Promise<boolean> };
  /** Whether the metrics may be seen. */
  visit(authorization: string | undefined): { namespace: string } | { refused: number; text: string };
  /** Undefined: plain text. */
  tls: { readonly optionsWithoutClients: SecureContextOptions; onChange(listener: () => void): void } | undefined;
}

const SECURITY_HEADERS = {
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
};

const LIMITS: ServerOptions = {
  headersTimeout: HTTP_REQUEST_MS_MAX,
  requestTimeout: HTTP_REQUEST_MS_MAX,
  // Node looks every 30 s only, which would be the time that a slow sender really has.
  connectionsCheckingInterval: HTTP_REQUEST_MS_MAX / 5,
  maxHeaderSize: HEADER_LIST_BYTES_MAX,
};

/** A request for a host that is not ours comes from a page that rebound its name to us. */
function knownHost(request: IncomingMessage, listening: string): boolean {
  const host = (request.headers.host ?? "").replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
  // Beyond loopback any name may be ours; there the operator has asked for it.
  return !isLoopback(listening) || isLoopback(host) || host === listening;
}

export class HttpServer {
  readonly #context: HttpContext;
  readonly #server: Server;
  #host = "";

  constructor(context: HttpContext) {
    this.#context = context;
    const answer = (request: IncomingMessage, response: ServerResponse) => {
      this.#answer(request, response).catch(() => {
        // The database's own words may name hosts and accounts.
        if (!response.headersSent) this.#send(response, 500, "text/plain", "failed; try again, or see the log\n");
        else response.destroy();
      });
    };
    const { tls } = context;
    if (tls === undefined) this.#server = createServer(LIMITS, answer);
    else {
      const server = createSecureServer({ ...LIMITS, ...tls.optionsWithoutClients }, answer);
      tls.onChange(() => server.setSecureContext(tls.optionsWithoutClients));
      this.#server = server;
    }
    this.#server.maxRequestsPerSocket = HTTP_REQUESTS_PER_CONNECTION_MAX;
    const caps = new AddressCaps({
      connectionsMax: HTTP_CONNECTIONS_MAX,
      connectionsPerAddressMax: HTTP_CONNECTIONS_PER_ADDRESS_MAX,
    });
    this.#server.prependListener("connection", (socket) => {
      const address = socket.remoteAddress ?? "";
      if (!caps.enter(address)) socket.destroy();
      else socket.once("close", () => caps.leave(address));
    });
    // Scrapers come back every few seconds up to a minute; Node's 5 s would close the connection just as they write.
    this.#server.keepAliveTimeout = 75_000;
  }

  /** Returns the port. */
  async listen(address: string): Promise<number> {
    const { host, port } = splitAddress(address);
    this.#host = host;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!knownHost(request, this.#host)) {
      this.#send(response, 421, "text/plain", "unknown host; use the address that the server printed\n");
      return;
    }
    const url = URL.parse(request.url ?? "/", "http://localhost");
    if (url === null) {
      this.#send(response, 400, "text/plain", "the path is no URL; here are /, /metrics, /healthz and /readyz\n");
      return;
    }
    if (await this.#context.web.answer(url, request, response)) return;
    if (request.method !== "GET" && request.method !== "HEAD") {
      this.#send(response, 405, "text/plain", "only GET is served here\n");
      return;
    }
    switch (url.pathname) {
      case "/healthz":
        this.#send(response, 200, "text/plain", "ok\n");
        return;
      case "/readyz": {
        const missing = this.#context.notReady();
        this.#send(response, missing === undefined ? 200 : 503, "text/plain", `${missing ?? "ready"}\n`);
        return;
      }
      case "/metrics":
        if (!this.#mayVisit(request, response)) return;
        this.#send(response, 200, this.#context.registry.contentType, await this.#context.registry.metrics());
        return;
      default:
        this.#send(response, 404, "text/plain", "here are /, /metrics, /healthz and /readyz\n");
    }
  }

  /** False where that was refused. */
  #mayVisit(request: IncomingMessage, response: ServerResponse): boolean {
    const visit = this.#context.visit(request.headers.authorization);
    if ("namespace" in visit) return true;
    if (visit.refused === 401) response.setHeader("www-authenticate", "Bearer");
    this.#send(response, visit.refused, "text/plain", `${visit.text}\n`);
    return false;
  }

  #send(response: ServerResponse, code: number, type: string, body: string): void {
    response.writeHead(code, { ...SECURITY_HEADERS, "content-type": type });
    response.end(body);
  }
}

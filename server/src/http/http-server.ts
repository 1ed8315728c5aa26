/** HTTP for operators: /metrics, /healthz, /readyz, and a status page at /. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";
import { isLoopback, splitAddress } from "../config/address.js";
import { type Status, statusPage } from "./status-page.js";

export interface HttpContext {
  registry: Registry;
  /** Undefined when ready, else what is missing. */
  notReady(): string | undefined;
  status(): Promise<Status>;
}

const SECURITY_HEADERS = {
  "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
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
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        if (!response.headersSent) this.#send(response, 500, "text/plain", `failed: ${String(error)}\n`);
        else response.destroy();
      });
    });
    this.#server.requestTimeout = 10_000;
    this.#server.maxConnections = 256;
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
    if (request.method !== "GET" && request.method !== "HEAD") {
      this.#send(response, 405, "text/plain", "only GET is served here\n");
      return;
    }
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    switch (path) {
      case "/healthz":
        this.#send(response, 200, "text/plain", "ok\n");
        return;
      case "/readyz": {
        const missing = this.#context.notReady();
        this.#send(response, missing === undefined ? 200 : 503, "text/plain", `${missing ?? "ready"}\n`);
        return;
      }
      case "/metrics":
        this.#send(response, 200, this.#context.registry.contentType, await this.#context.registry.metrics());
        return;
      case "/":
        this.#send(response, 200, "text/html; charset=utf-8", statusPage(await this.#context.status()));
        return;
      default:
        this.#send(response, 404, "text/plain", "here are /, /metrics, /healthz and /readyz\n");
    }
  }

  #send(response: ServerResponse, code: number, type: string, body: string): void {
    response.writeHead(code, { ...SECURITY_HEADERS, "content-type": type });
    response.end(body);
  }
}

/** The JSON API: who asks, from where, and what they are answered. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { API_BODY_BYTES_MAX } from "../../limits.js";
import { printable } from "../../record/text.js";
import { badField, RpcError, rpcError } from "../../rpc/errors.js";
import { sendJson } from "../answer.js";
import { sendError } from "../error-answer.js";
import type { Route } from "./ask.js";
import { Parameters } from "./parameters.js";
import { DELETE_ROUTES, READ_ROUTES, UPDATE_ROUTES } from "./routes.js";
import type { RpcBridge } from "./rpc-bridge.js";

const ROUTES_OF_METHOD: Readonly<Record<string, Readonly<Record<string, Route>>>> = {
  GET: READ_ROUTES,
  HEAD: READ_ROUTES,
  PATCH: UPDATE_ROUTES,
  DELETE: DELETE_ROUTES,
};

export const API_PREFIX = "/api/v1/";

export interface ApiContext {
  readonly bridge: RpcBridge;
  /** @throws RpcError where the pages are not for the caller */
  checkVisit(authorization: string | undefined): void;
  /** What somebody may know who has shown no key yet. */
  door(): object;
  /** What the caller may know of the server. @throws RpcError */
  server(authorization: string | undefined): object;
  unexpected(error: unknown): void;
}

export class Api {
  readonly #context: ApiContext;

  constructor(context: ApiContext) {
    this.#context = context;
  }

  async answer(url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      sendJson(response, 200, await this.#result(url, request));
    } catch (thrown) {
      sendError(
        response,
        rpcError(thrown, (error) => this.#context.unexpected(error)),
      );
    }
  }

  async #result(url: URL, request: IncomingMessage): Promise<unknown> {
    const method = request.method ?? "";
    const name = url.pathname.slice(API_PREFIX.length);
    const { authorization } = request.headers;
    const isReading = method === "GET" || method === "HEAD";
    if (isReading && name === "door") return this.#context.door();
    this.#context.checkVisit(authorization);
    if (isReading && name === "server") return this.#context.server(authorization);
    const routes = Object.hasOwn(ROUTES_OF_METHOD, method) ? ROUTES_OF_METHOD[method] : undefined;
    const route = routes !== undefined && Object.hasOwn(routes, name) ? routes[name] : undefined;
    if (route === undefined) throw new RpcError("NOT_FOUND", `there is no ${method} ${printable(name, 64)} here`);
    if (!isReading) refuseForeignOrigin(request);
    const body = method === "PATCH" ? await jsonBody(request) : {};
    return route({
      params: new Parameters(url.searchParams),
      body,
      call: (rpc, message, asked) => this.#context.bridge.call(rpc, message, asked, authorization),
    });
  }
}

/** A page of another site may send requests here, but not without saying which site it is of. */
function refuseForeignOrigin(request: IncomingMessage): void {
  const { origin, host } = request.headers;
  const parsed = origin === undefined ? null : URL.parse(origin);
  if (parsed !== null && parsed.host === host && (parsed.protocol === "http:" || parsed.protocol === "https:")) return;
  throw new RpcError("NOT_PERMITTED", "origin: changes are taken from the dashboard of this very address only");
}

/** @throws RpcError */
async function jsonBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const type = (request.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") throw badField("content-type", "is not application/json; send JSON");
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > API_BODY_BYTES_MAX) {
      throw new RpcError("MESSAGE_TOO_LARGE", `body: has more than ${API_BODY_BYTES_MAX} bytes`);
    }
    parts.push(part);
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(parts)));
  } catch {
    throw badField("body", "is no JSON text in UTF-8");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw badField("body", "is no JSON object");
  return value as Record<string, unknown>;
}

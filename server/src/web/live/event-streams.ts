/** The event streams of all open pages: who may have one, and how many there are. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { AddressCaps } from "../../base/address-caps.js";
import { EVENT_STREAMS_MAX, EVENT_STREAMS_PER_ADDRESS_MAX, OVERLOAD_RETRY_AFTER_MS } from "../../limits.js";
import type { Caller } from "../../rpc/caller.js";
import { RpcError, rpcError } from "../../rpc/errors.js";
import { sendError } from "../error-answer.js";
import { EventsCall, type EventsContext, watchRequest } from "./events-call.js";

export interface EventStreamsContext extends Omit<EventsContext, "namespace"> {
  /** @throws RpcError where it may not watch */
  admit(authorization: string | undefined): Caller;
  /** Aborted when the server ends; pages then come back. */
  readonly stopping: AbortSignal;
  unexpected(error: unknown): void;
}

export class EventStreams {
  readonly #context: EventStreamsContext;
  readonly #caps = new AddressCaps({
    connectionsMax: EVENT_STREAMS_MAX,
    connectionsPerAddressMax: EVENT_STREAMS_PER_ADDRESS_MAX,
  });

  constructor(context: EventStreamsContext) {
    this.#context = context;
  }

  get count(): number {
    return this.#caps.count;
  }

  async answer(url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const address = request.socket.remoteAddress ?? "";
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    let hasEntered = false;
    try {
      const { namespace, ended } = this.#context.admit(request.headers.authorization);
      hasEntered = this.#caps.enter(address);
      if (!hasEntered) {
        throw new RpcError("OVERLOADED", "too many pages are open; close some, or try again later", {
          retryAfterMs: OVERLOAD_RETRY_AFTER_MS,
        });
      }
      const sessionId = url.searchParams.get("session") ?? "";
      const watched = sessionId === "" ? undefined : watchRequest(sessionId, url.searchParams.get("cursor") ?? "");
      const call = new EventsCall({ ...this.#context, namespace }, response, watched);
      await call.run(AbortSignal.any([gone.signal, this.#context.stopping, ended]));
      response.end();
    } catch (thrown) {
      const error = rpcError(thrown, (unexpected) => this.#context.unexpected(unexpected));
      if (response.headersSent) response.destroy();
      else sendError(response, error);
    } finally {
      if (hasEntered) this.#caps.leave(address);
    }
  }
}

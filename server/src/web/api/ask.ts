/** A request to the API, as its routes see it. */
import type { Parameters } from "./parameters.js";
import type { Message } from "./rpc-bridge.js";

/** Whom it comes from is settled: what it asks is asked in their name. */
export interface Ask {
  readonly params: Parameters;
  /** Of PATCH; an empty object for the others. */
  readonly body: Readonly<Record<string, unknown>>;
  /** @throws RpcError */
  readonly call: <Request>(name: string, message: Message<Request>, request: Request) => Promise<unknown>;
}

export type Route = (ask: Ask) => Promise<unknown>;

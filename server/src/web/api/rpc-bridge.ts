/**
 * Asks the gRPC services from within the process: the same handlers, checks, roles and errors, without a network. So the
 * pages show what any client would be told, and nothing is asked of the store in two ways.
 */
import { Metadata, type ServiceError, type sendUnaryData } from "@grpc/grpc-js";
import { EncodedAnswer } from "../../rpc/encoded-answer.js";
import { type ErrorCode, RpcError } from "../../rpc/errors.js";
import type { Service } from "../../rpc/server.js";

/** A generated message class, as far as asking needs it. */
export interface Message<Request> {
  encode(message: Request): { finish(): Uint8Array };
}

type Handler = (
  call: { getPath(): string; metadata: Metadata; request: Buffer },
  callback: sendUnaryData<unknown>,
) => void;

interface Method {
  readonly path: string;
  readonly handler: Handler;
  readonly decode: (bytes: Buffer) => unknown;
}

/** What a call brings with it besides its question. @throws RpcError where no header may look like this */
export function callMetadata(authorization: string | undefined): Metadata {
  const metadata = new Metadata();
  if (authorization === undefined) return metadata;
  if (!/^[\x20-\x7e]*$/.test(authorization)) {
    throw new RpcError("BAD_KEY", "authorization: the key has characters that no key has; enter it again");
  }
  metadata.set("authorization", authorization);
  return metadata;
}

export class RpcBridge {
  /** By name of the method, which is unique among the services. */
  readonly #methods = new Map<string, Method>();

  constructor(services: readonly Service[]) {
    for (const { definition, implementation } of services) {
      for (const [name, method] of Object.entries(definition)) {
        if (method.requestStream || method.responseStream) continue;
        const handler = implementation[name] as unknown as Handler | undefined;
        if (handler === undefined) continue;
        this.#methods.set(name, { path: method.path, handler, decode: method.responseDeserialize });
      }
    }
  }

  /** @param name as in the generated code: `listSessions` @throws RpcError */
  async call<Request>(
    name: string,
    message: Message<Request>,
    request: Request,
    authorization: string | undefined,
  ): Promise<unknown> {
    const method = this.#methods.get(name);
    if (method === undefined) throw new RpcError("NOT_FOUND", `this server has no ${name}; a newer one has`);
    const { path, handler, decode } = method;
    const call = {
      getPath: () => path,
      metadata: callMetadata(authorization),
      request: Buffer.from(message.encode(request).finish()),
    };
    const answer = await new Promise<unknown>((resolve, reject) => {
      handler(call, (error, value) => (error ? reject(asRpcError(error as ServiceError)) : resolve(value)));
    });
    return answer instanceof EncodedAnswer ? decode(answer.bytes) : answer;
  }
}

function asRpcError({ details, metadata }: ServiceError): RpcError {
  const code = String(metadata.get("tailkeep-code")[0] ?? "INTERNAL") as ErrorCode;
  const retryAfterMs = Number(metadata.get("tailkeep-retry-after-ms")[0]);
  return new RpcError(code, details, Number.isFinite(retryAfterMs) ? { retryAfterMs } : {});
}

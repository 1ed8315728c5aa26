/** The gRPC server: limits, services, health and reflection. */
import { readFileSync } from "node:fs";
import type { ServerHttp2Session } from "node:http2";
import { fileURLToPath } from "node:url";
import {
  Metadata,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  type ServiceDefinition,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { loadFileDescriptorSetFromBuffer } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import { HealthImplementation } from "grpc-health-check";
import type { ConnectionCaps } from "../base/address-caps.js";
import {
  CONCURRENT_STREAMS_MAX,
  CONNECTION_AGE_GRACE_MS,
  CONNECTION_AGE_MS_MAX,
  CONNECTION_IDLE_MS_MAX,
  HEADER_LIST_BYTES_MAX,
  MESSAGE_BYTES_MAX,
} from "../limits.js";
import { CallMemory } from "./call-memory.js";
import { ConnectionLimits } from "./connection-limits.js";
import { EncodedAnswer } from "./encoded-answer.js";
import { withOwnHttp2 } from "./http2-window.js";

export interface Service {
  definition: ServiceDefinition;
  implementation: UntypedServiceImplementation;
}

type Ending = Parameters<ServerInterceptingCallInterface["sendStatus"]>[0];

/** What grpc-js says by itself of a request that cannot be read, as this server says it. */
function explained(ending: Ending): Ending {
  const details = ending.details ?? "";
  const metadata = new Metadata();
  if (ending.code === status.RESOURCE_EXHAUSTED && /larger than/i.test(details)) {
    metadata.set("tailkeep-code", "MESSAGE_TOO_LARGE");
    return {
      code: ending.code,
      details: `message: ${details}; send messages of at most ${MESSAGE_BYTES_MAX} bytes`,
      metadata,
    };
  }
  if (ending.code === status.INTERNAL && /^(Failed to decompress|Invalid grpc-timeout)/.test(details)) {
    metadata.set("tailkeep-code", "MALFORMED");
    return { code: status.INVALID_ARGUMENT, details: `request: ${details}; use a gRPC library`, metadata };
  }
  return ending;
}

/**
 * Watches the memory of calls and explains grpc-js's own endings. It ends such calls in its innermost object, past every
 * interceptor; so it is this object that is changed, which only the first interceptor is given.
 */
function innermost(memory: CallMemory): ServerInterceptor {
  return (_method, call) => {
    const sendStatus = call.sendStatus.bind(call);
    call.sendStatus = (ending) => sendStatus(explained(ending));
    const handOver = memory.watch(call);
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMessage: (message, forward) => handOver(() => forward(message)),
        }),
    });
  };
}

/**
 * Requests reach the handlers as bytes: they are charged, decoded and judged there. An answer may be bytes too, where
 * its records were encoded before.
 */
function undecoded(definition: ServiceDefinition): ServiceDefinition {
  return Object.fromEntries(
    Object.entries(definition).map(([name, method]) => [
      name,
      {
        ...method,
        requestDeserialize: (bytes: Buffer) => bytes,
        responseSerialize: (answer: unknown) =>
          answer instanceof EncodedAnswer ? answer.bytes : method.responseSerialize(answer),
      },
    ]),
  );
}

export class RpcServer {
  readonly #server: Server;
  readonly #health = new HealthImplementation({ "": "NOT_SERVING" });
  readonly #names: string[] = [];
  readonly #paths = new Set<string>();
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly memory = new CallMemory();
  readonly connections: ConnectionLimits;

  /** @param interceptors every call goes through these before its messages are looked at */
  constructor(services: readonly Service[], caps: ConnectionCaps, interceptors: readonly ServerInterceptor[] = []) {
    this.connections = new ConnectionLimits(caps, (path) => this.#paths.has(path) || path.startsWith("/grpc."));
    this.#server = new Server({
      interceptors: [innermost(this.memory), ...interceptors],
      "grpc.max_receive_message_length": MESSAGE_BYTES_MAX,
      "grpc.max_send_message_length": MESSAGE_BYTES_MAX,
      "grpc.max_concurrent_streams": CONCURRENT_STREAMS_MAX,
      "grpc.max_metadata_size": HEADER_LIST_BYTES_MAX,
      "grpc.enable_channelz": 0,
      // A trainer that vanished without a word is noticed within a minute.
      "grpc.keepalive_time_ms": 40_000,
      "grpc.keepalive_timeout_ms": 20_000,
      "grpc.max_connection_idle_ms": CONNECTION_IDLE_MS_MAX,
      "grpc.max_connection_age_ms": CONNECTION_AGE_MS_MAX,
      "grpc.max_connection_age_grace_ms": CONNECTION_AGE_GRACE_MS,
    });
    for (const { definition, implementation } of services) {
      this.#server.addService(undecoded(definition), implementation);
      for (const { path } of Object.values(definition)) this.#paths.add(path);
      const [method] = Object.values(definition);
      if (method !== undefined) this.#names.push(method.path.split("/")[1] as string);
    }
    this.#health.addToServer(this.#server);
    const descriptors = readFileSync(fileURLToPath(import.meta.resolve("@tailkeep/proto/descriptor.binpb")));
    new ReflectionService(loadFileDescriptorSetFromBuffer(descriptors)).addToServer(this.#server);
  }

  /** Returns the port. @throws if the address cannot be listened on */
  async listen(address: string, credentials = ServerCredentials.createInsecure()): Promise<number> {
    return withOwnHttp2(
      this.connections,
      this.#sessions,
      () =>
        new Promise<number>((resolve, reject) => {
          this.#server.bindAsync(address, credentials, (error, port) =>
            error === null ? resolve(port) : reject(error),
          );
        }),
    );
  }

  setServing(serving: boolean): void {
    for (const name of ["", ...this.#names]) this.#health.setStatus(name, serving ? "SERVING" : "NOT_SERVING");
  }

  /** Waits for calls to end, at most `ms`, then ends them. */
  async close(ms: number): Promise<void> {
    // Its own forceShutdown forgets the sessions that tryShutdown waits for: with them it would wait for the slowest call.
    const timer = setTimeout(() => {
      for (const session of this.#sessions) session.destroy();
    }, ms);
    await new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
    clearTimeout(timer);
  }
}

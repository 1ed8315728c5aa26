/** The gRPC server: limits, services, health and reflection. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  Metadata,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptor,
  type ServiceDefinition,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { loadFileDescriptorSetFromBuffer } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import { HealthImplementation } from "grpc-health-check";
import { CONCURRENT_STREAMS_MAX, HEADER_LIST_BYTES_MAX, MESSAGE_BYTES_MAX } from "../limits.js";
import { EncodedAnswer } from "./encoded-answer.js";
import { withWideWindows } from "./http2-window.js";

export interface Service {
  definition: ServiceDefinition;
  implementation: UntypedServiceImplementation;
}

/** grpc-js's own words for a message above the limit have no remedy and no code. */
const explainOversize: ServerInterceptor = (_method, call) => {
  const sendStatus = call.sendStatus.bind(call);
  // It ends such a call in its innermost object, past every interceptor; so it is this object that is changed.
  call.sendStatus = (ending) => {
    if (ending.code !== status.RESOURCE_EXHAUSTED || !/larger than/i.test(ending.details ?? "")) {
      sendStatus(ending);
      return;
    }
    const metadata = new Metadata();
    metadata.set("tailkeep-code", "MESSAGE_TOO_LARGE");
    sendStatus({
      code: ending.code,
      details: `message: ${ending.details}; send messages of at most ${MESSAGE_BYTES_MAX} bytes`,
      metadata,
    });
  };
  return new ServerInterceptingCall(call);
};

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

  constructor(services: readonly Service[]) {
    this.#server = new Server({
      interceptors: [explainOversize],
      "grpc.max_receive_message_length": MESSAGE_BYTES_MAX,
      "grpc.max_send_message_length": MESSAGE_BYTES_MAX,
      "grpc.max_concurrent_streams": CONCURRENT_STREAMS_MAX,
      "grpc.max_metadata_size": HEADER_LIST_BYTES_MAX,
      "grpc.enable_channelz": 0,
      // A trainer that vanished without a word is noticed within a minute.
      "grpc.keepalive_time_ms": 40_000,
      "grpc.keepalive_timeout_ms": 20_000,
    });
    for (const { definition, implementation } of services) {
      this.#server.addService(undecoded(definition), implementation);
      const [method] = Object.values(definition);
      if (method !== undefined) this.#names.push(method.path.split("/")[1] as string);
    }
    this.#health.addToServer(this.#server);
    const descriptors = readFileSync(fileURLToPath(import.meta.resolve("@tailkeep/proto/descriptor.binpb")));
    new ReflectionService(loadFileDescriptorSetFromBuffer(descriptors)).addToServer(this.#server);
  }

  /** Returns the port. @throws if the address cannot be listened on */
  async listen(address: string, credentials = ServerCredentials.createInsecure()): Promise<number> {
    return withWideWindows(
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
    const timer = setTimeout(() => this.#server.forceShutdown(), ms);
    await new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
    clearTimeout(timer);
  }
}

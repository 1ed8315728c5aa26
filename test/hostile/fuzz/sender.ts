/** Sends inputs as they are, many at once, and hands back how each call ended. */
import type { Readable } from "node:stream";
import { ChannelCredentials, Client, Metadata, type ServiceError, type StatusObject, status } from "@grpc/grpc-js";
import type { Method } from "./methods.js";

const CALL_MS_MAX = 60_000;
/** How long a watch is listened to. */
const WATCH_MS = 50;

const asItIs = (bytes: Buffer) => bytes;

const OK: StatusObject = { code: status.OK, details: "", metadata: new Metadata() };

function listen(call: Readable, ended: (ending: StatusObject) => void): void {
  call.on("error", () => undefined);
  call.on("data", () => undefined);
  call.on("status", ended);
}

export class Sender {
  readonly #clients: readonly Client[];
  #next = 0;

  constructor(address: string, connections: number) {
    this.#clients = Array.from(
      { length: connections },
      () =>
        new Client(address, ChannelCredentials.createInsecure(), {
          // Else all of them, and the neighbour, would share one connection.
          "grpc.use_local_subchannel_pool": 1,
          "grpc.max_send_message_length": -1,
          "grpc.max_receive_message_length": -1,
          "grpc.enable_retries": 0,
          "grpc.enable_channelz": 0,
        }),
    );
  }

  send(method: Method, messages: readonly Buffer[]): Promise<StatusObject> {
    const client = this.#clients[this.#next++ % this.#clients.length] as Client;
    const deadline = { deadline: Date.now() + CALL_MS_MAX };
    return new Promise((resolve) => {
      if (method.requestStream) {
        const call = client.makeBidiStreamRequest(method.path, asItIs, asItIs, deadline);
        listen(call, resolve);
        for (const message of messages) call.write(message);
        call.end();
        return;
      }
      if (method.responseStream) {
        const call = client.makeServerStreamRequest(method.path, asItIs, asItIs, messages[0] as Buffer, deadline);
        // A watch has no end of its own.
        const timer = setTimeout(() => {
          call.cancel();
          resolve(OK);
        }, WATCH_MS);
        listen(call, (ending) => {
          clearTimeout(timer);
          resolve(ending);
        });
        return;
      }
      const done = (error: ServiceError | null) => resolve(error ?? OK);
      client.makeUnaryRequest(method.path, asItIs, asItIs, messages[0] as Buffer, deadline, done);
    });
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }
}

/**
 * A planted bug: stands before a server and acks what it is sent at once, before anything is committed. As long as
 * nobody is killed, no trainer can tell.
 */
import {
  Client,
  type ClientDuplexStream,
  credentials,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
} from "@grpc/grpc-js";
import { type IngestRequest, type IngestResponse, IngestServiceService, type RecordBatch } from "@tailkeep/proto";

const { ingest } = IngestServiceService;

export class HastyProxy {
  readonly #server = new Server();
  readonly #client: Client;
  #port = 0;

  private constructor(target: string) {
    this.#client = new Client(target, credentials.createInsecure());
    this.#server.addService(
      { ingest },
      { ingest: (call: ServerDuplexStream<IngestRequest, IngestResponse>) => this.#pass(call) },
    );
  }

  static async start(target: string): Promise<HastyProxy> {
    const proxy = new HastyProxy(target);
    proxy.#port = await new Promise<number>((resolve, reject) => {
      proxy.#server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
        error === null ? resolve(port) : reject(error),
      );
    });
    return proxy;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  stop(): void {
    this.#server.forceShutdown();
    this.#client.close();
  }

  #pass(trainer: ServerDuplexStream<IngestRequest, IngestResponse>): void {
    const onward: ClientDuplexStream<IngestRequest, IngestResponse> = this.#client.makeBidiStreamRequest(
      ingest.path,
      ingest.requestSerialize,
      ingest.responseDeserialize,
    );
    trainer.on("data", (request: IngestRequest) => {
      onward.write(request);
      if (request.message?.$case !== "batch") return;
      const committedSeq = lastSeqOf(request.message.value);
      trainer.write({ message: { $case: "ack", value: { committedSeq, rejected: [] } } });
    });
    trainer.on("end", () => onward.end());
    trainer.on("cancelled", () => onward.cancel());
    trainer.on("error", () => {});
    onward.on("data", (response: IngestResponse) => {
      if (response.message?.$case !== "ack") trainer.write(response);
    });
    onward.on("error", (error) => trainer.emit("error", error));
    onward.on("end", () => trainer.end());
  }
}

function lastSeqOf({ firstSeq, entries }: RecordBatch): bigint {
  return entries.reduce((next, { kind }) => next + (kind?.$case === "gap" ? kind.value.count : 1n), firstSeq) - 1n;
}

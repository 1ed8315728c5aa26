// The calls an import makes, answered from memory over a real socket and by the contract's rules of numbers.
import { Server, ServerCredentials, type ServiceError, status, type UntypedServiceImplementation } from "@grpc/grpc-js";
import {
  AdminServiceService,
  type Entry,
  type GetLedgerRequest,
  IngestServiceService,
  type PutStateRequest,
  type StateDocument,
  StateServiceService,
  type WriteRecordsRequest,
} from "@tailkeep/proto";
import { onTestFinished } from "vitest";

type Answer<Response> = (error: Partial<ServiceError> | null, response?: Response) => void;
interface Stored {
  readonly sessionId: string;
  readonly streamId: string;
  readonly writerId: string;
  readonly entries: Entry[];
}

export class LoopbackServer {
  address = "";
  writeCalls = 0;
  readonly streams = new Map<string, Stored>();
  readonly states = new Map<string, StateDocument>();
  readonly #server = new Server({ "grpc.max_receive_message_length": 4 * 1024 * 1024 });

  static async start(): Promise<LoopbackServer> {
    const loopback = new LoopbackServer();
    const server = loopback.#server;
    const services: [unknown, object][] = [
      [IngestServiceService, { writeRecords: unary((request: WriteRecordsRequest) => loopback.#write(request)) }],
      [AdminServiceService, { getLedger: unary((request: GetLedgerRequest) => loopback.#ledger(request)) }],
      [
        StateServiceService,
        {
          getState: unary(({ name }: { name: string }) => loopback.states.get(name) ?? refuse(status.NOT_FOUND)),
          putState: unary((request: PutStateRequest) => loopback.#put(request)),
        },
      ],
    ];
    for (const [service, handlers] of services) {
      server.addService(service as never, handlers as UntypedServiceImplementation);
    }
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    loopback.address = `127.0.0.1:${port}`;
    onTestFinished(() => server.forceShutdown());
    return loopback;
  }

  get recordCount(): number {
    return [...this.streams.values()].reduce((sum, { entries }) => sum + entries.length, 0);
  }

  #write({ sessionId, streamId, writerId, batch }: WriteRecordsRequest): object {
    this.writeCalls += 1;
    const key = `${sessionId}/${streamId}`;
    const stored = this.streams.get(key) ?? { sessionId, streamId, writerId, entries: [] };
    if (stored.writerId !== writerId) return refuse(status.FAILED_PRECONDITION);
    stored.entries.push(...(batch?.entries ?? []).slice(stored.entries.length + 1 - Number(batch?.firstSeq)));
    this.streams.set(key, stored);
    return { committedSeq: BigInt(stored.entries.length), rejected: [] };
  }

  /** Pages of three lines: an import must read all of them. */
  #ledger({ sessionId, pageToken }: GetLedgerRequest): object {
    const lines = [...this.streams.values()].filter((stream) => stream.sessionId === sessionId);
    const begin = Number(pageToken);
    return {
      streams: lines.slice(begin, begin + 3).map(({ streamId, writerId, entries }) => ({
        streamId,
        writerId,
        epoch: 1n,
        committedSeq: BigInt(entries.length),
        counts: { stored: BigInt(entries.length), rejected: 0n, gapped: 0n },
      })),
      nextPageToken: begin + 3 < lines.length ? String(begin + 3) : "",
    };
  }

  #put({ name, valueJson, expectedVersion }: PutStateRequest): object {
    const version = this.states.get(name)?.version ?? 0n;
    if (expectedVersion !== undefined && expectedVersion !== version) return refuse(status.ABORTED);
    const document = { name, valueJson, version: version + 1n, updatedAtUs: 0n };
    this.states.set(name, document);
    return document;
  }
}

function refuse(code: number): never {
  throw { code, details: "refused by the test" };
}

function unary<Request>(handle: (request: Request) => object) {
  return ({ request }: { request: Request }, answer: Answer<object>): void => {
    try {
      answer(null, handle(request));
    } catch (error) {
      answer(error as Partial<ServiceError>);
    }
  };
}

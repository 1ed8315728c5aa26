/**
 * A small server that keeps the contract of ingest.proto: watermark, epochs, fencing, credit. Tests make it misbehave by
 * `faults`; what it stored is there to compare.
 */

import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServiceError,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import {
  type Entry,
  type IngestRequest,
  type IngestResponse,
  IngestServiceService,
  type OpenStream,
  type RecordBatch,
  type StreamCounts,
  type WriteRecordsRequest,
  type WriteRecordsResponse,
} from "@tailkeep/proto";

type WriteRecordsCall = ServerUnaryCall<WriteRecordsRequest, WriteRecordsResponse>;
export type IngestServerCall = ServerDuplexStream<IngestRequest, IngestResponse>;

export interface StoredStream {
  writerId: string;
  epoch: number;
  committedSeq: number;
  counts: StreamCounts;
  /** Entry by its first number. */
  readonly entries: Map<number, Entry>;
  readonly batchSizes: number[];
  opens: number;
}

export interface ServerFaults {
  /** Called with each batch before it is committed; an error ends the call. */
  onBatch?: (batch: RecordBatch, stream: StoredStream, call: IngestServerCall) => Partial<ServiceError> | undefined;
  onOpen?: (open: OpenStream, call: IngestServerCall) => Partial<ServiceError> | undefined;
  /** Commit, but lose the ack. */
  swallowAcks?: boolean;
  ackDelayMs?: number;
}

export function failure(code: number, tailkeepCode: string, more: Record<string, string> = {}): Partial<ServiceError> {
  const metadata = new Metadata();
  metadata.set("tailkeep-code", tailkeepCode);
  for (const [name, value] of Object.entries(more)) metadata.set(name, value);
  return { code, details: `${tailkeepCode} by the test`, metadata };
}

export class IngestServer {
  readonly streams = new Map<string, StoredStream>();
  readonly calls = new Set<IngestServerCall>();
  faults: ServerFaults = {};
  creditBytes = 8 * 1024 * 1024;
  address = "";
  ended = 0;
  #server: Server | undefined;

  async start(services: readonly (readonly [unknown, UntypedServiceImplementation])[] = []): Promise<this> {
    const server = new Server({ "grpc.max_receive_message_length": 4 * 1024 * 1024 });
    server.addService(IngestServiceService as never, {
      ingest: (call: IngestServerCall) => this.#ingest(call),
      writeRecords: (call: WriteRecordsCall, callback: sendUnaryData<WriteRecordsResponse>) =>
        this.#write(call, callback),
    });
    for (const [service, handlers] of services) server.addService(service as never, handlers);
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(this.address || "127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
        if (error === null) resolve(bound);
        else reject(error);
      });
    });
    this.address = `127.0.0.1:${port}`;
    this.#server = server;
    return this;
  }

  /** Like a kill: connections break. A later `start` listens at the same address and knows the streams. */
  stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    return new Promise((resolve) => {
      if (server === undefined) resolve();
      else {
        server.forceShutdown();
        setImmediate(resolve);
      }
    });
  }

  /** The only stream. */
  get only(): StoredStream {
    const [stream] = this.streams.values();
    if (stream === undefined) throw new Error("no stream was opened");
    return stream;
  }

  #ingest(call: IngestServerCall): void {
    this.calls.add(call);
    let stream: StoredStream | undefined;
    let epoch = 0;
    let received = 0;
    let failed = false;
    const fail = (error: Partial<ServiceError>): void => {
      failed = true;
      call.emit("error", error);
    };
    call.on("error", () => undefined);
    call.on("cancelled", () => void this.calls.delete(call));
    call.on("data", ({ message }: IngestRequest) => {
      if (failed) return;
      if (message?.$case === "open") {
        const error = this.faults.onOpen?.(message.value, call);
        if (error !== undefined) return fail(error);
        const opened = this.#open(message.value);
        if (opened === undefined) return fail(failure(status.FAILED_PRECONDITION, "FENCED"));
        stream = opened;
        epoch = opened.epoch;
        const { committedSeq, counts } = opened;
        call.write({
          message: {
            $case: "opened",
            value: {
              epoch: BigInt(epoch),
              committedSeq: BigInt(committedSeq),
              counts,
              creditBytes: BigInt(this.creditBytes),
              regressed: undefined,
              durable: true,
              serverVersion: "test",
            },
          },
        });
        return;
      }
      if (message?.$case !== "batch" || stream === undefined) {
        return fail(failure(status.FAILED_PRECONDITION, "NOT_OPENED"));
      }
      if (stream.epoch !== epoch) return fail(failure(status.ABORTED, "SUPERSEDED"));
      const error = this.faults.onBatch?.(message.value, stream, call);
      if (error !== undefined) return fail(error);
      if (!commit(stream, message.value)) return fail(failure(status.ABORTED, "SEQUENCE_GAP"));
      received += 1;
      if (this.faults.swallowAcks) return;
      const value = { committedSeq: BigInt(stream.committedSeq), rejected: [] };
      const ack = (): void => void call.write({ message: { $case: "ack", value } });
      if (this.faults.ackDelayMs === undefined) ack();
      else setTimeout(ack, this.faults.ackDelayMs);
      const creditBytes = BigInt(this.creditBytes + received * 1024 * 1024);
      call.write({ message: { $case: "credit", value: { creditBytes } } });
    });
    call.on("end", () => {
      this.calls.delete(call);
      this.ended++;
      if (!failed) call.end();
    });
  }

  #write({ request }: WriteRecordsCall, callback: sendUnaryData<WriteRecordsResponse>): void {
    const stream = this.#open({ ...request, ackedSeq: 0n, takeover: false, labels: {} });
    if (stream === undefined) callback(failure(status.FAILED_PRECONDITION, "FENCED"));
    else if (request.batch === undefined || !commit(stream, request.batch)) {
      callback(failure(status.ABORTED, "SEQUENCE_GAP"));
    } else callback(null, { committedSeq: BigInt(stream.committedSeq), rejected: [] });
  }

  #open(open: OpenStream): StoredStream | undefined {
    const key = `${open.sessionId}/${open.streamId}`;
    let stream = this.streams.get(key);
    if (stream === undefined) {
      stream = {
        writerId: open.writerId,
        epoch: 0,
        committedSeq: 0,
        counts: { stored: 0n, rejected: 0n, gapped: 0n },
        entries: new Map(),
        batchSizes: [],
        opens: 0,
      };
      this.streams.set(key, stream);
    }
    if (stream.writerId !== open.writerId) {
      if (!open.takeover) return undefined;
      stream.writerId = open.writerId;
    }
    stream.epoch++;
    stream.opens++;
    const forgotten = Number(open.ackedSeq) - stream.committedSeq;
    if (forgotten > 0) {
      stream.counts.gapped += BigInt(forgotten);
      stream.committedSeq = Number(open.ackedSeq);
    }
    return stream;
  }
}

/** False if there is a hole before the batch. */
function commit(stream: StoredStream, batch: RecordBatch): boolean {
  let seq = Number(batch.firstSeq);
  if (seq > stream.committedSeq + 1) return false;
  stream.batchSizes.push(batch.entries.length);
  for (const entry of batch.entries) {
    const count = entry.kind?.$case === "gap" ? Number(entry.kind.value.count) : 1;
    if (seq + count - 1 > stream.committedSeq) {
      stream.entries.set(seq, entry);
      stream.committedSeq = seq + count - 1;
      if (entry.kind?.$case === "gap") stream.counts.gapped += BigInt(count);
      else stream.counts.stored++;
    }
    seq += count;
  }
  return true;
}

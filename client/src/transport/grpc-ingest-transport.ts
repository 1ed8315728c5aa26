/**
 * The real transport: one bidirectional grpc-js call. Events, not `for await`, which hangs after `end()` (grpc-node 1839).
 */

import { type ClientDuplexStream, status as GrpcStatus, type StatusObject } from "@grpc/grpc-js";
import { IngestRequest, type IngestResponse, IngestServiceService, type StreamOpened } from "@tailkeep/proto";
import type { EncodedBatch } from "../encode/encoded-batch.js";
import type { AckedRejection } from "../records/rejection.js";
import { rejectionOf } from "../records/rejection.js";
import { safeNumber } from "../records/safe-number.js";
import { streamTotals } from "../records/totals.js";
import type { Channel } from "./channel.js";
import type { IngestCall, IngestCallHandlers, IngestTransport, OpenRequest, StreamInfo } from "./ingest-transport.js";
import { callStatus } from "./status.js";

const { path, responseDeserialize } = IngestServiceService.ingest;

/** Messages are encoded before they reach the call. */
const passThrough = (message: Buffer): Buffer => message;

/** Opens Ingest calls on a channel. */
export class GrpcIngestTransport implements IngestTransport {
  readonly #channel: Channel;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  open(request: OpenRequest, handlers: IngestCallHandlers): IngestCall {
    return new GrpcIngestCall(this.#channel, request, handlers);
  }

  onConnected(listener: () => void): () => void {
    return this.#channel.onConnected(listener);
  }
}

class GrpcIngestCall implements IngestCall {
  readonly #call: ClientDuplexStream<Buffer, IngestResponse>;
  readonly #handlers: IngestCallHandlers;
  #status: StatusObject | undefined;
  #readAll = false;
  #ended = false;

  constructor(channel: Channel, request: OpenRequest, handlers: IngestCallHandlers) {
    this.#handlers = handlers;
    const call = channel.grpc.makeBidiStreamRequest<Buffer, IngestResponse>(
      path,
      passThrough,
      responseDeserialize,
      channel.metadata(),
      {},
    );
    this.#call = call;
    // Stays for good: an error that comes after the end must not become an uncaught exception.
    call.on("error", () => undefined);
    call.on("data", (response: IngestResponse) => this.#receive(response));
    call.on("drain", () => {
      if (!this.#ended) handlers.onDrain();
    });
    call.on("end", () => {
      this.#readAll = true;
      this.#endIfComplete();
    });
    call.on("status", (status: StatusObject) => {
      this.#status = status;
      this.#endIfComplete();
      // Answers still buffered are read first, but nothing promises an "end" after an error.
      if (!this.#ended) setImmediate(() => this.#end(status));
    });
    call.write(openMessage(request));
  }

  send(batch: EncodedBatch): boolean {
    if (this.#ended || this.#status !== undefined) return false;
    return this.#call.write(batch.message());
  }

  halfClose(): void {
    if (!this.#ended) this.#call.end();
  }

  cancel(): void {
    this.#call.cancel();
  }

  #receive(response: IngestResponse): void {
    if (this.#ended) return;
    try {
      this.#dispatch(response);
    } catch (error) {
      // An answer that cannot be understood ends this call, never the process.
      this.#end({
        code: GrpcStatus.INTERNAL,
        details: `the server's answer makes no sense: ${error instanceof Error ? error.message : String(error)}`,
      });
      this.#call.cancel();
    }
  }

  #dispatch({ message }: IngestResponse): void {
    switch (message?.$case) {
      case "ack":
        this.#handlers.onAck(
          safeNumber(message.value.committedSeq, "committed_seq"),
          message.value.rejected.length === 0 ? NO_REJECTIONS : message.value.rejected.map(rejectionOf),
        );
        return;
      case "credit":
        this.#handlers.onCredit(Number(message.value.creditBytes));
        return;
      case "opened":
        this.#handlers.onOpened(streamInfo(message.value));
        return;
      default:
        // A newer server may say more; what is not understood is not needed.
        return;
    }
  }

  #endIfComplete(): void {
    if (this.#readAll && this.#status !== undefined) this.#end(this.#status);
  }

  #end(status: Partial<StatusObject>): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#handlers.onEnd(callStatus(status));
  }
}

const NO_REJECTIONS: readonly AckedRejection[] = Object.freeze([]);

function openMessage(request: OpenRequest): Buffer {
  const bytes = IngestRequest.encode({
    message: {
      $case: "open",
      value: {
        sessionId: request.sessionId,
        streamId: request.streamId,
        writerId: request.writerId,
        ackedSeq: BigInt(request.ackedSeq),
        takeover: request.takeover,
        labels: { ...request.labels },
      },
    },
  }).finish();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function streamInfo(opened: StreamOpened): StreamInfo {
  return {
    epoch: safeNumber(opened.epoch, "epoch"),
    committedSeq: safeNumber(opened.committedSeq, "committed_seq"),
    counts: streamTotals(opened.counts),
    // A bound, not an identity: rounding above 2^53 is harmless.
    creditBytes: Number(opened.creditBytes),
    regressed:
      opened.regressed === undefined
        ? undefined
        : {
            firstSeq: safeNumber(opened.regressed.firstSeq, "regressed.first_seq"),
            lastSeq: safeNumber(opened.regressed.lastSeq, "regressed.last_seq"),
          },
    durable: opened.durable,
    serverVersion: opened.serverVersion,
  };
}

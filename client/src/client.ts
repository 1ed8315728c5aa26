/** The composition root: one channel, and everything that uses it. */

import { ClosedError } from "./errors/errors.js";
import { IngestStream } from "./ingest/ingest-stream.js";
import type { StreamOptions } from "./ingest/stream-options.js";
import { resolveStreamOptions } from "./ingest/stream-options.js";
import type { WaitOptions } from "./ingest/waiters.js";
import { type WriteRecordsInput, type WriteRecordsResult, writeRecords } from "./ingest/write-records.js";
import { type ConnectOptions, type ResolvedConnectOptions, resolveConnectOptions } from "./options.js";
import { AdminClient } from "./query/admin.js";
import { ConfigClient } from "./query/config.js";
import { HistoryClient } from "./query/history.js";
import { KeysClient } from "./query/keys.js";
import { StateClient } from "./query/state.js";
import { Channel } from "./transport/channel.js";
import { GrpcIngestTransport } from "./transport/grpc-ingest-transport.js";
import type { IngestTransport } from "./transport/ingest-transport.js";
import { type CallOptions, UnaryCaller } from "./transport/unary-call.js";

/** A connection to a Tailkeep server. Made by `connect`; connects by itself when first used, and again after a loss. */
export class TailkeepClient {
  /** Options with every default filled in. */
  readonly options: ResolvedConnectOptions;
  /** Sessions, records, watching, statistics. */
  readonly history: HistoryClient;
  /** Named, versioned JSON documents. */
  readonly state: StateClient;
  /** Gaps, dead letters, ledger. */
  readonly admin: AdminClient;
  /** The central configuration: limits, and who changed them. */
  readonly config: ConfigClient;
  /** Keys: who may do what. For callers with the role `admin`. */
  readonly keys: KeysClient;
  readonly #channel: Channel;
  readonly #caller: UnaryCaller;
  readonly #streams = new Set<IngestStream>();
  #closing: Promise<void> | undefined;

  constructor(options: ResolvedConnectOptions) {
    this.options = options;
    this.#channel = new Channel(options);
    this.#caller = new UnaryCaller(this.#channel, options.timeoutMs);
    this.history = new HistoryClient(this.#caller, this.#channel);
    this.state = new StateClient(this.#caller);
    this.admin = new AdminClient(this.#caller);
    this.keys = new KeysClient(this.#caller);
    this.config = new ConfigClient(this.#caller, this.#channel);
  }

  /**
   * A stream to append to. Returns at once; the first append opens the call. Throws InvalidArgumentError for options that
   * cannot be, and ClosedError on a closed client.
   */
  openStream(options: StreamOptions = {}): IngestStream {
    if (this.#closing !== undefined) {
      throw new ClosedError("the client is closed: connect again", { code: "CLIENT_CLOSED", retryable: false });
    }
    const resolved = resolveStreamOptions(options, this.options.sessionId);
    const stream = new IngestStream(resolved, new GrpcIngestTransport(this.#channel));
    this.#streams.add(stream);
    stream.onStateChange(({ name }) => {
      if (name === "closed" || name === "failed") this.#streams.delete(stream);
    });
    return stream;
  }

  /** The connection as a recorder uses it. For this package's own use. @internal */
  ingestTransport(): IngestTransport {
    return new GrpcIngestTransport(this.#channel);
  }

  /** One batch without a stream; resolves when it is durable. Repeated by itself while the server is unavailable. */
  writeRecords(input: WriteRecordsInput, options: CallOptions = {}): Promise<WriteRecordsResult> {
    return writeRecords(this.#caller, { ...input, sessionId: input.sessionId ?? this.options.sessionId }, options);
  }

  /**
   * Closes every stream (waiting until it is durable), then the connection. Rejects with the first error of a stream once
   * all have ended. Calls and watches still running end with an error. @default timeoutMs 10,000
   */
  close(options: WaitOptions = {}): Promise<void> {
    this.#closing ??= this.#close(options);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(options: WaitOptions): Promise<void> {
    const results = await Promise.allSettled([...this.#streams].map((stream) => stream.close(options)));
    this.#channel.close();
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }
}

/** Makes a client. Nothing is sent before it is used. Throws InvalidArgumentError for options that cannot be. */
export function connect(options: ConnectOptions = {}): TailkeepClient {
  return new TailkeepClient(resolveConnectOptions(options));
}

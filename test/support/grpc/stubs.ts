/** Raw stubs of every service over one channel, with unary calls as promises of an answer or an ending. */
import { ChannelCredentials, Client, type ClientOptions, InterceptingCall, type ServiceError } from "@grpc/grpc-js";
import {
  AdminServiceService,
  ConfigServiceService,
  CreateKeyRequest,
  DeleteSessionRequest,
  DeleteStateRequest,
  GetConfigRequest,
  GetLedgerRequest,
  GetSessionRequest,
  GetStateRequest,
  GetStatisticsRequest,
  HistoryServiceService,
  IngestServiceService,
  ListConfigChangesRequest,
  ListDeadLettersRequest,
  ListGapsRequest,
  ListKeysRequest,
  ListRecordsRequest,
  ListSessionsRequest,
  ListStatesRequest,
  PutStateRequest,
  RevokeKeyRequest,
  RotateKeyRequest,
  StateServiceService,
  TailRecordsRequest,
  UpdateConfigRequest,
  UpdateSessionRequest,
  type WatchRecordsRequest,
  WriteRecordsRequest,
} from "@tailkeep/proto";
import { type Ending, endingOf, IngestProbe } from "./ingest-probe.js";
import { WatchProbe } from "./watch-probe.js";

const METHODS = {
  ...AdminServiceService,
  ...ConfigServiceService,
  ...HistoryServiceService,
  ...IngestServiceService,
  ...StateServiceService,
};
type Methods = typeof METHODS;

/** Requests of the unary methods. */
interface Requests {
  createKey: CreateKeyRequest;
  listKeys: ListKeysRequest;
  revokeKey: RevokeKeyRequest;
  rotateKey: RotateKeyRequest;
  deleteSession: DeleteSessionRequest;
  deleteState: DeleteStateRequest;
  getConfig: GetConfigRequest;
  getLedger: GetLedgerRequest;
  getSession: GetSessionRequest;
  getState: GetStateRequest;
  getStatistics: GetStatisticsRequest;
  listConfigChanges: ListConfigChangesRequest;
  listDeadLetters: ListDeadLettersRequest;
  listGaps: ListGapsRequest;
  listRecords: ListRecordsRequest;
  listSessions: ListSessionsRequest;
  listStates: ListStatesRequest;
  putState: PutStateRequest;
  tailRecords: TailRecordsRequest;
  updateConfig: UpdateConfigRequest;
  updateSession: UpdateSessionRequest;
  writeRecords: WriteRecordsRequest;
}
export type Unary = keyof Requests;
type Request<M extends Unary> = Requests[M];

/** What is used of a generated message. */
interface Codec<Message> {
  create(partial: never): Message;
  encode(message: Message): { finish(): Uint8Array };
}

const REQUESTS: { [M in Unary]: Codec<Requests[M]> } = {
  createKey: CreateKeyRequest,
  listKeys: ListKeysRequest,
  revokeKey: RevokeKeyRequest,
  rotateKey: RotateKeyRequest,
  deleteSession: DeleteSessionRequest,
  deleteState: DeleteStateRequest,
  getConfig: GetConfigRequest,
  getLedger: GetLedgerRequest,
  getSession: GetSessionRequest,
  getState: GetStateRequest,
  getStatistics: GetStatisticsRequest,
  listConfigChanges: ListConfigChangesRequest,
  listDeadLetters: ListDeadLettersRequest,
  listGaps: ListGapsRequest,
  listRecords: ListRecordsRequest,
  listSessions: ListSessionsRequest,
  listStates: ListStatesRequest,
  putState: PutStateRequest,
  tailRecords: TailRecordsRequest,
  updateConfig: UpdateConfigRequest,
  updateSession: UpdateSessionRequest,
  writeRecords: WriteRecordsRequest,
};
type Response<M extends Unary> = ReturnType<Methods[M]["responseDeserialize"]>;

/** A call that ended otherwise than OK. */
export class EndedError extends Error {
  readonly ending: Ending;

  constructor(ending: Ending) {
    super(`${ending.status} ${ending.code ?? ""}: ${ending.message}`);
    this.ending = ending;
  }
}

export interface StubsOptions {
  /** Sent with every call, as `authorization` as it stands. */
  readonly authorization?: string | undefined;
  /** @default plain text */
  readonly credentials?: ChannelCredentials | undefined;
  /** Else clients of one address share a connection, and its limits. */
  readonly ownConnection?: boolean | undefined;
}

/** Adds the header to every call. */
function sending(authorization: string): ClientOptions {
  return {
    interceptors: [
      (options, nextCall) =>
        new InterceptingCall(nextCall(options), {
          start: (metadata, listener, next) => {
            metadata.set("authorization", authorization);
            next(metadata, listener);
          },
        }),
    ],
  };
}

export class Stubs {
  readonly client: Client;
  readonly #probes: { cancel(): void }[] = [];

  constructor(address: string, { authorization, credentials, ownConnection = false }: StubsOptions = {}) {
    this.client = new Client(address, credentials ?? ChannelCredentials.createInsecure(), {
      ...(authorization === undefined ? {} : sending(authorization)),
      "grpc.max_send_message_length": -1,
      "grpc.max_receive_message_length": -1,
      "grpc.enable_retries": 0,
      "grpc.use_local_subchannel_pool": ownConnection ? 1 : 0,
    });
  }

  ingest(): IngestProbe {
    const probe = new IngestProbe(this.client);
    this.#probes.push(probe);
    return probe;
  }

  watch(request: Partial<WatchRecordsRequest>): WatchProbe {
    const probe = new WatchProbe(this.client, request);
    this.#probes.push(probe);
    return probe;
  }

  /** The request may leave out what has its default. */
  call<M extends Unary>(method: M, request: Partial<Request<M>>): Promise<Response<M>> {
    const requests = REQUESTS[method] as unknown as {
      create(partial: unknown): unknown;
      encode(message: unknown): { finish(): Uint8Array };
    };
    return this.callBytes(method, requests.encode(requests.create(request)).finish());
  }

  callBytes<M extends Unary>(method: M, bytes: Uint8Array): Promise<Response<M>> {
    const { path, responseDeserialize } = METHODS[method] as unknown as {
      path: string;
      responseDeserialize: (bytes: Buffer) => Response<M>;
    };
    return this.#unary(path, Buffer.from(bytes), responseDeserialize);
  }

  /** How a call ended that should not have been answered. */
  async ending<M extends Unary>(method: M, request: Partial<Request<M>>): Promise<Ending> {
    return this.#endingOf(this.call(method, request));
  }

  async endingOfBytes<M extends Unary>(method: M, bytes: Uint8Array): Promise<Ending> {
    return this.#endingOf(this.callBytes(method, bytes));
  }

  /** Ends every stream that is still open. */
  cancelAll(): void {
    for (const probe of this.#probes.splice(0)) probe.cancel();
  }

  close(): void {
    this.cancelAll();
    this.client.close();
  }

  async #endingOf(call: Promise<unknown>): Promise<Ending> {
    try {
      await call;
    } catch (error) {
      if (error instanceof EndedError) return error.ending;
      throw error;
    }
    throw new Error("the call was answered");
  }

  #unary<R>(path: string, bytes: Buffer, deserialize: (bytes: Buffer) => R): Promise<R> {
    return new Promise((resolve, reject) => {
      const asItIs = (request: Buffer) => request;
      this.client.makeUnaryRequest(path, asItIs, deserialize, bytes, (error: ServiceError | null, value?: R) => {
        if (error === null) resolve(value as R);
        else reject(new EndedError(endingOf(error)));
      });
    });
  }
}

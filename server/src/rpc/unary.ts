/** Unary calls as plain async functions: decoded here, so that bad bytes get the right status, with errors mapped once. */
import type { BinaryReader } from "@bufbuild/protobuf/wire";
import type { Metadata, ServerUnaryCall, sendUnaryData, UntypedHandleCall } from "@grpc/grpc-js";
import type { Caller } from "./caller.js";
import { RpcError, rpcError } from "./errors.js";
import { strictReader } from "./strict-reader.js";

/** A generated message class, as far as decoding needs it. */
export interface Decoder<Request> {
  decode(reader: BinaryReader): Request;
}

/** A call, as far as it is looked at before its request. */
export interface CallHead {
  readonly metadata: Metadata;
  /** `/tailkeep.v1.IngestService/Ingest` */
  getPath(): string;
}

/** What every call goes through, whatever it asks. */
export interface Gate {
  /** Who calls. @throws RpcError where it may not, or the server cannot serve yet */
  admit(call: CallHead): Caller;
  /** Takes room for a request while it is answered; returns how to give it back. @throws RpcError where there is none */
  hold(bytes: number): () => void;
  /** Name of the method, its tailkeep-code or OK, and how long it took. */
  finished(method: string, code: string, ms: number): void;
  /** An error that the caller is not told. */
  unexpected(error: unknown): void;
}

export function decodeRequest<Request>(decoder: Decoder<Request>, bytes: Buffer): Request {
  try {
    return decoder.decode(strictReader(bytes));
  } catch (error) {
    throw new RpcError("MALFORMED", `request: ${String(error)}; encode it with the stubs of tailkeep.v1`);
  }
}

/** A call whose handler decodes by itself. */
export function rawUnary<Response>(
  method: string,
  gate: Gate,
  handle: (caller: Caller, bytes: Buffer) => Promise<Response>,
): UntypedHandleCall {
  return (call: ServerUnaryCall<Buffer, Response>, callback: sendUnaryData<Response>) => {
    const startedMs = performance.now();
    const finish = async () => handle(gate.admit(call), call.request);
    finish().then(
      (response) => {
        gate.finished(method, "OK", performance.now() - startedMs);
        callback(null, response);
      },
      (thrown: unknown) => {
        const error = rpcError(thrown, (unexpected) => gate.unexpected(unexpected));
        gate.finished(method, error.code, performance.now() - startedMs);
        callback(error.toStatus());
      },
    );
  };
}

export function unary<Request, Response>(
  method: string,
  gate: Gate,
  decoder: Decoder<Request>,
  handle: (namespace: string, request: Request, caller: Caller) => Promise<Response>,
): UntypedHandleCall {
  return rawUnary(method, gate, async (caller, bytes) => {
    const giveBack = gate.hold(bytes.length);
    try {
      return await handle(caller.namespace, decodeRequest(decoder, bytes), caller);
    } finally {
      giveBack();
    }
  });
}

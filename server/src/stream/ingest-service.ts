/** Ingest and WriteRecords over grpc-js. */
import type { ServerDuplexStream } from "@grpc/grpc-js";
import { type IngestResponse, IngestServiceService } from "@tailkeep/proto";
import { OVERLOAD_RETRY_AFTER_MS, READ_AHEAD_MESSAGES_MAX } from "../limits.js";
import type { Caller } from "../rpc/caller.js";
import { RpcError, rpcError } from "../rpc/errors.js";
import type { Service } from "../rpc/server.js";
import { type Gate, rawUnary } from "../rpc/unary.js";
import { IngestCall, type IngestContext, type IngestWire } from "./ingest-call.js";
import { writeRecords } from "./write-records.js";

type Call = ServerDuplexStream<Buffer, IngestResponse>;

/** What all calls have in common; who makes one is added to it. */
export type SharedContext = Omit<IngestContext, "namespace" | "quota">;

/** The calls that are under way, so that a shutdown can let them finish. */
export class IngestCalls {
  readonly #calls = new Set<IngestCall>();

  get count(): number {
    return this.#calls.size;
  }

  /** No more is read; what was taken is committed and acked. */
  shutdown(): void {
    for (const call of this.#calls) call.shutdown();
  }

  /** Ends what is still there. */
  abort(): void {
    for (const call of this.#calls) call.abort();
  }

  serve(call: Call, context: SharedContext, gate: Gate): void {
    const startedMs = performance.now();
    // Emitted by ourselves to end the call, or by the connection, which `cancelled` follows.
    call.on("error", () => undefined);
    let caller: Caller;
    try {
      caller = gate.admit(call);
      if (!caller.quota.openStream()) throw tooManyStreams();
    } catch (thrown) {
      const error = rpcError(thrown, (unexpected) => gate.unexpected(unexpected));
      gate.finished("Ingest", error.code, performance.now() - startedMs);
      call.emit("error", error.toStatus());
      return;
    }
    let ended = false;
    // grpc-js reads 16 messages ahead of a paused stream and has no option for it; at 1 MiB each that is too much.
    (call as unknown as { _readableState: { highWaterMark: number } })._readableState.highWaterMark =
      READ_AHEAD_MESSAGES_MAX;
    const wire: IngestWire = {
      send: (response) => (ended ? true : call.write(response)),
      pause: () => {
        call.pause();
      },
      resume: () => {
        if (!ended) call.resume();
      },
      end: (thrown) => {
        if (ended) return;
        ended = true;
        leave();
        const error = thrown === undefined ? undefined : rpcError(thrown, (unexpected) => gate.unexpected(unexpected));
        gate.finished("Ingest", error?.code ?? "OK", performance.now() - startedMs);
        if (error === undefined) call.end();
        // `destroy` would lose what was written just before; an error event ends the call after it.
        else call.emit("error", error.toStatus());
      },
    };
    const { namespace, quota, ended: unwelcome } = caller;
    const ingest = new IngestCall(wire, { ...context, namespace, quota });
    const shutOut = () => ingest.shutOut(unwelcome.reason);
    const leave = () => {
      this.#calls.delete(ingest);
      unwelcome.removeEventListener("abort", shutOut);
      quota.closeStream();
    };
    this.#calls.add(ingest);
    unwelcome.addEventListener("abort", shutOut);
    const gone = () => {
      ingest.onGone();
      if (ended) return;
      ended = true;
      leave();
      gate.finished("Ingest", "CANCELLED", performance.now() - startedMs);
    };
    call.on("data", (bytes: Buffer) => ingest.onMessage(bytes));
    call.on("end", () => ingest.onHalfClose());
    call.on("drain", () => ingest.onWritable());
    call.on("cancelled", gone);
    call.on("close", gone);
  }
}

function tooManyStreams(): RpcError {
  return new RpcError("RATE_LIMITED", "the key has as many open streams as it may; close some, or use another key", {
    retryAfterMs: OVERLOAD_RETRY_AFTER_MS,
  });
}

export function ingestService(calls: IngestCalls, context: SharedContext, gate: Gate): Service {
  return {
    definition: IngestServiceService,
    implementation: {
      ingest: (call: Call) => calls.serve(call, context, gate),
      writeRecords: rawUnary("WriteRecords", gate, ({ namespace, quota }, bytes) =>
        writeRecords(bytes, { ...context, namespace, quota }),
      ),
    },
  };
}

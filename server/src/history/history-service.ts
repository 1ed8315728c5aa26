/** HistoryService: which method answers what. */
import type { ServerWritableStream } from "@grpc/grpc-js";
import {
  DeleteSessionRequest,
  GetSeriesRequest,
  GetSessionRequest,
  GetStatisticsRequest,
  HistoryServiceService,
  ListRecordsRequest,
  ListSeriesRequest,
  ListSessionsRequest,
  TailRecordsRequest,
  UpdateSessionRequest,
  WatchRecordsRequest,
  type WatchRecordsResponse,
} from "@tailkeep/proto";
import { WATCH_AHEAD_MESSAGES_MAX } from "../limits.js";
import type { EncodedAnswer } from "../rpc/encoded-answer.js";
import { RpcError, rpcError } from "../rpc/errors.js";
import type { Service } from "../rpc/server.js";
import { decodeRequest, type Gate, unary } from "../rpc/unary.js";
import type { SeriesReader } from "../series/index.js";
import { getStatistics, listRecords, tailRecords } from "./records-service.js";
import { type DeletionContext, deleteSession, getSession, listSessions, updateSession } from "./sessions-service.js";
import { WatchCall, type WatchContext } from "./watch-call.js";

export interface HistoryContext extends WatchContext, DeletionContext {
  series: SeriesReader;
  /** Aborted when the server ends; watchers then reconnect. */
  stopping: AbortSignal;
}

export function historyService(context: HistoryContext, gate: Gate): Service {
  const { store, caches, series } = context;
  return {
    definition: HistoryServiceService,
    implementation: {
      listSessions: unary("ListSessions", gate, ListSessionsRequest, (namespace, request) =>
        listSessions(store, namespace, request),
      ),
      getSession: unary("GetSession", gate, GetSessionRequest, (namespace, request) =>
        getSession(store, namespace, request.sessionId),
      ),
      updateSession: unary("UpdateSession", gate, UpdateSessionRequest, (namespace, request) =>
        updateSession(store, namespace, request),
      ),
      deleteSession: unary("DeleteSession", gate, DeleteSessionRequest, (namespace, request) =>
        deleteSession(context, namespace, request),
      ),
      listRecords: unary("ListRecords", gate, ListRecordsRequest, (namespace, request) =>
        listRecords(store, namespace, request),
      ),
      tailRecords: unary("TailRecords", gate, TailRecordsRequest, (namespace, request) =>
        tailRecords(store, caches, namespace, request),
      ),
      getStatistics: unary("GetStatistics", gate, GetStatisticsRequest, (namespace, request) =>
        getStatistics(store, namespace, request),
      ),
      listSeries: unary("ListSeries", gate, ListSeriesRequest, (namespace, request) =>
        series.list(namespace, request.sessionId),
      ),
      getSeries: unary("GetSeries", gate, GetSeriesRequest, (namespace, request) => series.get(namespace, request)),
      watchRecords: (call: WatchStream) => watch(call, context, gate),
    },
  };
}

type WatchStream = ServerWritableStream<Buffer, WatchRecordsResponse | EncodedAnswer>;

function watch(call: WatchStream, context: HistoryContext, gate: Gate): void {
  const startedMs = performance.now();
  const abort = new AbortController();
  // grpc-js queues 16 messages for a reader that is slow and has no option for it; the watcher's own queue is bounded.
  (call as unknown as { _writableState: { highWaterMark: number } })._writableState.highWaterMark =
    WATCH_AHEAD_MESSAGES_MAX;
  for (const event of ["cancelled", "close", "error"]) call.on(event, () => abort.abort());
  const run = async () => {
    const { namespace, ended } = gate.admit(call);
    const request = decodeRequest(WatchRecordsRequest, call.request);
    const watching = new WatchCall(context, namespace, request, {
      send: (response) => abort.signal.aborted || call.write(response),
    });
    call.on("drain", () => watching.writable());
    abort.signal.addEventListener("abort", () => watching.stop());
    await watching.run(AbortSignal.any([abort.signal, context.stopping, ended]));
    if (ended.aborted) throw ended.reason;
    if (context.stopping.aborted) throw new RpcError("SHUTTING_DOWN", "the server is shutting down; reconnect");
  };
  run().then(
    () => gate.finished("WatchRecords", "OK", performance.now() - startedMs),
    (thrown: unknown) => {
      const error = rpcError(thrown, (unexpected) => gate.unexpected(unexpected));
      gate.finished("WatchRecords", error.code, performance.now() - startedMs);
      if (!abort.signal.aborted) call.emit("error", error.toStatus());
    },
  );
}

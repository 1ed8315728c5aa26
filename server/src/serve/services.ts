/** The gRPC services, and what every call of theirs has to pass. */
import type { Logger } from "pino";
import { authorize } from "../access/doorkeeper.js";
import type { KeyDirectory } from "../access/key-directory.js";
import { keyMethods } from "../access/keys-service.js";
import { adminService } from "../admin/admin-service.js";
import type { Clock } from "../base/clock.js";
import { VERSION } from "../base/version.js";
import type { CentralConfig } from "../central-config/central-config.js";
import { configService } from "../central-config/config-service.js";
import { historyService } from "../history/history-service.js";
import type { Metrics } from "../http/metrics.js";
import type { IngestPath } from "../ingest-path.js";
import {
  BATCH_ENTRIES_MAX,
  OVERLOAD_RETRY_AFTER_MS,
  REQUEST_BYTES_IN_ALL_MAX,
  REQUEST_BYTES_SMALL,
  STARTING_RETRY_AFTER_MS,
} from "../limits.js";
import { RpcError } from "../rpc/errors.js";
import type { Service } from "../rpc/server.js";
import type { Gate } from "../rpc/unary.js";
import type { SeriesReader } from "../series/index.js";
import { stateService } from "../state/state-service.js";
import type { Store } from "../store/store.js";
import { type IngestCalls, ingestService } from "../stream/ingest-service.js";
import type { Elsewhere } from "../web/live/elsewhere.js";
import type { Traffic } from "../web/live/traffic.js";

export interface GateParts {
  readonly log: Logger;
  readonly keys: KeyDirectory;
  readonly keeper: IngestPath["keeper"];
  readonly metrics: Metrics;
  readonly traffic: Traffic;
  readonly isClosing: () => boolean;
}

export function openGate({ log, keys, keeper, metrics, traffic, isClosing }: GateParts): Gate {
  let heldBytes = 0;
  return {
    admit: (call) => {
      if (isClosing()) throw new RpcError("SHUTTING_DOWN", "the server is shutting down; reconnect");
      if (!keeper.started) {
        throw new RpcError("STORE_UNAVAILABLE", "the store has not answered yet; try again", {
          retryAfterMs: STARTING_RETRY_AFTER_MS,
        });
      }
      return authorize(keys, call.getPath(), call.metadata);
    },
    hold: (bytes) => {
      if (bytes > REQUEST_BYTES_SMALL && heldBytes + bytes > REQUEST_BYTES_IN_ALL_MAX) {
        throw new RpcError("OVERLOADED", "too many large requests wait for the store; send this one again later", {
          retryAfterMs: OVERLOAD_RETRY_AFTER_MS,
        });
      }
      heldBytes += bytes;
      return () => {
        heldBytes -= bytes;
      };
    },
    finished: (method, code) => {
      metrics.call(method, code);
      if (code === "OK" && (method === "UpdateSession" || method === "DeleteSession")) traffic.sessionsChanged();
    },
    // While the store is away every call fails, and that was said once.
    unexpected: (error) => log[keeper.up ? "error" : "debug"]({ err: error }, "a call failed"),
  };
}

export interface ServiceParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly path: IngestPath;
  readonly calls: IngestCalls;
  readonly keys: KeyDirectory;
  readonly central: CentralConfig;
  readonly series: SeriesReader;
  readonly metrics: Metrics;
  readonly traffic: Traffic;
  readonly elsewhere: Elsewhere;
  readonly stopping: AbortSignal;
}

export function allServices(parts: ServiceParts, gate: Gate): Service[] {
  const { store, clock, path, calls, keys, central, series, metrics, traffic, elsewhere, stopping } = parts;
  const { sessions, budget, caches, hub, keeper } = path;
  return [
    ingestService(
      calls,
      {
        sessions,
        budget,
        clock,
        durable: () => keeper.audit?.durable ?? false,
        serverVersion: VERSION,
        received: (bytes, records) => {
          metrics.receivedBytes.inc(bytes);
          metrics.receivedRecords.inc(records);
          traffic.received(bytes, records);
        },
        earlierRejections: (key, fromSeq, toSeq) =>
          store.reads.deadLettersBetween(key, fromSeq, toSeq, BATCH_ENTRIES_MAX),
      },
      gate,
    ),
    historyService(
      {
        store,
        caches,
        hub,
        clock,
        series,
        stopping,
        isWritten: (...session) => sessions.isWritten(...session) || elsewhere.isWritten(...session),
      },
      gate,
    ),
    stateService(store, gate),
    adminService(store, keyMethods({ store, clock, keys }, gate), gate),
    configService({ store, central, stopping }, gate),
  ];
}

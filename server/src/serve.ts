/**
 * The composition root: puts the path of a record behind gRPC and HTTP, beside everything else that the server does, and
 * takes it down in reverse.
 */
import type { Logger } from "pino";
import { authorize, doorkeeper } from "./access/doorkeeper.js";
import { KeyDirectory } from "./access/key-directory.js";
import { keyMethods } from "./access/keys-service.js";
import { pageVisit } from "./access/pages.js";
import { TlsCredentials, tlsFiles } from "./access/tls-files.js";
import { adminService } from "./admin/admin-service.js";
import { systemClock } from "./base/clock.js";
import { VERSION } from "./base/version.js";
import type { CacheOptions } from "./cache/session-cache.js";
import { CentralConfig } from "./central-config/central-config.js";
import { configService } from "./central-config/config-service.js";
import { isLoopback, splitAddress, withPort } from "./config/address.js";
import { type Config, cacheCapacities } from "./config/schema.js";
import { historyService } from "./history/history-service.js";
import { HttpServer } from "./http/http-server.js";
import { Metrics } from "./http/metrics.js";
import { IngestPath } from "./ingest-path.js";
import {
  assertLimits,
  BATCH_ENTRIES_MAX,
  RESIDENT_BYTES_MAX,
  ROLLUP_SHUTDOWN_MS,
  STARTING_RETRY_AFTER_MS,
} from "./limits.js";
import { RpcError } from "./rpc/errors.js";
import { RpcServer } from "./rpc/server.js";
import type { Gate } from "./rpc/unary.js";
import { Roller, type SeriesReader, StoreSeriesReader } from "./series/index.js";
import { stateService } from "./state/state-service.js";
import { openStore } from "./store/open-store.js";
import { IngestCalls, ingestService } from "./stream/ingest-service.js";
import { callMetadata, RpcBridge } from "./web/api/rpc-bridge.js";
import { Monitor } from "./web/live/monitor.js";
import { Web } from "./web/web.js";

export interface RunningServer {
  readonly grpcAddr: string;
  readonly httpAddr: string;
  /** Resolves when the store has answered for the first time. */
  readonly ready: Promise<void>;
  /** Rejects when the server cannot go on: its store belongs to another server, or is newer than it. */
  readonly failed: Promise<never>;
  /** Takes over the live settings of another configuration; the others stay as they were at start. */
  apply(config: Config): void;
  /** Stops reading, commits and acks what was accepted, ends. Within the configured time. */
  close(): Promise<void>;
}

/** An address that may not be listened on, or is taken. */
export class ListenError extends Error {
  override readonly name = "ListenError";
}

function refuseUnprotected(setting: string, address: string, allowed: boolean): void {
  const { host } = splitAddress(address);
  if (isLoopback(host) || allowed) return;
  throw new ListenError(
    `${setting} ${address} is reachable from other machines, and anyone between could read and write everything; ` +
      "set TAILKEEP_TLS_CERT and TAILKEEP_TLS_KEY, listen on 127.0.0.1, or set TAILKEEP_ALLOW_UNPROTECTED=true if the " +
      "network itself is protected",
  );
}

async function listening(setting: string, address: string, listen: () => Promise<number>): Promise<string> {
  try {
    return withPort(address, await listen());
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new ListenError(
      `cannot listen on ${address}: ${problem}; end what uses it, or choose another with ${setting}`,
    );
  }
}

function cacheOptions(
  { cacheSessionsMax, cacheBytesMax }: Pick<Config, "cacheSessionsMax" | "cacheBytesMax">,
  limits: Pick<Config, "memoryLimits">,
): CacheOptions {
  return { capacities: cacheCapacities(limits), sessionsMax: cacheSessionsMax, bytesMax: cacheBytesMax };
}

export async function startServer(config: Config, log: Logger): Promise<RunningServer> {
  assertLimits();
  const tls = tlsFiles(config);
  const isProtected = tls !== undefined || config.allowUnprotected;
  refuseUnprotected("gRPC address", config.grpcAddr, isProtected);
  refuseUnprotected("HTTP address", config.httpAddr, isProtected);
  const clock = systemClock;
  const stop = new AbortController();
  let closing = false;
  let expiryHeld = false;
  const store = openStore(config);
  const calls = new IngestCalls();
  // Beyond loopback nobody comes in without a key, not even while there is none.
  const isOutside = (address: string) => !isLoopback(splitAddress(address).host);
  const isBeyondLoopback = isOutside(config.grpcAddr) && !config.allowUnprotected;
  const pagesAreOutside = isOutside(config.httpAddr);
  const keys = new KeyDirectory(store, clock, config.requireKeys === "always" || isBeyondLoopback);
  const roller = new Roller(store, clock, {
    failed: (error) => log.warn({ err: error }, "charts wait for the store: records are stored, and summed up later"),
    written: () => undefined,
  });
  const path = new IngestPath(
    store,
    clock,
    {
      groupDelayMs: config.groupDelayMs,
      ingestBytesMax: config.ingestBytesMax,
      cache: cacheOptions(config, config),
    },
    {
      committed: (stored, rejected, session) => {
        let [rows, gapped] = [0, 0];
        for (const batch of stored) {
          rows += batch.rowCount;
          for (const gap of batch.gaps) gapped += gap.lastSeq - gap.firstSeq + 1;
        }
        metrics.committedRecords.inc(rows);
        if (gapped > 0) metrics.gappedRecords.inc(gapped);
        if (rejected > 0) metrics.rejectedRecords.inc(rejected);
        monitor.committed(session, { stored: rows, rejected, gapped });
      },
      published: (...commit) => {
        if (config.rollups) roller.committed(...commit);
      },
      opened: (...stream) => {
        roller.opened(...stream);
        monitor.opened(stream[0]);
      },
      transaction: (ms) => metrics.commitSeconds.observe(ms / 1_000),
      retrying: (error, attempt) => {
        metrics.commitRetries.inc();
        log.debug({ kind: error.kind, code: error.code, attempt }, `transaction is repeated: ${error.message}`);
      },
      regressed: (stream, range) => {
        metrics.regressions.inc();
        log.error({ ...stream, ...range }, "the database had forgotten acked records; stored as a gap");
      },
      broken: (stream, cause) => {
        metrics.brokenStreams.inc();
        log.fatal({ ...stream, cause }, "a stream was stopped by a broken invariant; this is a bug");
      },
      watchersWait: (error) => log.warn({ err: error }, "watchers wait for the store"),
      storeUp: (audit) => {
        keys.forgetVersion();
        roller.forgetAll();
        // Nobody is let in before it is known who may come.
        void keys
          .refresh()
          .catch(() => undefined)
          .then(() => rpc.setServing(keeper.up && !closing));
        log.info({ engine: audit.engine, durable: audit.durable }, "store is ready");
        for (const { setting, found, advice } of audit.findings.filter((each) => each.level !== "ok")) {
          log.warn({ setting, found }, `acked records are at risk: ${advice}`);
        }
      },
      storeDown: (error) => {
        rpc.setServing(false);
        log.error({ kind: error.kind, code: error.code }, `store does not answer, trying again: ${error.message}`);
      },
      maintenanceFailed: (error) =>
        log.warn({ kind: error.kind, code: error.code }, `maintenance failed, and is tried again: ${error.message}`),
      expired: ({ heldBecause, storingDay, tables }) => {
        expiryHeld = heldBecause !== undefined;
        if (!expiryHeld) for (const { rows } of tables) metrics.expiredRows.inc(rows);
        if (heldBecause !== undefined) log.warn(heldBecause);
        else if (tables.length > 0) log.info({ storingDay, tables }, "expired rows were removed");
      },
    },
  );
  const { budget, caches, commit, hub, keeper, sessions } = path;
  const central = new CentralConfig(store, clock, config);
  let current = config;
  const resizeCaches = () => caches.resize(cacheOptions(current, central.current));
  central.onChange(resizeCaches);

  const series: SeriesReader = new StoreSeriesReader(store.reads, roller);

  const gate: Gate = {
    admit: (call) => {
      if (closing) throw new RpcError("SHUTTING_DOWN", "the server is shutting down; reconnect");
      if (!keeper.started) {
        throw new RpcError("STORE_UNAVAILABLE", "the store has not answered yet; try again", {
          retryAfterMs: STARTING_RETRY_AFTER_MS,
        });
      }
      return authorize(keys, call.getPath(), call.metadata);
    },
    finished: (method, code) => {
      metrics.call(method, code);
      if (code === "OK" && (method === "UpdateSession" || method === "DeleteSession")) monitor.sessionsChanged();
    },
    // While the store is away every call fails, and that was said once.
    unexpected: (error) => log[keeper.up ? "error" : "debug"]({ err: error }, "a call failed"),
  };

  const services = [
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
          monitor.received(bytes, records);
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
        stopping: stop.signal,
        isWritten: (...session) => sessions.isWritten(...session),
      },
      gate,
    ),
    stateService(store, gate),
    adminService(store, keyMethods({ store, clock, keys }, gate), gate),
    configService({ store, central, stopping: stop.signal }, gate),
  ];
  const rpc = new RpcServer(services, config, [
    doorkeeper(keys, { refused: (method, code) => gate.finished(method, code, 0) }),
  ]);
  const metrics = new Metrics(
    {
      openStreams: () => calls.count,
      watchers: () => hub.watchers,
      waitingRecords: () => commit.waitingRecords,
      ingestBytes: () => budget.usedBytes,
      ingestBytesMax: () => budget.bytesMax,
      cache: () => caches.statistics,
      storeUp: () => keeper.up,
      storeDurable: () => keeper.audit?.durable ?? false,
      expiryHeld: () => expiryHeld,
    },
    VERSION,
  );

  const notReady = () =>
    closing ? "shutting down" : (keeper.problem ?? (keys.loaded ? undefined : "the keys are not read yet"));
  const monitor = new Monitor(clock, () => ({
    ingestBytes: budget.usedBytes,
    ingestBytesMax: budget.bytesMax,
    cacheBytes: caches.statistics.bytes,
    cacheBytesMax: current.cacheBytesMax,
    cacheSessions: caches.statistics.sessions,
    residentBytes: process.memoryUsage.rss(),
    residentBytesMax: RESIDENT_BYTES_MAX,
    waitingRecords: commit.waitingRecords,
    openStreams: calls.count,
    watchers: hub.watchers,
    storeUp: keeper.up,
    durable: keeper.audit?.durable ?? false,
    problem: notReady(),
  }));
  const pagesNeedKey = () => pagesAreOutside && (keys.required || !config.allowUnprotected);
  const visit = (authorization: string | undefined) => pageVisit(keys, pagesNeedKey(), authorization);
  const http = new HttpServer({
    registry: metrics.registry,
    notReady,
    web: new Web({
      bridge: new RpcBridge(services),
      gate,
      visit,
      door: () => ({ keyNeeded: keys.required || pagesNeedKey(), version: VERSION }),
      server: (authorization) => {
        const caller = authorize(keys, "/tailkeep.v1.HistoryService/GetStatistics", callMetadata(authorization));
        const { namespace, roles } = caller;
        return { version: VERSION, grpcAddr, namespace, roles, audit: keeper.audit ?? null, expiryHeld };
      },
      monitor,
      watch: { store, caches, hub, clock },
      clock,
      stopping: stop.signal,
    }),
    visit,
    tls,
  });

  let grpcAddr = config.grpcAddr;
  let httpAddr = config.httpAddr;
  const background: Promise<unknown>[] = [];
  const close = async () => {
    if (closing) return;
    closing = true;
    const closingSinceMs = clock.monotonicMs();
    rpc.setServing(false);
    calls.shutdown();
    // Reading has stopped; what was accepted is committed and acked before anything is taken away.
    const drained = new AbortController();
    await Promise.race([commit.drained().then(() => drained.abort()), clock.sleep(current.shutdownMs, drained.signal)]);
    // A store that could not take the last records will not take their sums; whoever starts next makes them.
    if (drained.signal.aborted && keeper.up) {
      const leftMs = current.shutdownMs - (clock.monotonicMs() - closingSinceMs);
      const summedUp = new AbortController();
      const ended = () => summedUp.abort();
      await Promise.race([
        roller.flush(summedUp.signal).then(ended, ended),
        clock.sleep(Math.min(ROLLUP_SHUTDOWN_MS, leftMs), summedUp.signal),
      ]);
      ended();
    }
    stop.abort();
    commit.stop();
    calls.abort();
    await rpc.close(1_000);
    await http.close();
    // Before what works in the background has ended: where the store stands still, that waits for its answer.
    await store.close();
    await Promise.all(background);
    log.info("stopped");
  };
  try {
    grpcAddr = await listening("TAILKEEP_GRPC_ADDR", config.grpcAddr, () =>
      rpc.listen(config.grpcAddr, tls === undefined ? undefined : new TlsCredentials(tls)),
    );
    httpAddr = await listening("TAILKEEP_HTTP_ADDR", config.httpAddr, () => http.listen(config.httpAddr));
  } catch (error) {
    await close();
    throw error;
  }
  const ready = keeper.start(stop.signal).then(() => keys.loadFirst(stop.signal));
  background.push(
    ready.catch(() => undefined),
    keeper.keep(stop.signal),
    sessions.keepSeen(stop.signal),
    hub.poll(stop.signal),
    config.rollups ? roller.keep(stop.signal, () => keeper.started && keeper.up) : Promise.resolve(),
    keys.keep(stop.signal, () => keeper.up),
    tls?.keep(stop.signal, clock, {
      replaced: (validTo) => log.info({ validTo }, "new certificate in use"),
      refused: (error) => log.error(`the certificate before goes on: ${(error as Error).message}`),
    }) ?? Promise.resolve(),
    central.keep(stop.signal, () => keeper.up),
    monitor.keep(stop.signal),
  );
  return {
    grpcAddr,
    httpAddr,
    ready,
    failed: new Promise<never>((_, reject) => {
      ready.catch(reject);
    }),
    apply: (next) => {
      current = next;
      log.level = next.logLevel;
      central.setOwn(next);
      resizeCaches();
    },
    close,
  };
}

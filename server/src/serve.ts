/**
 * The composition root: puts the path of a record behind gRPC and HTTP, beside everything else that the server does, and
 * takes it down in reverse.
 */
import type { Logger } from "pino";
import { authorize, doorkeeper } from "./access/doorkeeper.js";
import { KeyDirectory } from "./access/key-directory.js";
import { pageVisit } from "./access/pages.js";
import { TlsCredentials, tlsFiles } from "./access/tls-files.js";
import { systemClock } from "./base/clock.js";
import { VERSION } from "./base/version.js";
import type { CacheOptions } from "./cache/session-cache.js";
import { CentralConfig } from "./central-config/central-config.js";
import { type Config, cacheCapacities } from "./config/schema.js";
import { HttpServer } from "./http/http-server.js";
import { Metrics } from "./http/metrics.js";
import { IngestPath } from "./ingest-path.js";
import { assertLimits, RESIDENT_BYTES_MAX, ROLLUP_SHUTDOWN_MS } from "./limits.js";
import { RpcServer } from "./rpc/server.js";
import { Roller, StoreSeriesReader } from "./series/index.js";
import { isBeyondLoopback, listening, refuseUnprotected } from "./serve/listen.js";
import { pathEvents } from "./serve/path-events.js";
import { allServices, openGate } from "./serve/services.js";
import { openStore } from "./store/open-store.js";
import { IngestCalls } from "./stream/ingest-service.js";
import { callMetadata, RpcBridge } from "./web/api/rpc-bridge.js";
import { Elsewhere } from "./web/live/elsewhere.js";
import { Monitor } from "./web/live/monitor.js";
import { Traffic } from "./web/live/traffic.js";
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
  /** Another configuration was refused: the one before goes on, and the metrics say so. */
  refused(): void;
  /** Stops reading, commits and acks what was accepted, ends. Within the configured time. */
  close(): Promise<void>;
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
  let isConfigRefused = false;
  const metrics = new Metrics(VERSION);
  const traffic = new Traffic(clock);
  const store = openStore(config);
  const calls = new IngestCalls();
  // Beyond loopback nobody comes in without a key, not even while there is none.
  const needKeys = isBeyondLoopback(config.grpcAddr) && !config.allowUnprotected;
  const pagesAreOutside = isBeyondLoopback(config.httpAddr);
  const keys = new KeyDirectory(store, clock, config.requireKeys === "always" || needKeys);
  const roller = new Roller(store, clock, {
    failed: (error) => {
      metrics.seriesFailures.inc();
      log.warn({ err: error }, "charts wait for the store: records are stored, and summed up later");
    },
    written: (_, records) => metrics.summedRecords.inc(records),
  });
  const path = new IngestPath(
    store,
    clock,
    {
      groupDelayMs: config.groupDelayMs,
      ingestBytesMax: config.ingestBytesMax,
      cache: cacheOptions(config, config),
    },
    pathEvents({
      log,
      metrics,
      traffic,
      roller: config.rollups ? roller : undefined,
      storeUp: () => {
        keys.forgetVersion();
        // Nobody is let in before it is known who may come.
        void keys
          .refresh()
          .catch(() => undefined)
          .then(() => rpc.setServing(keeper.up && !closing));
      },
      storeDown: () => rpc.setServing(false),
      expiryHeld: (isHeld) => {
        expiryHeld = isHeld;
      },
    }),
  );
  const { budget, caches, commit, hub, keeper, sessions } = path;
  const central = new CentralConfig(store, clock, config);
  let current = config;
  const resizeCaches = () => caches.resize(cacheOptions(current, central.current));
  central.onChange(resizeCaches);

  const gate = openGate({ log, keys, keeper, metrics, traffic, isClosing: () => closing });
  // Nobody would bring up what is queued, but for the last moment of a shutdown.
  const series = new StoreSeriesReader(store.reads, config.rollups ? roller : { wanted: () => undefined });
  const elsewhere = new Elsewhere(store, clock, traffic);
  const parts = {
    store,
    clock,
    path,
    calls,
    keys,
    central,
    series,
    metrics,
    traffic,
    elsewhere,
    stopping: stop.signal,
  };
  const services = allServices(parts, gate);
  const rpc = new RpcServer(services, config, [
    doorkeeper(keys, { refused: (method, code) => gate.finished(method, code, 0) }),
  ]);
  metrics.serve({
    openStreams: () => calls.count,
    watchers: () => hub.watchers,
    waitingRecords: () => commit.waitingRecords,
    ingestBytes: () => budget.usedBytes,
    ingestBytesMax: () => budget.bytesMax,
    cache: () => caches.statistics,
    series: () => roller.statistics,
    storeUp: () => keeper.up,
    storeDurable: () => keeper.audit?.durable ?? false,
    expiryHeld: () => expiryHeld,
    configRefused: () => isConfigRefused,
  });

  const notReady = () =>
    closing ? "shutting down" : (keeper.problem ?? (keys.loaded ? undefined : "the keys are not read yet"));
  const monitor = new Monitor(clock, traffic, () => ({
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
    elsewhere.keep(stop.signal, () => keeper.started && keeper.up),
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
      isConfigRefused = false;
      log.level = next.logLevel;
      central.setOwn(next);
      resizeCaches();
    },
    refused: () => {
      isConfigRefused = true;
    },
    close,
  };
}

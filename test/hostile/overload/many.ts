/** Many of something: idle streams, short sessions one after another, watchers that do not read. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "@grpc/grpc-js";
import { RESIDENT_BYTES_MAX } from "@tailkeep/server/dist/limits.js";
import { Stubs } from "../../support/grpc/stubs.js";
import type { WatchProbe } from "../../support/grpc/watch-probe.js";
import { recordEntry, score } from "../../support/records/batches.js";
import type { TailkeepServer } from "../../support/tailkeep-server.js";
import { Neighbour } from "../neighbour.js";
import { residentBytes } from "../resident.js";
import { connectionTo } from "./load.js";
import { encodedEntries, LoadStream } from "./load-stream.js";

/** Below what the server takes: the neighbour and those who ask have calls too. */
const STREAMS_PER_CONNECTION = 50;
const OPENING_AT_ONCE = 200;

export interface ManyResult {
  readonly count: number;
  readonly seconds: number;
  readonly startBytes: number;
  readonly peakBytes: number;
  readonly endBytes: number;
  readonly slowestAckMs: number;
  readonly problems: readonly string[];
}

async function measured(server: TailkeepServer, count: number, run: () => Promise<string[]>): Promise<ManyResult> {
  const pid = server.pid;
  const neighbour = await Neighbour.start(server.grpcAddress);
  await sleep(500);
  const startBytes = residentBytes(pid);
  let peakBytes = startBytes;
  const sampler = setInterval(() => {
    peakBytes = Math.max(peakBytes, residentBytes(pid));
  }, 100);
  const startedMs = performance.now();
  const stubs = new Stubs(server.grpcAddress);
  try {
    const problems = await run();
    const seconds = (performance.now() - startedMs) / 1_000;
    // What is let go of is given back within seconds.
    await sleep(3_000);
    problems.push(...(await neighbour.end(stubs)));
    if (server.pid !== pid) problems.push("the server is another process");
    if (peakBytes > RESIDENT_BYTES_MAX) problems.push("the server needed more memory than it states");
    const { slowestAckMs } = neighbour;
    return { count, seconds, startBytes, peakBytes, endBytes: residentBytes(pid), slowestAckMs, problems };
  } finally {
    clearInterval(sampler);
    stubs.close();
    neighbour.close();
  }
}

/** Opens so many streams, holds them, and ends them. */
export async function idleStreams(server: TailkeepServer, count: number, holdMs: number): Promise<ManyResult> {
  return await measured(server, count, async () => {
    const clients = Array.from({ length: Math.ceil(count / STREAMS_PER_CONNECTION) }, () =>
      connectionTo(server.grpcAddress),
    );
    const entries = encodedEntries(1);
    const streams: LoadStream[] = [];
    const problems: string[] = [];
    for (let at = 0; at < count; at++) {
      const client = clients[at % clients.length] as Client;
      streams.push(new LoadStream(client, { sessionId: `idle-${at % 100}`, streamId: `idle-${at}` }, entries, 1));
      const waiting = () => streams.filter(({ opened, ending }) => !opened && ending === undefined).length;
      if (at % OPENING_AT_ONCE === 0 || at === count - 1) {
        const until = performance.now() + 60_000;
        while (waiting() > (at === count - 1 ? 0 : OPENING_AT_ONCE) && performance.now() < until) await sleep(10);
      }
    }
    await sleep(holdMs);
    const refused = streams.filter(({ opened, ending }) => !opened || ending !== undefined);
    if (refused.length > 0) problems.push(`${refused.length} streams not open: ${refused[0]?.ending?.details}`);
    // Each of them is alive: one record of every hundredth.
    const some = streams.filter((_, at) => at % 100 === 0);
    for (const stream of some) stream.send();
    const until = performance.now() + 30_000;
    while (some.some(({ inFlight }) => inFlight > 0) && performance.now() < until) await sleep(20);
    if (some.some(({ inFlight }) => inFlight > 0)) problems.push("an idle stream did not go on");
    for (const stream of streams) stream.cancel();
    for (const client of clients) client.close();
    return problems;
  });
}

/** Sessions of a few records, one after another on a few connections. */
export async function shortSessions(
  server: TailkeepServer,
  count: number,
  onProgress: (done: number) => void = () => undefined,
): Promise<ManyResult> {
  return await measured(server, count, async () => {
    const clients = Array.from({ length: 2 }, () => connectionTo(server.grpcAddress));
    const entries = encodedEntries(2);
    const problems = new Set<string>();
    let next = 0;
    const worker = async () => {
      while (next < count && problems.size < 5) {
        const at = next++;
        if (at % 1_000 === 0) onProgress(at);
        const ids = { sessionId: `short-${at}`, streamId: "s" };
        const ended = Promise.withResolvers<void>();
        let sent = false;
        const stream = new LoadStream(clients[at % 2] as Client, ids, entries, 2, (each) => {
          if (each.opened && !sent) {
            sent = true;
            each.send();
            each.end();
          }
          if (each.ending !== undefined) ended.resolve();
        });
        await ended.promise;
        if (stream.refused || stream.ackedRecords !== 2) problems.add(`${stream.ending?.details}`);
      }
    };
    await Promise.all(Array.from({ length: 48 }, worker));
    for (const client of clients) client.close();
    return [...problems];
  });
}

/** Nobody misses anything without being told: records and missed ranges together are all there was. */
function knownNumbers({ events }: WatchProbe): number {
  const known = new Set<number>();
  for (const { $case, value } of events) {
    if ($case === "record") known.add(Number(value.seq));
    else if ($case === "missed")
      for (let seq = Number(value.firstSeq); seq <= Number(value.lastSeq); seq++) known.add(seq);
  }
  return known.size;
}

/** Watchers who stop reading while their session is written, and go on afterwards. */
export async function slowWatchers(server: TailkeepServer, count: number, megabytes: number): Promise<ManyResult> {
  return await measured(server, count, async () => {
    const problems: string[] = [];
    const groups = Array.from(
      { length: Math.ceil(count / STREAMS_PER_CONNECTION) },
      () => new Stubs(server.grpcAddress, { ownConnection: true }),
    );
    const watches = Array.from({ length: count }, (_, at) =>
      (groups[at % groups.length] as Stubs).watch({ sessionId: "watched" }),
    );
    const caughtUp = () => watches.filter(({ events }) => events.some(({ $case }) => $case === "caughtUp")).length;
    const until = performance.now() + 60_000;
    while (caughtUp() < count && performance.now() < until) await sleep(50);
    if (caughtUp() < count) problems.push(`${count - caughtUp()} watches did not begin`);
    for (const watch of watches) watch.pause();
    const writer = new Stubs(server.grpcAddress, { ownConnection: true });
    const padding = "x".repeat(100_000);
    for (let seq = 1; seq <= megabytes * 10; seq++) {
      const record = {
        eventTimeUs: BigInt(seq),
        kind: {
          $case: "frameTracking" as const,
          value: {
            gameId: "g",
            frameHash: String(seq),
            frameAnalysisJson: `"${padding}"`,
            stagnationDetected: undefined,
          },
        },
      };
      const batch = { firstSeq: BigInt(seq), entries: [recordEntry(record)] };
      await writer.call("writeRecords", { sessionId: "watched", streamId: "s", writerId: "w", batch });
    }
    const last = { firstSeq: BigInt(megabytes * 10 + 1), entries: [recordEntry(score(1))] };
    for (const watch of watches) watch.resume();
    await writer.call("writeRecords", { sessionId: "watched", streamId: "s", writerId: "w", batch: last });
    const all = megabytes * 10 + 1;
    const readBy = performance.now() + 60_000;
    const areAllTold = () => watches.every((watch) => watch.ending !== undefined || knownNumbers(watch) === all);
    while (!areAllTold() && performance.now() < readBy) await sleep(200);
    for (const [at, watch] of watches.entries()) {
      if (watch.ending === undefined && knownNumbers(watch) !== all) {
        problems.push(`watcher ${at} knows of ${knownNumbers(watch)} of ${all}`);
        break;
      }
      if (watch.ending !== undefined && watch.ending.status !== "RESOURCE_EXHAUSTED") {
        problems.push(`watcher ${at} ended: ${JSON.stringify(watch.ending)}`);
        break;
      }
    }
    for (const group of groups) group.close();
    writer.close();
    return problems;
  });
}

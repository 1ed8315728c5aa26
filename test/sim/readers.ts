/** Those who read while others write: tails from the caches, and watchers. Both must know only what is committed, and all of that. */

import { type WatchRecordsRequest, WatchRecordsResponse } from "@tailkeep/proto";
import { WatchCall } from "@tailkeep/server/dist/history/watch-call.js";
import { byTime, type StoredRow } from "@tailkeep/server/dist/record/stored-row.js";
import { EncodedAnswer } from "@tailkeep/server/dist/rpc/encoded-answer.js";
import type { Random } from "./random.js";
import { newestRows } from "./reads.js";
import { NAMESPACE, type SimulatedServer } from "./server.js";
import { ALL_TABLES, type Simulation } from "./simulation.js";

/** One who watches a session on one server, for as long as that lives. */
class Follower {
  readonly server: SimulatedServer;
  readonly sessionId: string;
  /** Numbers seen, by stream: records, gaps and what was missed. */
  readonly seen = new Map<string, Set<number>>();
  readonly stop = new AbortController();

  constructor(server: SimulatedServer, sessionId: string) {
    this.server = server;
    this.sessionId = sessionId;
  }
}

export class Readers {
  readonly #simulation: Simulation;
  readonly #random: Random;
  readonly #followers: Follower[] = [];
  cacheHits = 0;

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
    this.#random = simulation.world.random("readers");
    for (let at = 0; at < simulation.plan.watchers; at++) this.#followLater();
    this.#askLater();
  }

  async judgeAtRest(): Promise<void> {
    const { world } = this.#simulation;
    let isDone = false;
    void this.#judgeTails().then(() => {
      isDone = true;
    });
    await world.run(world.nowMs + 5_000, () => isDone);
    this.#judgeFollowers();
  }

  // --- tails ---

  #askLater(): void {
    const { world, plan } = this.#simulation;
    world.after(this.#random.between(10, plan.busyMs / 4), "somebody asks", () => {
      const alive = this.#simulation.servers.filter(({ process, path }) => process.isAlive && path.keeper.started);
      if (alive.length > 0) void this.#ask(this.#random.pick(alive), "run", false).catch(() => undefined);
      if (world.nowMs < plan.busyMs * 1.5) this.#askLater();
    });
  }

  async #judgeTails(): Promise<void> {
    for (const server of this.#simulation.servers) {
      for (const sessionId of ["run", "other"]) {
        await this.#ask(server, sessionId, true).catch((error: unknown) => {
          this.#simulation.report("I10", `${server.process.name}: the tail cannot be read at rest: ${String(error)}`);
        });
      }
    }
  }

  async #ask(server: SimulatedServer, sessionId: string, isAtRest: boolean): Promise<void> {
    const { database, world } = this.#simulation;
    const limit = this.#random.pick([1, 3, 10, 200]);
    const tables = this.#random.some(ALL_TABLES, this.#random.int(1, ALL_TABLES.length));
    const restoredAtMs = database.restoredAtMs;
    const { hits } = server.path.caches.statistics;
    // Committed by now, and told to whoever commits: an answer that leaves it out is old.
    const known = this.#acked(sessionId, tables);
    const answer = await server.path.caches.tail(NAMESPACE, sessionId, tables, limit, (rows) => rows);
    this.cacheHits += server.path.caches.statistics.hits - hits;
    // A server may need a moment to find that the database is not what it was.
    if (!isAtRest && (restoredAtMs > Number.NEGATIVE_INFINITY || database.restoredAtMs !== restoredAtMs)) return;
    const where = `${server.process.name}, tail of ${sessionId} at ${world.nowMs.toFixed(1)} ms`;
    const now = newestRows(database, sessionId, ALL_TABLES, Number.MAX_SAFE_INTEGER);
    const committed = new Map(now.map((row) => [placeOf(row), row]));
    for (const row of answer) {
      const real = committed.get(placeOf(row));
      if (real === undefined) this.#report(`${where}: has ${row.streamId} ${row.seq}, which is not committed`);
      else if (real.timeUs !== row.timeUs || JSON.stringify(real.values) !== JSON.stringify(row.values))
        this.#report(`${where}: ${row.streamId} ${row.seq} is not what is committed`);
    }
    const oldest = answer[0];
    const answered = new Set(answer.map(placeOf));
    for (const row of known) {
      const isNewer = answer.length < limit || (oldest !== undefined && byTime(row, oldest) > 0);
      if (isNewer && !answered.has(placeOf(row))) this.#report(`${where}: ${row.streamId} ${row.seq} is missing`);
    }
    for (const [at, row] of answer.entries()) {
      const before = answer[at - 1];
      if (before !== undefined && byTime(before, row) >= 0) this.#report(`${where}: is not in order`);
    }
  }

  /** Rows whose writer was told of them. */
  #acked(sessionId: string, tables: readonly number[]): StoredRow[] {
    const { database, journal } = this.#simulation;
    return newestRows(database, sessionId, tables, Number.MAX_SAFE_INTEGER).filter(
      (row) => row.seq <= (journal.streams.get(`${sessionId}/${row.streamId}`)?.ackedSeq ?? 0),
    );
  }

  // --- watchers ---

  #followLater(): void {
    const { world, plan } = this.#simulation;
    world.after(this.#random.between(0, plan.busyMs / 2), "somebody watches", () => {
      const server = this.#simulation.pickServer();
      if (server === undefined || !server.process.isAlive || !server.path.keeper.started) {
        if (world.nowMs < plan.busyMs) this.#followLater();
        return;
      }
      const follower = new Follower(server, "run");
      this.#followers.push(follower);
      void this.#follow(follower).catch(() => {
        // It could not join: the database was away.
        this.#followers.splice(this.#followers.indexOf(follower), 1);
      });
    });
  }

  async #follow(follower: Follower): Promise<void> {
    const { process, store, path } = follower.server;
    const { caches, hub } = path;
    const request: WatchRecordsRequest = {
      sessionId: follower.sessionId,
      types: [],
      snapshotLimit: 0,
      cursor: { seqs: {} },
    };
    let isBlocked = false;
    const call: WatchCall = new WatchCall({ store, caches, hub, clock: process.serverClock() }, NAMESPACE, request, {
      send: (answer) => {
        this.#told(follower, answer);
        if (!this.#random.chance(0.1) || isBlocked) return !isBlocked;
        isBlocked = true;
        process.after(this.#random.between(0, 300), "watcher reads", () => {
          isBlocked = false;
          call.writable();
        });
        return false;
      },
    });
    await call.run(follower.stop.signal);
  }

  #told(follower: Follower, answer: WatchRecordsResponse | EncodedAnswer): void {
    const { database } = this.#simulation;
    const { event } = answer instanceof EncodedAnswer ? WatchRecordsResponse.decode(answer.bytes) : answer;
    const ranges: { streamId: string; firstSeq: number; lastSeq: number }[] = [];
    if (event?.$case === "record") {
      const { streamId, seq } = event.value;
      ranges.push({ streamId, firstSeq: Number(seq), lastSeq: Number(seq) });
    } else if (event?.$case === "gap" || event?.$case === "missed") {
      const { streamId, firstSeq, lastSeq } = event.value;
      ranges.push({ streamId, firstSeq: Number(firstSeq), lastSeq: Number(lastSeq) });
    }
    if (database.restoredAtMs > Number.NEGATIVE_INFINITY) return;
    for (const { streamId, firstSeq, lastSeq } of ranges) {
      const seen = follower.seen.get(streamId) ?? new Set<number>();
      follower.seen.set(streamId, seen);
      const committed = database.committedEver.get(`${follower.sessionId}/${streamId}`) ?? 0;
      if (lastSeq > committed) this.#report(`a watcher was told of ${streamId} ${lastSeq}, committed are ${committed}`);
      for (let seq = firstSeq; seq <= lastSeq; seq++) {
        if (seen.has(seq)) this.#report(`a watcher was told of ${streamId} ${seq} twice`);
        seen.add(seq);
      }
    }
  }

  #judgeFollowers(): void {
    const { database } = this.#simulation;
    if (database.restoredAtMs > Number.NEGATIVE_INFINITY) return;
    for (const follower of this.#followers) {
      if (!follower.server.process.isAlive) continue;
      for (const { identity, rows, gaps } of database.streams.values()) {
        if (identity.sessionId !== follower.sessionId) continue;
        const seen = follower.seen.get(identity.streamId) ?? new Set<number>();
        const first = [...rows.keys(), ...gaps.map(({ firstSeq }) => firstSeq)].find((seq) => !seen.has(seq));
        if (first !== undefined)
          this.#report(`a watcher on ${follower.server.process.name} was never told of ${identity.streamId} ${first}`);
      }
    }
  }

  #report(detail: string): void {
    this.#simulation.report("READ", detail);
  }
}

function placeOf({ streamId, seq }: StoredRow): string {
  return `${streamId} ${seq}`;
}

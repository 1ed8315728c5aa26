/** One run: trainers, servers, a network, disks and a database in one process, on one seed. */
import { TABLES } from "@tailkeep/server/dist/record/tables.js";
import { StoreError } from "@tailkeep/server/dist/store/errors.js";
import { Database, type Dump } from "./database.js";
import { SimulatedDisk } from "./disk.js";
import { scheduleFaults } from "./faults.js";
import { Journal } from "./journal.js";
import { judge } from "./judge.js";
import { Network } from "./network.js";
import type { FaultKind, Plan } from "./plan.js";
import type { Random } from "./random.js";
import { Readers } from "./readers.js";
import { SimulatedServer } from "./server.js";
import type { ArmedFailure } from "./store.js";
import { SimulatedTrainer, type TrainerHome } from "./trainer.js";
import { World } from "./world.js";

export interface Violation {
  readonly invariant: string;
  readonly detail: string;
  readonly atMs: number;
}

export interface Outcome {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly traceHash: string;
  readonly trace: readonly string[];
  readonly events: number;
  readonly virtualMs: number;
  readonly records: number;
  readonly messages: number;
  readonly cacheHits: number;
  /** How often each fault came to pass. */
  readonly injected: ReadonlyMap<FaultKind, number>;
}

/** How long everything may take to come to rest once nothing is wrong any more: longer than every wait in the product. */
const REST_MS = 400_000;
const VIOLATIONS_MAX = 20;
/** Some checks cost more than an event does. */
const CHECK_EVERY = 16;

export class Simulation {
  readonly plan: Plan;
  readonly world: World;
  readonly database: Database;
  readonly journal: Journal;
  readonly network: Network;
  readonly random: Random;
  readonly servers: SimulatedServer[] = [];
  readonly homes: TrainerHome[] = [];
  readonly trainers: SimulatedTrainer[] = [];
  readonly armed: ArmedFailure[] = [];
  readonly violations: Violation[] = [];
  readonly injected = new Map<FaultKind, number>();
  readonly readers: Readers;
  dumped: Dump | undefined;
  #names = 0;

  constructor(plan: Plan, options: { readonly trace?: boolean } = {}) {
    this.plan = plan;
    this.world = new World(plan.seed, options);
    this.random = this.world.random("simulation");
    const report = (invariant: string, detail: string): void => this.report(invariant, detail);
    this.database = new Database(this.world, report);
    this.journal = new Journal(this.database, report);
    this.database.takenOver = (name, committedSeq) => {
      const stream = this.journal.streams.get(name);
      if (stream !== undefined) stream.stolenAfterSeq ??= committedSeq;
    };
    this.network = new Network(this.world, this.journal);
    this.network.latencyMsMax = plan.networkLatencyMsMax;
    this.network.windowBytes = plan.networkWindowBytes;
    for (let at = 0; at < plan.servers; at++) this.startServer(at);
    for (const [at, trainerPlan] of plan.trainers.entries()) {
      this.homes.push({
        plan: trainerPlan,
        disk: new SimulatedDisk(this.world),
        network: this.network,
        journal: this.journal,
        report,
        random: this.world.random(`trainer ${at}`),
        pickServer: () => this.pickServer(),
        appended: 0,
      });
      this.startTrainer(at);
    }
    this.readers = new Readers(this);
  }

  report(invariant: string, detail: string): void {
    if (this.violations.length < VIOLATIONS_MAX) this.violations.push({ invariant, detail, atMs: this.world.nowMs });
  }

  startServer(at: number): void {
    const { plan } = this;
    this.servers[at]?.process.kill();
    const { shared, lanes, groupDelayMs, ingestBytesMax, cacheRecords } = plan;
    this.servers[at] = new SimulatedServer(
      this.world,
      `server ${at}.${++this.#names}`,
      this.database,
      { shared, lanes, groupDelayMs, ingestBytesMax, cacheRecords },
      this.armed,
      {
        regressed: () => undefined,
        unexpected: (error) => {
          // A database that is away is no bug.
          if (error instanceof StoreError && error.retryable) return;
          this.report("BROKEN", String(error instanceof Error ? error.stack : error));
        },
      },
    );
    this.network.reconnected();
  }

  startTrainer(at: number): void {
    this.trainers[at]?.die();
    const trainer = new SimulatedTrainer(this.homes[at] as TrainerHome, `trainer ${at}.${++this.#names}`);
    this.trainers[at] = trainer;
    trainer.work();
  }

  /** Any that lives: clients go from one to the other. */
  pickServer(): SimulatedServer | undefined {
    const alive = this.servers.filter(({ process }) => process.isAlive);
    return alive.length === 0 ? this.servers[0] : this.random.pick(alive);
  }

  happened(kind: FaultKind): void {
    this.injected.set(kind, (this.injected.get(kind) ?? 0) + 1);
    this.world.note(`FAULT ${kind}`);
  }

  async run(): Promise<Outcome> {
    const { world, plan } = this;
    const uncaught = (error: unknown): void =>
      this.report("CRASH", String(error instanceof Error ? error.stack : error));
    process.on("uncaughtException", uncaught);
    process.on("unhandledRejection", uncaught);
    let atRestMs = 0;
    try {
      world.check = () => {
        if (world.events % CHECK_EVERY === 0) this.#check();
      };
      const heal = scheduleFaults(this);
      const isWritten = (): boolean => this.homes.every((home) => home.appended >= home.plan.records);
      await world.run(plan.busyMs, () => this.violations.length > 0);
      heal();
      const until = world.nowMs + REST_MS;
      const isAtRest = (): boolean =>
        isWritten() &&
        this.trainers.every((trainer) => trainer.isDone) &&
        this.#servers().every((each) => each.path.keeper.up && !each.process.isPaused);
      while (world.nowMs < until && this.violations.length === 0 && !isAtRest()) await world.run(world.nowMs + 1_000);
      if (this.violations.length === 0 && !isAtRest()) this.#reportStuck();
      // Idle streams close, watchers catch up, caches are asked once more.
      await world.run(world.nowMs + 8_000);
      atRestMs = world.nowMs;
      if (this.violations.length === 0) await this.readers.judgeAtRest();
      if (this.violations.length === 0) judge(this);
    } catch (error) {
      uncaught(error);
    } finally {
      process.off("uncaughtException", uncaught);
      process.off("unhandledRejection", uncaught);
    }
    return {
      seed: plan.seed,
      violations: this.violations,
      traceHash: world.traceHash,
      trace: world.trace,
      events: world.events,
      virtualMs: atRestMs,
      records: this.homes.reduce((sum, { appended }) => sum + appended, 0),
      messages: this.journal.messages,
      cacheHits: this.readers.cacheHits,
      injected: this.injected,
    };
  }

  #servers(): SimulatedServer[] {
    return this.servers.filter(({ process }) => process.isAlive);
  }

  #check(): void {
    for (const trainer of this.trainers) if (trainer.process.isAlive) trainer.check();
    for (const { path, process } of this.#servers()) {
      if (path.budget.usedBytes < 0) this.report("I7", `${process.name}: gave back more memory than it had taken`);
    }
  }

  #reportStuck(): void {
    for (const { process, recorder, problems } of this.trainers) {
      const { pending } = recorder.ledger;
      const replaying = recorder.replayLedger.pending;
      if (pending === 0 && replaying === 0) continue;
      const states = recorder.lanes.map(
        ({ state, isSpilling, ledger }) => `${state}${isSpilling ? " spilling" : ""}:${ledger.pending}`,
      );
      this.report(
        "I10",
        `${process.name}: ${pending} records and ${replaying} to be replayed never became durable (${states.join(", ")}; ${problems.join(", ")})`,
      );
    }
    if (this.violations.length === 0) this.report("I10", "a server never found its database again");
  }
}

export function simulate(plan: Plan, options?: { readonly trace?: boolean }): Promise<Outcome> {
  return new Simulation(plan, options).run();
}

export const ALL_TABLES = TABLES.map(({ index }) => index);

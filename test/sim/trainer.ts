/** A trainer process: a recorder as it ships, on a simulated clock, network and disk, with somebody who appends. */
import type { TailkeepClient } from "@tailkeep/client";
import type { Channel } from "@tailkeep/client/internals";
import { FIXED_LIMITS } from "../../client/dist/recorder/central-limits.js";
import { droppedTotal } from "../../client/dist/recorder/ledger.js";
import { type ResolvedRecorderOptions, resolveRecorderOptions } from "../../client/dist/recorder/options.js";
import { Problems } from "../../client/dist/recorder/problems.js";
import { Recorder } from "../../client/dist/recorder/recorder.js";
import { SpillFolder } from "../../client/dist/spill/spill-folder.js";
import { GrpcIngestTransport } from "../../client/dist/transport/grpc-ingest-transport.js";
import type { SimulatedDisk } from "./disk.js";
import type { Journal, Report } from "./journal.js";
import type { Listener, Network } from "./network.js";
import type { TrainerPlan } from "./plan.js";
import { SimulatedProcess } from "./process.js";
import type { Random } from "./random.js";
import { makeRecord } from "./records.js";

/** What a machine's trainers share, one after the other. */
export interface TrainerHome {
  readonly plan: TrainerPlan;
  readonly disk: SimulatedDisk;
  readonly network: Network;
  readonly journal: Journal;
  readonly report: Report;
  readonly random: Random;
  pickServer(): Listener | undefined;
  /** Records that were appended by all of them. */
  appended: number;
}

/** More than its bound a recorder may hold only by what is being taken at the moment. */
const OPEN_BATCH_BYTES_MAX = 1024 * 1024;

export class SimulatedTrainer {
  readonly process: SimulatedProcess;
  readonly recorder: Recorder;
  readonly #home: TrainerHome;
  readonly problems: string[] = [];
  /** All that it appended to; what they gave up must have become a gap in the end. */
  readonly #lanes = new Set<ReturnType<Recorder["lane"]>>();
  #isClosing = false;

  constructor(home: TrainerHome, name: string) {
    this.#home = home;
    const { plan, network, disk } = home;
    const process = new SimulatedProcess(network.world, name);
    this.process = process;
    const clock = process.clientClock();
    const problems = new Problems();
    problems.add(({ code }) => this.problems.push(code));
    const channel = network.channelOf(process, () => home.pickServer()) as Channel;
    const spill =
      plan.spill === undefined
        ? undefined
        : new SpillFolder(
            {
              folder: "/spill",
              bytesMax: plan.spill.bytesMax,
              freeBytesMin: 0,
              sync: plan.spill.sync,
              onProblem: (problem) => problems.report(problem),
            },
            clock,
            disk.of(process),
            disk.ownersFor(process),
          );
    this.recorder = new Recorder(optionsOf(plan), {
      client: { close: () => Promise.resolve() } as unknown as TailkeepClient,
      transport: new GrpcIngestTransport(channel),
      spill,
      problems,
      limits: FIXED_LIMITS,
      clock,
      readAheadBytes: plan.readAheadBytes,
      newId: () => process.random.hex(32),
      endWithProcess: () => () => undefined,
    });
  }

  /** Appends until the machine's records are used up. */
  work(): void {
    const { plan, random } = this.#home;
    this.process.after(random.between(0, plan.pauseMsMax), "append", () => {
      if (this.#isClosing) return;
      for (let count = random.int(1, plan.burst); count > 0 && this.#home.appended < plan.records; count--)
        this.#append();
      if (this.#home.appended < plan.records) this.work();
    });
  }

  #append(): void {
    const { plan, random, journal } = this.#home;
    const { record, sent } = makeRecord(random, ++this.#home.appended, plan.paddingBytes);
    const lane = this.recorder.lane(random.pick(plan.sessions), record.type);
    this.#lanes.add(lane);
    const seq = lane.append(record);
    if (seq > 0) journal.stream(lane.identity.sessionId, lane.identity.streamId).sent.set(seq, sent);
    else if (seq < 0) this.#home.report("I5", `a sound record was refused by its encoder`);
  }

  /** Everything is durable or declared lost, what predecessors had spilled included. */
  get isDone(): boolean {
    const { ledger, replayLedger } = this.recorder;
    return ledger.pending === 0 && replayLedger.pending === 0 && [...this.#lanes].every((lane) => lane.isSettled);
  }

  /** What must hold at every moment. */
  check(): void {
    const { recorder } = this;
    const { plan, report } = this.#home;
    for (const ledger of [recorder.ledger, recorder.replayLedger]) {
      const { appended, durable, pending, rejected, dropped } = ledger;
      const sum = durable + pending + rejected + droppedTotal(dropped);
      if (sum !== appended || pending < 0 || durable < 0)
        report("LEDGER", `${this.process.name}: ${JSON.stringify(ledger)} does not add up`);
    }
    if (recorder.memoryBytes > plan.memoryBytesMax + OPEN_BATCH_BYTES_MAX)
      report("I7", `${this.process.name}: holds ${recorder.memoryBytes} bytes, its bound is ${plan.memoryBytesMax}`);
  }

  /** Ends as a process does that was given the time. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.recorder.close({ timeoutMs: 500 });
    this.die();
  }

  die(): void {
    if (!this.process.isAlive) return;
    for (const { sessionId, streamId, safeSeq } of this.recorder.lanes) {
      const stream = this.#home.journal.stream(sessionId, streamId);
      stream.safeSeq = Math.max(stream.safeSeq, safeSeq);
    }
    this.process.kill();
  }
}

function optionsOf(plan: TrainerPlan): ResolvedRecorderOptions {
  const defaults = resolveRecorderOptions({ server: "127.0.0.1:1", sessionId: "run", spill: false }, {});
  const { flushRecords, memoryBytesMax, spillAfterMs, overflow } = plan;
  return Object.freeze({ ...defaults, flushRecords, memoryBytesMax, spillAfterMs, overflow });
}

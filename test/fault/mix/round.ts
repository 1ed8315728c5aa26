/** One round: trainers under load, the faults of its schedule, and once they are healed the oracle. */
import { setTimeout as sleep } from "node:timers/promises";
import { RESIDENT_BYTES_MAX } from "@tailkeep/server/dist/limits.js";
import { judgeByApi } from "../harness/api-oracle.js";
import { judge, type Violation } from "../harness/oracle.js";
import { judgeSeries } from "../harness/series-oracle.js";
import { bugIn } from "../harness/server-log.js";
import { Trainer } from "../harness/trainer.js";
import type { FaultKind, RunningRound, TrainerReading } from "./fault.js";
import { takeNoteOfForgotten } from "./faults/forgetting.js";
import type { Rig } from "./rig/rig.js";
import { quietestCpuShare, ServerMemory } from "./rig/watch-server.js";
import type { PlannedFault, Schedule } from "./schedule.js";

export interface RoundResult {
  readonly schedule: Schedule;
  readonly records: number;
  /** From the end of a fault until every stream that had something unacked made progress. */
  readonly resumes: readonly { readonly kind: FaultKind; readonly ms: number }[];
  readonly residentBytesMax: number;
  readonly readings: readonly TrainerReading[];
  readonly violations: readonly Violation[];
  readonly seconds: number;
}

/** Least time under load, and what goes on after the last fault. */
const LOAD_MS_MIN = 450;
const LOAD_AFTER_MS = 60;
/** Streams go on by themselves so soon after the last fault; a frozen database may cost a statement's timeout. */
const RESUME_MS_MAX = 15_000;
const FINISH_MS_MAX = 45_000;
const POLL_MS = 3;
/** An idle server does next to nothing. */
const IDLE_CPU_SHARE_MAX = 0.6;
/** A trainer's event loop: a machine of two cores under full load stops every process for a while. */
const STALL_MS_MAX = 2_000;

export async function runRound(schedule: Schedule, rig: Rig): Promise<RoundResult> {
  const startedMs = performance.now();
  const violations: Violation[] = [];
  const trainers = schedule.streams.map((stream) => new Trainer(rig.client, stream));
  const bystander = new Trainer(rig.bystander, schedule.bystander);
  const everybody = [...trainers, bystander];
  let sessions = 0;
  const round: RunningRound = {
    rig,
    name: `${schedule.seed}-${schedule.round}`,
    trainers: everybody,
    sessionIds: [...new Set(everybody.map(({ journal }) => journal.sessionId))],
    violations,
    clockWasSet: false,
    forgettable: new Map(),
    readings: [],
    freshSessionId: () => `mix-${schedule.seed}-${schedule.round}-extra-${++sessions}`,
  };
  const countersBefore = await counters(rig);
  const troubles = watchTroubles(bystander);
  const memory = new ServerMemory(rig.server);
  const stop = new AbortController();
  const running = Promise.all(everybody.map((trainer) => trainer.run(stop.signal)));
  const resumes: { kind: FaultKind; ms: number }[] = [];
  await Promise.all([
    sleep(LOAD_MS_MIN),
    ...schedule.faults.map(async (fault) => {
      await inject(fault, round);
      const ms = await timeResume(everybody);
      resumes.push({ kind: fault.kind, ms });
    }),
  ]);
  await sleep(LOAD_AFTER_MS);
  stop.abort();
  await running;
  const slowest = resumes.at(-1);
  if (slowest !== undefined && slowest.ms >= RESUME_MS_MAX) {
    violations.push({ invariant: "I10", subject: slowest.kind.name, detail: `not resumed after ${slowest.ms} ms` });
  }
  await Promise.all(
    everybody.map(({ stream, journal }) =>
      stream.close({ timeoutMs: FINISH_MS_MAX }).catch((error: unknown) => {
        journal.failure ??= String(error);
      }),
    ),
  );
  const residentBytesMax = memory.stop();
  const journals = everybody.map(({ journal }) => journal);
  const { clockWasSet } = round;
  const [firstSessionId] = round.sessionIds;
  const readBack = schedule.isReadBack ? firstSessionId : undefined;
  try {
    await takeNoteOfForgotten(round);
    violations.push(...(await judge(journals, rig.store, { clockWasSet })));
    violations.push(...(await judgeByApi(rig.bystander, journals, readBack)));
    // A database that was made to forget by plain SQL still has the sums of what it forgot; a restored dump has not.
    if (readBack !== undefined && round.forgettable.size === 0) {
      violations.push(...(await judgeSeries(rig.bystander, rig.store, readBack)));
    }
  } catch (error) {
    violations.push({ invariant: "API", subject: "a call failed", detail: String(error) });
  }
  violations.push(...(await judgeServer(round, countersBefore)));
  if (schedule.faults.every(({ kind }) => kind.reach === "some") && troubles.length > 0) {
    violations.push({ invariant: "I9", subject: bystander.journal.name, detail: troubles.join("; ") });
  }
  if (residentBytesMax > RESIDENT_BYTES_MAX) {
    violations.push({ invariant: "I7", subject: "server", detail: `${residentBytesMax} bytes resident` });
  }
  for (const { stallMsMax } of round.readings) {
    if (stallMsMax > STALL_MS_MAX) {
      violations.push({ invariant: "I8", subject: "trainer", detail: `its event loop stood for ${stallMsMax} ms` });
    }
  }
  return {
    schedule,
    records: journals.reduce((sum, { sentSeq }) => sum + sentSeq, 0),
    resumes,
    residentBytesMax,
    readings: round.readings,
    violations,
    seconds: (performance.now() - startedMs) / 1_000,
  };
}

async function inject({ kind, atMs, choice }: PlannedFault, round: RunningRound): Promise<void> {
  await sleep(atMs);
  try {
    await kind.inject(choice, round);
  } catch (error) {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    round.violations.push({ invariant: "I10", subject: `${kind.number} ${kind.name}`, detail });
  }
}

/** A bystander's stream must not even have to wait. */
function watchTroubles({ stream }: Trainer): string[] {
  const troubles: string[] = [];
  stream.onStateChange((state) => {
    if (state.name === "waiting" && state.because !== undefined) troubles.push(state.because.message);
    if (state.name === "failed") troubles.push(state.error.message);
  });
  return troubles;
}

async function timeResume(trainers: readonly Trainer[]): Promise<number> {
  const startedMs = performance.now();
  const waiting = trainers
    .filter((trainer) => trainer.hasUnacked)
    .map(({ journal }) => ({ journal, beforeSeq: journal.ackedSeq }));
  const hasResumed = () =>
    waiting.every(({ journal, beforeSeq }) => journal.ackedSeq > beforeSeq || journal.failure !== undefined);
  while (!hasResumed() && performance.now() - startedMs < RESUME_MS_MAX) await sleep(POLL_MS);
  return performance.now() - startedMs;
}

interface Counters {
  readonly pid: number | undefined;
  readonly regressions: number;
  readonly broken: number;
}

async function counters({ server }: Rig): Promise<Counters> {
  const metrics = await server.metrics();
  const value = (name: string) => metrics.get(`tailkeep_stream_${name}_total`) ?? Number.NaN;
  return { pid: server.pid, regressions: value("regressions"), broken: value("broken") };
}

/** What the server itself says of broken invariants, and whether it is well. */
async function judgeServer(round: RunningRound, before: Counters): Promise<Violation[]> {
  const { rig, forgettable } = round;
  const { server } = rig;
  const violations: Violation[] = [];
  const report = (subject: string, detail: string) => violations.push({ invariant: "SERVER", subject, detail });
  if (server.hasEnded) {
    report("process", `it ended by itself:\n${server.output.slice(-3_000)}`);
    return violations;
  }
  const after = await counters(rig);
  const since = before.pid === after.pid ? before : { regressions: 0, broken: 0 };
  if (after.regressions !== since.regressions && forgettable.size === 0)
    report("regressions", String(after.regressions));
  if (after.broken !== since.broken) report("broken streams", String(after.broken));
  const bug = bugIn(server.output);
  if (bug !== undefined) report("log", bug);
  if (round.clockWasSet) {
    // Timers that a set clock made due all at once, again and again, would show here.
    const share = await quietestCpuShare(server, IDLE_CPU_SHARE_MAX);
    if (share > IDLE_CPU_SHARE_MAX) report("timers", `uses ${share.toFixed(2)} of a core with nothing to do`);
  }
  return violations;
}

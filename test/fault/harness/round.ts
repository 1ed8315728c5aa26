/** One round: streams under load, kills in the middle of it, and the oracle at the end. */
import { setTimeout as sleep } from "node:timers/promises";
import type { TailkeepClient } from "@tailkeep/client";
import { judgeByApi } from "./api-oracle.js";
import { bySession, type StreamJournal } from "./journal.js";
import { killAt } from "./killer.js";
import { judge, type Violation } from "./oracle.js";
import { type KillTarget, plannedEntries, type RoundPlan } from "./plan.js";
import { judgeSeries } from "./series-oracle.js";
import { bugIn } from "./server-log.js";
import type { SystemUnderTest } from "./system.js";
import { Trainer } from "./trainer.js";

export interface RoundResult {
  readonly plan: RoundPlan;
  readonly journals: readonly StreamJournal[];
  readonly kills: number;
  /** Kills at which something was unacked. */
  readonly killsUnderLoad: number;
  /** Kills right behind a commit. */
  readonly killsAtCommit: number;
  /** Kills after which the database knew of more than the trainers had been told. */
  readonly killsBeforeAck: number;
  readonly records: number;
  readonly acked: number;
  /** From the moment the killed process answers again until every stream that had something unacked made progress. */
  readonly resumeMs: readonly number[];
  readonly violations: readonly Violation[];
}

const ACKED_WAIT_MS_MAX = 20_000;
const RESUME_MS_MAX = 30_000;
const FINISH_MS_MAX = 60_000;
const POLL_MS = 3;

export async function runRound(
  plan: RoundPlan,
  target: KillTarget,
  system: SystemUnderTest,
  client: TailkeepClient,
): Promise<RoundResult> {
  const trainers = plan.streams.map((stream) => new Trainer(client, stream));
  const journals = trainers.map((trainer) => trainer.journal);
  const running = Promise.all(trainers.map((trainer) => trainer.run()));
  const total = plannedEntries(plan);
  const counts = { kills: 0, killsUnderLoad: 0, killsAtCommit: 0, killsBeforeAck: 0 };
  const resumeMs: number[] = [];
  const resuming: Promise<void>[] = [];
  for (const kill of plan.kills) {
    await until(() => ackedOf(journals) >= kill.afterAckedShare * total, ACKED_WAIT_MS_MAX);
    const victim = { pid: system.pidOf(target), location: system.location };
    const sawCommit = await killAt(kill.moment, victim, () => system.kill(target));
    counts.kills++;
    if (sawCommit) counts.killsAtCommit++;
    if (trainers.some((trainer) => trainer.hasUnacked)) counts.killsUnderLoad++;
    await sleep(kill.downMs);
    if (target === "server" && (await knowsMore(system, journals))) counts.killsBeforeAck++;
    await system.restart(target);
    const killsBefore = counts.kills;
    resuming.push(
      timeResume(trainers, () => counts.kills > killsBefore).then((ms) => {
        if (ms !== undefined) resumeMs.push(ms);
      }),
    );
  }
  await running;
  const violations: Violation[] = [];
  await Promise.all(
    trainers.map(({ stream, journal }) =>
      stream.close({ timeoutMs: FINISH_MS_MAX }).catch((error: unknown) => {
        journal.failure ??= String(error);
      }),
    ),
  );
  await Promise.all(resuming);
  for (const [at, ms] of resumeMs.entries()) {
    if (ms >= RESUME_MS_MAX)
      violations.push({ invariant: "I10", subject: `kill ${at + 1}`, detail: `not resumed in ${ms} ms` });
  }
  violations.push(...(await judge(journals, system.store)));
  try {
    violations.push(...(await judgeByApi(client, journals, plan.readBackSessionId)));
    if (plan.readBackSessionId !== undefined) {
      violations.push(...(await judgeSeries(client, system.store, plan.readBackSessionId)));
    }
  } catch (error) {
    violations.push({ invariant: "API", subject: "a call failed", detail: String(error) });
  }
  violations.push(...(await judgeServer(system)));
  const records = journals.reduce((sum, journal) => sum + journal.sentSeq, 0);
  return { plan, journals, ...counts, records, acked: ackedOf(journals), resumeMs, violations };
}

function ackedOf(journals: readonly StreamJournal[]): number {
  return journals.reduce((sum, journal) => sum + journal.ackedSeq, 0);
}

/** Whether a commit was cut off from its ack: what the sockets still held has been read by now. */
async function knowsMore(system: SystemUnderTest, journals: readonly StreamJournal[]): Promise<boolean> {
  for (const [sessionId, own] of bySession(journals)) {
    const streams = await system.store.streams(sessionId);
    for (const { streamId, committedSeq } of streams) {
      const journal = own.find((each) => each.streamId === streamId);
      if (journal !== undefined && committedSeq > journal.ackedSeq) return true;
    }
  }
  return false;
}

/** Undefined where the next kill came first. */
async function timeResume(trainers: readonly Trainer[], isKilledAgain: () => boolean): Promise<number | undefined> {
  const startedMs = performance.now();
  const waiting = trainers
    .filter((trainer) => trainer.hasUnacked)
    .map(({ journal }) => ({ journal, beforeSeq: journal.ackedSeq }));
  const hasResumed = () =>
    waiting.every(({ journal, beforeSeq }) => journal.ackedSeq > beforeSeq || journal.failure !== undefined);
  await until(() => isKilledAgain() || hasResumed(), RESUME_MS_MAX);
  return isKilledAgain() && !hasResumed() ? undefined : performance.now() - startedMs;
}

/** What the server itself says of broken invariants, since it was started last. */
async function judgeServer({ server }: SystemUnderTest): Promise<Violation[]> {
  const metrics = await server.metrics();
  const violations: Violation[] = [];
  for (const name of ["tailkeep_stream_regressions_total", "tailkeep_stream_broken_total"]) {
    const value = metrics.get(name) ?? Number.NaN;
    if (value !== 0) violations.push({ invariant: "SERVER", subject: name, detail: `is ${value}` });
  }
  const bug = bugIn(server.output);
  if (bug !== undefined) violations.push({ invariant: "SERVER", subject: "log", detail: bug });
  return violations;
}

async function until(condition: () => boolean, timeoutMs: number): Promise<void> {
  const giveUpAt = performance.now() + timeoutMs;
  while (!condition() && performance.now() < giveUpAt) await sleep(POLL_MS);
}

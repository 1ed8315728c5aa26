/** Waits for the planned moment and kills: at a random time under load, or between a commit and its ack. */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { CommitWatch, CommitWatchResult } from "./commit-watcher.js";
import type { KillPlan, KillTarget } from "./plan.js";
import type { SystemUnderTest } from "./system.js";

const COMMIT_WAIT_MS_MAX = 500;

/** Kills; true if a commit was seen just before. */
export async function killAt(plan: KillPlan, target: KillTarget, system: SystemUnderTest): Promise<boolean> {
  if (plan.moment.kind === "delay") {
    await sleep(plan.moment.delayMs);
    await system.kill(target);
    return false;
  }
  const watch: CommitWatch = { ...system.location, pid: system.pidOf(target), timeoutMs: COMMIT_WAIT_MS_MAX };
  const worker = new Worker(new URL("./commit-watcher.ts", import.meta.url), { workerData: watch });
  const [result] = (await Promise.race([once(worker, "message"), failOnExit(worker)])) as [CommitWatchResult];
  // The process is gone already; this takes note of it.
  await system.kill(target);
  return result.sawCommit;
}

async function failOnExit(worker: Worker): Promise<never> {
  await once(worker, "exit");
  throw new Error("the commit watcher ended without a word");
}

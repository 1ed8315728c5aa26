/** Waits for the planned moment and kills: at a random time under load, or between a commit and its ack. */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { CommitWatch, CommitWatchResult } from "./commit-watcher.js";
import type { KillPlan } from "./plan.js";

const COMMIT_WAIT_MS_MAX = 500;

/** Who is killed, and where the database is in which commits become visible. */
export interface Victim {
  readonly pid: number;
  readonly location: { readonly file: string } | { readonly url: string };
}

/** Kills; true if a commit was seen just before. `kill` also takes note of a victim that is gone already. */
export async function killAt(moment: KillPlan["moment"], victim: Victim, kill: () => Promise<void>): Promise<boolean> {
  if (moment.kind === "delay") {
    await sleep(moment.delayMs);
    await kill();
    return false;
  }
  const watch: CommitWatch = { ...victim.location, pid: victim.pid, timeoutMs: COMMIT_WAIT_MS_MAX };
  const worker = new Worker(new URL("./commit-watcher.ts", import.meta.url), { workerData: watch });
  const [result] = (await Promise.race([once(worker, "message"), failOnExit(worker)])) as [CommitWatchResult];
  await kill();
  return result.sawCommit;
}

async function failOnExit(worker: Worker): Promise<never> {
  await once(worker, "exit");
  throw new Error("the commit watcher ended without a word");
}

/**
 * One round of killed trainers: several lives on one spill folder, some at the same time, the server up, down or changing;
 * the last one stays until everything is durable. Then the database is compared with what each life had said.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { SeededRandom } from "../harness/random.js";
import type { SystemUnderTest } from "../harness/system.js";

export interface TrainerRound {
  readonly round: number;
  readonly kills: number;
  /** Records that the killed had handed to their recorders. */
  readonly appended: number;
  /** Of those, what was acked or synced at the last they said. */
  readonly safe: number;
  readonly stored: number;
  /** Records that came by replay. */
  readonly replayed: number;
  readonly serverChanges: number;
  readonly violations: readonly string[];
}

interface Life {
  readonly run: string;
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
  appended: number;
  readonly safe: Map<string, number>;
  ledger: string | undefined;
  replayed: number;
  isDone: boolean;
  output: string;
}

const TRAINER = join(import.meta.dirname, "trainer.ts");
const FINISH_MS_MAX = 90_000;
const COUNT_LAST = 50;

export async function runTrainerRound(seed: string, round: number, system: SystemUnderTest): Promise<TrainerRound> {
  const random = new SeededRandom(`${seed} trainer ${round}`);
  const sessionId = `${seed}-${round}`;
  const folder = await mkdtemp(join(tmpdir(), "tailkeep-spill-"));
  const violations: string[] = [];
  const lives: Life[] = [];
  let [kills, serverChanges] = [0, 0];
  let isUp = true;
  const setServer = async (up: boolean): Promise<void> => {
    if (up === isUp) return;
    serverChanges++;
    isUp = up;
    if (up) await system.restart("server");
    else await system.kill("server");
  };
  const start = (stays: boolean): Life => {
    const life = startLife({
      run: `run-${lives.length + 1}`,
      server: system.server.grpcAddress,
      sessionId,
      folder,
      count: stays ? COUNT_LAST : random.whole(200, 20_000),
      burst: random.pick([1, 20, 500]),
      pauseMs: random.whole(0, 4),
      spillAfterMs: random.pick([0, 20, 200]),
      syncMs: random.pick([0, 5, 50]),
      stays,
    });
    lives.push(life);
    return life;
  };

  for (let left = random.whole(1, 3); left > 0; left--) {
    await setServer(random.chance(0.5));
    const together = Array.from({ length: random.chance(0.3) ? 2 : 1 }, () => start(false));
    await Promise.all(
      together.map(async (life) => {
        const begun = once(life.child.stdout as NonNullable<ChildProcess["stdout"]>, "data");
        await Promise.race([begun, life.ended]);
        await sleep(random.whole(0, 500));
      }),
    );
    if (random.chance(0.3)) {
      await setServer(!isUp);
      await sleep(random.whole(0, 300));
    }
    for (const life of together) {
      if (!life.child.kill("SIGKILL")) violations.push(`${life.run} ended by itself:\n${life.output}`);
      kills++;
    }
    await Promise.all(together.map((life) => life.ended));
  }
  // The last one records before the server is back, half of the time.
  const isEarly = random.chance(0.5);
  await setServer(!isEarly);
  const last = start(true);
  if (isEarly) await sleep(random.whole(0, 1_000));
  await setServer(true);
  const late = setTimeout(() => last.child.kill("SIGKILL"), FINISH_MS_MAX);
  await last.ended;
  clearTimeout(late);
  if (!last.isDone) violations.push(`the last trainer did not finish:\n${last.output}`);
  violations.push(...(await judge(system, sessionId, lives)));
  const leftovers = (await readdir(folder, { recursive: true }).catch(() => [])).filter((name) =>
    name.endsWith(".seg"),
  );
  if (leftovers.length > 0) violations.push(`left in the spill: ${leftovers.join(", ")}`);
  await rm(folder, { recursive: true, force: true });
  const stored = await countStored(system, sessionId);
  return {
    round,
    kills,
    appended: sum(lives.map(({ appended }) => appended)),
    safe: sum(lives.flatMap(({ safe }) => [...safe.values()])),
    stored,
    replayed: last.replayed,
    serverChanges,
    violations,
  };
}

interface LifeOptions {
  readonly run: string;
  readonly server: string;
  readonly sessionId: string;
  readonly folder: string;
  readonly count: number;
  readonly burst: number;
  readonly pauseMs: number;
  readonly spillAfterMs: number;
  readonly syncMs: number;
  readonly stays: boolean;
}

function startLife(options: LifeOptions): Life {
  const child = spawn(process.execPath, [TRAINER], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      TAILKEEP_SERVER: options.server,
      TAILKEEP_SESSION: options.sessionId,
      TAILKEEP_SPILL_DIR: options.folder,
      TRAINER_RUN: options.run,
      TRAINER_COUNT: String(options.count),
      TRAINER_BURST: String(options.burst),
      TRAINER_PAUSE_MS: String(options.pauseMs),
      TRAINER_SPILL_AFTER_MS: String(options.spillAfterMs),
      TRAINER_SYNC_MS: String(options.syncMs),
      TRAINER_STAYS: options.stays ? "yes" : "no",
    },
  });
  const endWithTest = () => child.kill("SIGKILL");
  process.once("exit", endWithTest);
  const life: Life = {
    run: options.run,
    child,
    ended: once(child, "close").then(() => process.off("exit", endWithTest)),
    appended: 0,
    safe: new Map(),
    ledger: undefined,
    replayed: 0,
    isDone: false,
    output: "",
  };
  child.stderr.on("data", (chunk: Buffer) => {
    life.output = (life.output + chunk.toString()).slice(-5_000);
  });
  createInterface(child.stdout).on("line", (line) => {
    const [word, first = "", second] = line.split(" ");
    // A kill may cut the last line; a number cut short is smaller, and that is no lie.
    if (word === "appended") life.appended = Math.max(life.appended, Number(first));
    else if (word === "safe" && second !== undefined) life.safe.set(first, Number(second));
    else if (word === "ledger") life.ledger = first;
    else if (word === "replayed") life.replayed = (JSON.parse(first) as { durable: number }).durable;
    else if (word === "done") life.isDone = true;
  });
  return life;
}

async function judge(system: SystemUnderTest, sessionId: string, lives: readonly Life[]): Promise<string[]> {
  const wrong: string[] = [];
  const streams = await system.store.streams(sessionId);
  const byRun = new Map<string, { streamId: string; scores: number[] }>();
  for (const { key, streamId, committedSeq, stored, rejected, gapped } of streams) {
    const rows = await system.store.rows(key, "score_history");
    const gaps = await system.store.gaps(key);
    if (gaps.length > 0) wrong.push(`${streamId} has gaps: ${JSON.stringify(gaps)}`);
    if (rejected > 0 || gapped > 0 || stored !== committedSeq)
      wrong.push(`${streamId}: the counts say something was lost`);
    rows.forEach(({ seq }, i) => {
      if (seq !== i + 1) wrong.push(`${streamId} has ${seq} at place ${i + 1}`);
    });
    const runs = new Set(rows.map(({ columns }) => String(columns["score_type"])));
    if (runs.size > 1) wrong.push(`${streamId} has records of ${[...runs].join(" and ")}`);
    for (const run of runs) {
      if (byRun.has(run)) wrong.push(`${run} has two streams`);
      byRun.set(run, { streamId, scores: rows.map(({ columns }) => Number(columns["score"])) });
    }
  }
  for (const life of lives) {
    const { scores = [] } = byRun.get(life.run) ?? {};
    const disordered = scores.findIndex((score, i) => score !== i + 1);
    if (disordered >= 0) wrong.push(`${life.run} has ${scores[disordered]} at place ${disordered + 1}`);
    const safe = Math.max(0, ...life.safe.values());
    if (scores.length < safe) wrong.push(`${life.run} said that ${safe} were safe, and ${scores.length} are stored`);
    if (life.isDone && scores.length !== COUNT_LAST) wrong.push(`${life.run} finished with ${scores.length} stored`);
  }
  return wrong.slice(0, 20);
}

async function countStored(system: SystemUnderTest, sessionId: string): Promise<number> {
  return sum((await system.store.streams(sessionId)).map(({ stored }) => stored));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

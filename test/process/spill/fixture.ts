// Trainers in processes of their own, and what their successors find.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect } from "vitest";
import { type OrphanLog, SpillFolder } from "../../../client/dist/spill/index.js";
import { contentsOf, RECORDS } from "./contents.js";

/** Finds TypeScript where an import names what it is compiled to. */
const HOOK = join(import.meta.dirname, "..", "..", "..", "deploy", "local", "resolve-typescript.js");
const TRAINER = join(import.meta.dirname, "trainer.ts");

const folders: string[] = [];
const trainers: Trainer[] = [];
const spills: SpillFolder[] = [];

afterEach(async () => {
  await Promise.all(trainers.splice(0).map((trainer) => trainer.kill()));
  await Promise.all(spills.splice(0).map((spill) => spill.close()));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "tailkeep-spill-"));
  folders.push(folder);
  return folder;
}

export interface TrainerOptions {
  readonly mode?: "turns" | "never yields" | "replays" | "adopt" | "adopt only" | "end";
  readonly everyMs?: number;
  readonly freeBytesMin?: number;
  /** What runs node, such as strace; the command follows its arguments. */
  readonly under?: readonly string[];
  readonly uid?: number;
}

export class Trainer {
  readonly streamId: string;
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  constructor(folder: string, streamId: string, options: TrainerOptions = {}) {
    const { mode = "turns", everyMs = 20, freeBytesMin = 0, under = [], uid } = options;
    this.streamId = streamId;
    const node = [process.execPath, "--import", HOOK, TRAINER, folder, streamId, mode, `${everyMs}`, `${freeBytesMin}`];
    const [command = "", ...args] = [...under, ...node];
    this.#child = spawn(command, args, {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, NODE_NO_WARNINGS: "1" },
      ...(uid === undefined ? {} : { uid, gid: uid, cwd: "/" }),
    });
    this.#ended = once(this.#child, "close");
    let rest = "";
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      this.lines.push(...lines);
    });
    trainers.push(this);
  }

  /** Of the trainer itself, whatever it runs under. */
  get pid(): number {
    return Number(this.said("pid")[0] ?? this.#child.pid);
  }
  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  /** Kills it, if it still runs. */
  async kill(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) process.kill(this.pid, "SIGKILL");
    await this.#ended;
  }

  async end(): Promise<void> {
    await this.#ended;
  }

  /** Highest number that it said `what` of. */
  seq(what: "synced" | "written" | "acked"): number {
    return Math.max(0, ...this.said(what).map(Number));
  }

  /** What followed `what` in each line that begins with it. */
  said(what: string): string[] {
    return this.lines.filter((line) => line.startsWith(`${what} `)).map((line) => line.slice(what.length + 1));
  }
}

export interface Successor {
  readonly spill: SpillFolder;
  readonly orphans: readonly OrphanLog[];
  readonly problems: string[];
}

/** Takes over, in this process, what was left in `folder`. */
export async function succeed(folder: string): Promise<Successor> {
  const problems: string[] = [];
  const spill = new SpillFolder({
    folder,
    bytesMax: 2 ** 30,
    freeBytesMin: 0,
    sync: { everyMs: 20 },
    onProblem: ({ code }) => problems.push(code),
  });
  spills.push(spill);
  return { spill, orphans: await spill.adopt(), problems };
}

/** Reads a log to its end, and checks every batch. Returns its first and last number. */
export async function checkLog({ log, identity, missing }: OrphanLog): Promise<{ firstSeq: number; lastSeq: number }> {
  expect(missing).toEqual([]);
  expect(identity.writerId).toBe(`writer of ${identity.streamId}`);
  const first = log.unreadSeq;
  let next = first;
  for (let batch = await log.next(); batch !== undefined; batch = await log.next()) {
    const expected = contentsOf(identity.streamId, next);
    if (batch.firstSeq !== next || batch.count !== RECORDS || !batch.bytes.equals(expected)) {
      throw new Error(`batch ${batch.firstSeq} is not what ${next} was`);
    }
    next += RECORDS;
  }
  return { firstSeq: first, lastSeq: next - 1 };
}

/** The trainer is dead: its successor must find all that it had written, and nothing twice. */
export async function checkSuccession(trainer: Trainer, orphan: OrphanLog | undefined): Promise<void> {
  const needed = Math.max(trainer.seq("synced"), trainer.seq("written"));
  const isNeeded = needed > trainer.seq("acked");
  if (orphan === undefined) {
    expect(isNeeded).toBe(false);
    return;
  }
  expect(orphan.identity.streamId).toBe(trainer.streamId);
  const { firstSeq, lastSeq } = await checkLog(orphan);
  expect(firstSeq).toBeLessThanOrEqual(trainer.seq("acked") + 1);
  if (isNeeded) expect(lastSeq).toBeGreaterThanOrEqual(needed);
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until `holds`. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const endMs = performance.now() + 20_000;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error(`${what} did not come true`);
    await sleep(2);
  }
}

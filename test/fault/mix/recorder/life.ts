/** One life of a trainer with a recorder: a process, and what it said of itself. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { Ledger } from "@tailkeep/client";
import type { TrainerReading } from "../fault.js";

export interface LifeOptions {
  /** Told apart by this: it is in every record. */
  readonly run: string;
  readonly server: string;
  readonly sessionId: string;
  readonly spillFolder: string;
  /** Records, and the size of each besides its fields. */
  readonly count: number;
  readonly recordBytes: number;
  readonly burst: number;
  readonly pauseMs: number;
  readonly spillAfterMs: number;
  /** 0: after every write. */
  readonly syncMs: number;
  /** Once everything is durable; else it is there to be killed. */
  readonly endsByItself: boolean;
  /** What precedes the command: a tracer, a network. */
  readonly under?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

interface Line {
  readonly pid?: number;
  readonly appended?: number;
  readonly safe?: number;
  readonly problem?: string;
  readonly message?: string;
  readonly ledger?: Ledger;
  readonly appendP999Us?: number;
  readonly stallMsMax?: number;
}

const TRAINER = join(import.meta.dirname, "trainer.ts");
const END_MS_MAX = 60_000;
const POLL_MS = 3;
const READ_COUNT_MIN = 1_000;

export class RecorderLife {
  readonly options: LifeOptions;
  readonly ended: Promise<void>;
  readonly problems: string[] = [];
  appended = 0;
  /** Records that are acked, or synced to its disk. */
  safe = 0;
  /** What it was before it grew the last time. */
  #safeBefore = 0;
  /** At its good end. */
  ledger: Ledger | undefined;
  reading: TrainerReading | undefined;
  complaint = "";
  readonly #child: ChildProcess;
  #pid: number | undefined;
  #isGone = false;

  constructor(options: LifeOptions) {
    const { server, sessionId, spillFolder, under = [], environment, ...wishes } = options;
    this.options = options;
    const [command, ...args] = [...under, process.execPath, TRAINER];
    const child = spawn(command ?? process.execPath, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        ...environment,
        TAILKEEP_SERVER: server,
        TAILKEEP_SESSION: sessionId,
        TAILKEEP_SPILL_DIR: spillFolder,
        TRAINER_WISHES: JSON.stringify(wishes),
      },
    });
    this.#child = child;
    const endWithTest = () => this.kill();
    process.once("exit", endWithTest);
    this.ended = once(child, "close").then(() => {
      this.#isGone = true;
      process.off("exit", endWithTest);
    });
    child.stderr.on("data", (chunk: Buffer) => {
      this.complaint = (this.complaint + chunk.toString()).slice(-4_000);
    });
    createInterface(child.stdout).on("line", (line) => this.#hear(line));
  }

  get isGone(): boolean {
    return this.#isGone;
  }
  get pid(): number | undefined {
    return this.#pid;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#isGone) return;
    // The process itself, not what it was started under.
    if (this.#pid === undefined) this.#child.kill(signal);
    else {
      try {
        process.kill(this.#pid, signal);
      } catch {
        // Gone already.
      }
    }
  }

  kill(): void {
    this.signal("SIGKILL");
  }

  async untilBegun(): Promise<void> {
    await this.until(() => this.appended > 0);
  }

  async until(holds: () => boolean, timeoutMs = 15_000): Promise<void> {
    const giveUpAt = performance.now() + timeoutMs;
    while (!holds() && !this.#isGone && performance.now() < giveUpAt) await sleep(POLL_MS);
  }

  /** Its good end, or its death after a while. */
  async untilEnded(): Promise<void> {
    const late = setTimeout(() => this.kill(), END_MS_MAX);
    await this.ended;
    clearTimeout(late);
  }

  /**
   * A machine without power says nothing; this one may say once more that a sync ended well. ext4 that is shut down under a
   * sync finds its transaction gone and takes it for committed: a program of `pwrite` and `fdatasync` alone is told so of its
   * last write in one of ten shutdowns, and never of two. So the last step from now on proves nothing, and only that.
   */
  powerIsLost(): () => void {
    const { safe } = this;
    return () => {
      if (this.safe > safe) this.safe = Math.max(safe, this.#safeBefore);
    };
  }

  #hear(text: string): void {
    let line: Line;
    try {
      line = JSON.parse(text) as Line;
    } catch {
      // A kill cuts the last line.
      return;
    }
    this.#pid ??= line.pid;
    if (line.appended !== undefined) this.appended = line.appended;
    if (line.safe !== undefined && line.safe > this.safe) {
      this.#safeBefore = this.safe;
      this.safe = line.safe;
    }
    if (line.problem !== undefined) this.problems.push(`${line.problem} ${line.message}`);
    if (line.ledger !== undefined) {
      this.ledger = line.ledger;
      const dropped = Object.values(line.ledger.dropped).reduce((sum, each) => sum + each, 0);
      // In a short life the first append, which makes the lane, is all of the last thousandth.
      if (this.options.count >= READ_COUNT_MIN)
        this.reading = { dropped, appendP999Us: line.appendP999Us ?? 0, stallMsMax: line.stallMsMax ?? 0 };
    }
  }
}

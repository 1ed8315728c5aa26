/** What the server's process uses, as the kernel sees it. */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const SAMPLE_MS = 100;
const TICKS_PER_S = 100;

interface Process {
  readonly pid: number | undefined;
}

/** Resident memory, sampled until stopped; restarts and deaths in between are no matter. */
export class ServerMemory {
  readonly #timer: NodeJS.Timeout;
  #bytesMax = 0;

  constructor(server: Process) {
    const sample = () => {
      const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(read(server, "status"))?.[1] ?? 0;
      this.#bytesMax = Math.max(this.#bytesMax, Number(kibibytes) * 1_024);
    };
    sample();
    this.#timer = setInterval(sample, SAMPLE_MS);
  }

  stop(): number {
    clearInterval(this.#timer);
    return this.#bytesMax;
  }
}

/** Of one core, over a while. */
export async function cpuShare(server: Process, overMs: number): Promise<number> {
  const before = cpuSeconds(server);
  await sleep(overMs);
  return ((cpuSeconds(server) - before) * 1_000) / overMs;
}

function cpuSeconds(server: Process): number {
  // Behind the command, which may hold anything: user and system time are the 12th and 13th.
  const fields = (read(server, "stat").split(") ").at(-1) ?? "").split(" ");
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS_PER_S;
}

function read({ pid }: Process, file: "status" | "stat"): string {
  try {
    return pid === undefined ? "" : readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    // Dead just now.
    return "";
  }
}

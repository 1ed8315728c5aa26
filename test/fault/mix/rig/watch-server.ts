/** What the server's process uses, as the kernel sees it. */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const SAMPLE_MS = 100;
const TICKS_PER_S = 100;
/** Of CPU time: ticks are 10 ms, so a span this long tells a tenth from nothing. Together they are 3 s. */
const SPAN_MS = 150;
const SPANS_MAX = 20;

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

/**
 * Of one core, in the quietest of the spans looked at: the first that is quiet enough ends it. What a server has left to
 * do when its load ends (sums for charts, a collection of the heap) comes to an end; what goes round in a circle does not.
 */
export async function quietestCpuShare(server: Process, quietShare: number): Promise<number> {
  let share = Number.POSITIVE_INFINITY;
  for (let spans = 0; spans < SPANS_MAX && share > quietShare; spans += 1) {
    const usedBefore = cpuSeconds(server);
    const startedMs = performance.now();
    await sleep(SPAN_MS);
    // A machine under load wakes late: the span is what it was, not what was asked for.
    const spanMs = performance.now() - startedMs;
    share = Math.min(share, ((cpuSeconds(server) - usedBefore) * 1_000) / spanMs);
  }
  return share;
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

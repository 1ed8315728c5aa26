/** What recording costs a trainer: an append's time, the event loop's stalls, and memory over ten million records. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Ledger } from "@tailkeep/client";
import { TailkeepServer } from "../support/tailkeep-server.js";
import { childWith } from "./measure.js";
import type { Claim } from "./table.js";

interface Appends {
  readonly appends: number;
  readonly p50Ns: number;
  readonly p999Ns: number;
  readonly maxNs: number;
  readonly turns: number;
  readonly turnsWithPauses: number;
  /** Of the turns that the garbage collector did not fall into. */
  readonly turnCpuMsMax: number;
  readonly turnCpuMsMaxWithPauses: number;
  /** The collector's longest, by the clock. */
  readonly pauseMsMax: number;
  readonly ledger?: Ledger;
}

interface Flatness {
  readonly samples: readonly { readonly records: number; readonly heapMiB: number; readonly residentMiB: number }[];
  readonly ledger?: Ledger;
}

const P50_NS_MAX = { bare: 500, metadata: 1_000 } as const;
const P999_NS_MAX = 100_000;
const STALL_MS_MAX = 5;
const GROWTH_MAX = 1.05;
/** What one append of the earlier system took, on the trainer's thread. */
const EARLIER_NS = 1_200_000;

export async function benchRecording(isQuick: boolean): Promise<Claim[]> {
  const folder = mkdtempSync(join(tmpdir(), "tailkeep-bench-"));
  const server = await TailkeepServer.start({
    store: `sqlite:${join(folder, "tailkeep.db")}`,
    env: { TAILKEEP_LOG_LEVEL: "warn" },
  });
  let runs = 0;
  const env = () => ({
    TAILKEEP_SERVER: server.grpcAddress,
    TAILKEEP_SESSION: `bench-${++runs}`,
    TAILKEEP_SPILL_DIR: join(folder, `spill-${runs}`),
    SERVER_PID: String(server.pid),
  });
  try {
    return [...(await appends(isQuick ? 2 : 10, env)), ...(await flatMemory(isQuick ? 1_000_000 : 10_000_000, env))];
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function appends(seconds: number, env: () => Record<string, string>): Promise<Claim[]> {
  const claims: Claim[] = [];
  for (const items of ["bare", "metadata"] as const) {
    const trainer = (mode: string) => childWith<Appends>({ env: env() }, "recording/trainer.ts", mode, items, seconds);
    const without = await trainer("none");
    for (const mode of ["up", "down", "frozen", "spilling"]) {
      const found = await trainer(mode);
      const what = `append, ${items === "bare" ? "no metadata" : "3 metadata keys"}, ${mode === "spilling" ? "spilling" : `server ${mode}`}`;
      console.error(`  ${what}: ${JSON.stringify({ ...found, ledger: undefined })}`);
      claims.push(
        most(`${what}, p50`, ns(found.p50Ns), ns(EARLIER_NS), found.p50Ns / 1_000, P50_NS_MAX[items] / 1_000),
        most(`${what}, p99.9`, ns(found.p999Ns), ns(without.p999Ns), found.p999Ns / 1_000, P999_NS_MAX / 1_000),
        most(
          `${what}, longest turn, processor ms`,
          `${found.turnCpuMsMax.toFixed(2)} ms, pause ${found.pauseMsMax.toFixed(1)}`,
          `without ${without.turnCpuMsMax.toFixed(2)} ms, pause ${without.pauseMsMax.toFixed(1)}`,
          found.turnCpuMsMax,
          STALL_MS_MAX,
        ),
      );
    }
  }
  return claims;
}

async function flatMemory(records: number, env: () => Record<string, string>): Promise<Claim[]> {
  // V8 makes its young generation twice as large, by 64 MiB, at a time of its own choosing, whatever the program holds. It is
  // held at one size here, so that what grows is what the records take.
  const youngGeneration = ["--min-semi-space-size=16", "--max-semi-space-size=16"];
  const options = { env: env(), execArgv: ["--expose-gc", "--max-old-space-size=12000", ...youngGeneration] };
  const ours = await childWith<Flatness>(options, "recording/flat-memory.ts", "tailkeep", records);
  const arrays = await childWith<Flatness>(options, "recording/flat-memory.ts", "arrays", records);
  const growth = (found: Flatness, of: "heapMiB" | "residentMiB") => {
    const first = found.samples[0]?.[of] ?? 0;
    const last = found.samples.at(-1)?.[of] ?? 0;
    return { ratio: last / first, text: `${first.toFixed(0)} to ${last.toFixed(0)} MiB` };
  };
  const millions = (records / 1_000_000).toFixed(0);
  return (["heapMiB", "residentMiB"] as const).map((of) => {
    const [a, b] = [growth(ours, of), growth(arrays, of)];
    const what = of === "heapMiB" ? "heap" : "resident memory";
    return most(`${what}, ten containers, ${millions} M records`, a.text, `arrays: ${b.text}`, a.ratio, GROWTH_MAX);
  });
}

function most(name: string, ours: string, yardstick: string, value: number, bound: number): Claim {
  return { name, store: "SDK", ours, yardstick, value, bound: `<= ${bound}`, holds: value <= bound };
}

function ns(value: number): string {
  return value >= 1_000 ? `${(value / 1_000).toFixed(2)} us` : `${value.toFixed(0)} ns`;
}

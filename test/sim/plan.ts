/** Everything about a run that is chosen before it begins: what is written, where, and what goes wrong when. */

import type { RecordTypeName } from "@tailkeep/client";
import type { OverflowPolicy } from "../../client/dist/recorder/options.js";
import { Random } from "./random.js";

export interface TrainerPlan {
  readonly records: number;
  readonly sessions: readonly string[];
  readonly flushRecords: number;
  readonly memoryBytesMax: number;
  readonly spillAfterMs: number;
  readonly readAheadBytes: number;
  /** Undefined: nothing is ever written to disk. */
  readonly spill: { readonly bytesMax: number; readonly sync: "always" | { readonly everyMs: number } } | undefined;
  readonly overflow: Readonly<Record<RecordTypeName, OverflowPolicy>>;
  /** Records are appended in bursts of at most so many. */
  readonly burst: number;
  readonly pauseMsMax: number;
  /** Bytes of text in each record. */
  readonly paddingBytes: number;
}

export const FAULT_KINDS = [
  "server killed",
  "server stopped",
  "server paused",
  "trainer killed",
  "trainer closed",
  "trainer lost power",
  "trainer paused",
  "calls cut",
  "call lost silently",
  "partition",
  "trainers not heard",
  "servers not heard",
  "slow network",
  "database killed",
  "database frozen",
  "database restored",
  "database read-only",
  "database full",
  "row locked",
  "deadlock",
  "connection gone",
  "too many connections",
  "commit lost",
  "commit's answer lost",
  "stream taken over",
  "clock jumped",
  "disk write failed",
  "disk sync failed",
  "disk open failed",
  "disk full",
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

export interface Fault {
  readonly kind: FaultKind;
  /** At a time, or at the n-th event whose name has a part. */
  readonly when: { readonly atMs: number } | { readonly event: string; readonly nth: number };
  readonly forMs: number;
  /** Which of the servers, trainers or streams there are, counted round; and how often, for what is counted. */
  readonly which: number;
  readonly times: number;
}

export interface Plan {
  readonly seed: number;
  readonly trainers: readonly TrainerPlan[];
  readonly servers: number;
  /** Servers share the database, and must not trust what they remember. */
  readonly shared: boolean;
  readonly lanes: number;
  readonly groupDelayMs: number;
  readonly ingestBytesMax: number;
  readonly cacheRecords: number;
  readonly networkLatencyMsMax: number;
  readonly networkWindowBytes: number;
  readonly watchers: number;
  /** Faults begin before; then everything heals. */
  readonly busyMs: number;
  readonly faults: readonly Fault[];
}

/** Names of events that are worth a fault: on both sides of everything that must not be torn apart. */
const EVENTS = [
  "database: open commits",
  "database: commit begins",
  "database: commit writes",
  "database: commit commits",
  "store: commit done",
  "store: open done",
  "store: locked",
  "read",
  "arrives",
  "drain",
  "disk: sync",
  "disk: write",
  "disk: sync folder",
  "disk: rename",
  "disk: unlink",
  "disk: open",
  "ends",
  "defer",
] as const;

const TYPES: readonly RecordTypeName[] = [
  "performance_history",
  "session_history",
  "action_tracking",
  "score_history",
  "coordinate_tracking",
  "frame_tracking",
];

export function planOf(seed: number): Plan {
  const random = new Random(seed, "plan");
  const isFat = random.chance(0.01);
  const shared = random.chance(0.6);
  const busyMs = random.pick([1_500, 5_000, 15_000]);
  const trainers = Array.from({ length: random.chance(0.3) ? 2 : 1 }, () => trainerPlan(random, isFat, busyMs));
  return {
    seed,
    trainers,
    servers: shared ? random.int(1, 2) : 1,
    shared,
    lanes: random.int(1, 2),
    groupDelayMs: random.pick([0, 2, 30]),
    ingestBytesMax: isFat ? 8 * 1024 * 1024 : 64 * 1024 * 1024,
    cacheRecords: random.pick([1, 3, 20, 1_000]),
    networkLatencyMsMax: random.pick([1, 5, 80]),
    networkWindowBytes: random.pick([200, 4_000, 65_536]),
    watchers: random.int(0, 2),
    busyMs,
    faults: Array.from({ length: random.pick([0, 1, 1, 2, 2, 3, 4, 6, 9]) }, () => fault(random, busyMs)),
  };
}

function trainerPlan(random: Random, isFat: boolean, busyMs: number): TrainerPlan {
  const burst = random.pick([1, 4, 20]);
  const records = isFat ? random.int(8, 16) : random.int(5, 120);
  const policies: readonly OverflowPolicy[] = random.chance(0.6)
    ? ["spill"]
    : ["spill", "spill", "drop-oldest", "drop-newest"];
  const overflow = Object.fromEntries(TYPES.map((type) => [type, random.pick(policies)]));
  return {
    records,
    sessions: random.chance(0.7) ? ["run"] : ["run", "other"],
    flushRecords: isFat ? 2 : random.pick([1, 3, 8, 64]),
    memoryBytesMax: isFat ? 8 * 1024 * 1024 : random.pick([400, 1_500, 8_000, 1_000_000]),
    spillAfterMs: random.pick([0, 50, 1_000]),
    readAheadBytes: random.pick([1, 500, 2 ** 22]),
    spill: random.chance(0.85)
      ? {
          bytesMax: isFat ? 2 ** 26 : random.pick([900, 3_000, 2 ** 26, 2 ** 26]),
          sync: random.pick(["always", { everyMs: 5 }, { everyMs: 200 }] as const),
        }
      : undefined,
    overflow: overflow as Record<RecordTypeName, OverflowPolicy>,
    burst,
    pauseMsMax: Math.max(1, Math.min(2_000, (2 * busyMs * burst) / records)),
    paddingBytes: isFat ? 200_000 : 0,
  };
}

function fault(random: Random, busyMs: number): Fault {
  return {
    kind: random.pick(FAULT_KINDS),
    when: random.chance(0.5)
      ? { atMs: random.between(0, busyMs) }
      : { event: random.pick(EVENTS), nth: random.chance(0.5) ? random.int(1, 12) : random.int(1, 60) },
    forMs: random.pick([1, 20, 300, 1_500, 4_000, 12_000, 35_000]) * random.between(0.5, 1.5),
    which: random.int(0, 5),
    times: random.pick([1, 1, 1, 2, 5]),
  };
}

export function describeFault({ kind, when, forMs, which, times }: Fault): string {
  const at = "atMs" in when ? `at ${when.atMs.toFixed(1)} ms` : `at event ${when.nth} of "${when.event}"`;
  return `${kind}, ${at}, for ${forMs.toFixed(0)} ms (which ${which}, times ${times})`;
}

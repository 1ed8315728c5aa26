/** What happens in one round, derived from its seed alone: who appends what, and which fault comes when. */
import type { StreamPlan } from "../harness/plan.js";
import { SeededRandom } from "../harness/random.js";
import type { FaultChoice, FaultKind } from "./fault.js";

export interface PlannedFault {
  readonly kind: FaultKind;
  /** After the beginning of the round. */
  readonly atMs: number;
  readonly choice: FaultChoice;
}

export interface Schedule {
  readonly seed: string;
  readonly round: number;
  readonly faults: readonly PlannedFault[];
  readonly streams: readonly StreamPlan[];
  /** Writes past everything that breaks on the way. */
  readonly bystander: StreamPlan;
}

const FAULTS_MAX = 3;
const BEGIN_MS_MAX = 350;
const STREAMS_MIN = 2;
const STREAMS_MAX = 5;
/** Of one stream: a frozen database must not make a round long to judge. */
const ENTRIES_MAX = 1_000;

/** Every kind has its turn, round after round; the others of a round are random. */
export function planSchedule(seed: string, round: number, kinds: readonly FaultKind[]): Schedule {
  const random = new SeededRandom(`${seed} mix ${round}`);
  const first = kinds[(round - 1) % kinds.length];
  if (first === undefined) throw new Error("there is no fault to inject");
  const chosen = new Set([first]);
  const companions = kinds.filter(({ isAlone, isSlow }) => isAlone !== true && isSlow !== true);
  if (first.isAlone !== true && companions.length > 0) {
    for (let more = random.whole(0, FAULTS_MAX - 1); more > 0; more--) chosen.add(random.pick(companions));
  }
  const faults = [...chosen]
    .map((kind) => ({ kind, atMs: random.whole(20, BEGIN_MS_MAX), choice: kind.choose(random) }))
    .sort((a, b) => a.atMs - b.atMs);
  const sessionIds = [`mix-${seed}-${round}-a`, `mix-${seed}-${round}-b`];
  const streams = Array.from({ length: random.whole(STREAMS_MIN, STREAMS_MAX) }, (_, at) =>
    planStream(random, `${seed}/${round}/${at}`, sessionIds[at % 2] as string, `stream-${at}`),
  );
  const bystander = planStream(random, `${seed}/${round}/b`, `mix-${seed}-${round}-bystander`, "bystander");
  return { seed, round, faults, streams, bystander };
}

function planStream(random: SeededRandom, seed: string, sessionId: string, streamId: string): StreamPlan {
  const isBursty = random.chance(0.3);
  return {
    streamId,
    sessionId,
    seed,
    entries: ENTRIES_MAX,
    burstMax: isBursty ? random.whole(50, 300) : random.whole(1, 20),
    pauseMsMax: isBursty ? random.whole(40, 120) : random.whole(4, 25),
    flushRecords: random.pick([1, 16, 64, 256]),
    idleCloseMs: random.pick([5, 60, 1_000, 1_000]),
    gapShare: random.pick([0, 0.002, 0.02]),
    badShare: random.pick([0, 0.001, 0.005]),
    timelessShare: random.pick([0, 0.05, 1]),
  };
}

/** As people read it, and as it can be compared. */
export function scheduleText({ faults }: Schedule): string {
  return faults
    .map(({ kind, atMs, choice }) => {
      const details = Object.entries(choice).map(([name, value]) => `${name} ${value}`);
      return `  at ${atMs} ms: ${kind.number} ${kind.name}${details.length > 0 ? ` (${details.join(", ")})` : ""}`;
    })
    .join("\n");
}

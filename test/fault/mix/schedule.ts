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
  /** Its first session is also read back through the API. */
  readonly isReadBack: boolean;
}

const FAULTS_MAX = 3;
const BEGIN_MS_MAX = 350;
const STREAMS_MIN = 2;
const STREAMS_MAX = 5;
/** Of one stream: a frozen database must not make a round long to judge. Its rhythm makes it last for seconds. */
const ENTRIES_MAX = 1_200;
/** Reading a session back through the API takes as long as everything else about a round's end. */
const READ_BACK_SHARE = 0.3;

/** Every kind has its turn, round after round; the others of a round are random. */
export function planSchedule(seed: string, round: number, kinds: readonly FaultKind[]): Schedule {
  const random = new SeededRandom(`${seed} mix ${round}`);
  return scheduleWith(chooseKinds(random, round, kinds), random, seed, round);
}

/** As few rounds as hold every kind once, those together that reach everybody. */
export function planTour(seed: string, kinds: readonly FaultKind[]): readonly Schedule[] {
  const rounds: FaultKind[][] = kinds.filter(({ isAlone }) => isAlone === true).map((kind) => [kind]);
  for (const reach of ["everybody", "some"]) {
    const own = kinds.filter((kind) => kind.isAlone !== true && kind.reach === reach);
    for (let at = 0; at < own.length; at += FAULTS_MAX) rounds.push(own.slice(at, at + FAULTS_MAX));
  }
  return rounds.map((chosen, at) =>
    scheduleWith(chosen, new SeededRandom(`${seed} tour ${at + 1}`), `${seed}-tour`, at + 1),
  );
}

function chooseKinds(random: SeededRandom, round: number, kinds: readonly FaultKind[]): readonly FaultKind[] {
  const first = kinds[(round - 1) % kinds.length];
  if (first === undefined) throw new Error("there is no fault to inject");
  const chosen = new Set([first]);
  const companions = kinds.filter(({ isAlone, isSlow }) => isAlone !== true && isSlow !== true);
  if (first.isAlone !== true && companions.length > 0) {
    for (let more = random.whole(0, FAULTS_MAX - 1); more > 0; more--) chosen.add(random.pick(companions));
  }
  return [...chosen];
}

export function scheduleWith(kinds: readonly FaultKind[], random: SeededRandom, seed: string, round: number): Schedule {
  const faults = kinds
    .map((kind) => ({ kind, atMs: random.whole(20, BEGIN_MS_MAX), choice: kind.choose(random) }))
    .sort((a, b) => a.atMs - b.atMs);
  const sessionIds = [`mix-${seed}-${round}-a`, `mix-${seed}-${round}-b`];
  const streams = Array.from({ length: random.whole(STREAMS_MIN, STREAMS_MAX) }, (_, at) =>
    planStream(random, `${seed}/${round}/${at}`, sessionIds[at % 2] as string, `stream-${at}`),
  );
  const bystander = {
    ...planStream(random, `${seed}/${round}/b`, `mix-${seed}-${round}-bystander`, "bystander"),
    // Steadily, so that it would notice.
    burstMax: 3,
    pauseMsMax: 20,
  };
  return { seed, round, faults, streams, bystander, isReadBack: random.chance(READ_BACK_SHARE) };
}

function planStream(random: SeededRandom, seed: string, sessionId: string, streamId: string): StreamPlan {
  const isBursty = random.chance(0.3);
  return {
    streamId,
    sessionId,
    seed,
    entries: ENTRIES_MAX,
    burstMax: isBursty ? random.whole(20, 150) : random.whole(1, 10),
    pauseMsMax: isBursty ? random.whole(60, 200) : random.whole(10, 50),
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

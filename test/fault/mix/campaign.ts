/** Many rounds on one rig, and at the end one look at everything. */
import { isSkipped, type Skipped } from "../../support/databases/index.js";
import type { Violation } from "../harness/oracle.js";
import type { PlainStore } from "../harness/plain-store.js";
import type { StoreKind } from "../harness/system.js";
import type { FaultKind } from "./fault.js";
import { FAULTS } from "./faults/index.js";
import { type Rig, startRig } from "./rig/rig.js";
import { type RoundResult, runRound } from "./round.js";
import { planSchedule, planTour, type Schedule } from "./schedule.js";

export interface MixOptions {
  readonly store: StoreKind;
  readonly seed: string;
  readonly firstRound: number;
  readonly rounds: number;
  /** Numbers of the faults to inject. @default all */
  readonly only?: readonly number[];
  /** A few rounds that hold every kind of fault once, instead of random ones. @default false */
  readonly isTour?: boolean;
  /** After a violation too, on a new rig. @default false */
  readonly keepsGoing?: boolean;
  /** Begins no round after this time. @default unbounded */
  readonly minutesMax?: number;
  readonly onRound?: (result: RoundResult) => void;
  /** For trying fewer faults of a round. */
  readonly change?: (schedule: Schedule) => Schedule;
}

export interface MixResult {
  readonly engine: string;
  readonly rounds: readonly RoundResult[];
  /** Faults of this store that cannot be injected here, and why. */
  readonly missing: readonly { readonly kind: FaultKind; readonly reason: string }[];
  readonly seconds: number;
}

/** Stops after the first round with a violation, as what follows might only repeat it, unless it is to keep going. */
export async function runMix(options: MixOptions): Promise<MixResult | Skipped> {
  const { store, seed, firstRound, rounds, only, onRound, change = (schedule) => schedule } = options;
  const { keepsGoing = false, isTour = false, minutesMax = Number.POSITIVE_INFINITY } = options;
  const startedMs = performance.now();
  const isLate = () => performance.now() - startedMs > minutesMax * 60_000;
  const results: RoundResult[] = [];
  let rig: Rig | Skipped | undefined;
  let committedBefore = 0;
  let last: Pick<MixResult, "engine" | "missing"> = { engine: store, missing: [] };
  try {
    for (let round = firstRound; round < firstRound + rounds && !isLate(); round++) {
      rig ??= await startRig(store);
      if (isSkipped(rig)) return rig;
      const { kinds, missing } = kindsFor(rig, only);
      last = { engine: rig.engine, missing };
      const schedule = isTour ? planTour(seed, kinds)[round - 1] : planSchedule(seed, round, kinds);
      // The tour is over.
      if (schedule === undefined) break;
      let result = await runRound(change(schedule), rig);
      const isLast = round === firstRound + rounds - 1;
      if (isLast || result.schedule.faults.some(({ kind }) => kind.number === CLOCKS)) {
        const { committed, violations } = await judgeTotals(rig.store, committedBefore);
        committedBefore = committed;
        result = { ...result, violations: [...result.violations, ...violations] };
      }
      results.push(result);
      onRound?.(result);
      if (result.violations.length === 0) continue;
      if (!keepsGoing) break;
      // Whatever is broken now must not break the next round too.
      await rig.stop();
      rig = undefined;
      committedBefore = 0;
    }
    return { ...last, rounds: results, seconds: (performance.now() - startedMs) / 1_000 };
  } finally {
    if (rig !== undefined && !isSkipped(rig)) await rig.stop();
  }
}

/** Clocks may make old rows expire, those of earlier rounds too. */
const CLOCKS = 12;

/** Over the whole database: nothing of an earlier round has gone, and every number is accounted for. */
export async function judgeTotals(
  store: PlainStore,
  committedBefore: number,
): Promise<{ readonly committed: number; readonly violations: readonly Violation[] }> {
  const violations: Violation[] = [];
  const { rows, gapped, deadLetters, committed } = await store.totals();
  const report = (invariant: Violation["invariant"], detail: string) =>
    violations.push({ invariant, subject: "the whole database", detail });
  if (rows + gapped + deadLetters !== committed) {
    report("I1", `${rows} rows, ${gapped} in gaps and ${deadLetters} dead letters are not ${committed} numbers`);
  }
  if (committed < committedBefore) report("I1", `${committedBefore} numbers were committed, ${committed} are left`);
  return { committed, violations };
}

function kindsFor(rig: Rig, only: readonly number[] | undefined): Pick<MixResult, "missing"> & { kinds: FaultKind[] } {
  const kinds: FaultKind[] = [];
  const missing: { kind: FaultKind; reason: string }[] = [];
  for (const kind of FAULTS) {
    if (!kind.stores.includes(rig.kind) || (only !== undefined && !only.includes(kind.number))) continue;
    const reason = kind.missing?.(rig);
    if (reason === undefined) kinds.push(kind);
    else missing.push({ kind, reason });
  }
  return { kinds, missing };
}

export function violationsOf({ rounds }: MixResult): readonly Violation[] {
  return rounds.flatMap(({ violations }) => violations);
}

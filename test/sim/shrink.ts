/** Makes a failing plan small: as few faults as still fail, then as few records. */
import type { Fault, Plan } from "./plan.js";
import { type Outcome, simulate } from "./simulation.js";

export interface Shrunk {
  readonly plan: Plan;
  readonly outcome: Outcome;
  readonly runs: number;
}

/** Undefined where the plan does not fail. */
export async function shrink(
  plan: Plan,
  run: (plan: Plan) => Promise<Outcome> = simulate,
): Promise<Shrunk | undefined> {
  let runs = 0;
  const fails = async (candidate: Plan): Promise<Outcome | undefined> => {
    runs++;
    const outcome = await run(candidate);
    return outcome.violations.length > 0 ? outcome : undefined;
  };
  let outcome = await fails(plan);
  if (outcome === undefined) return undefined;
  let smallest = plan;
  const tryPlan = async (candidate: Plan): Promise<boolean> => {
    const found = await fails(candidate);
    if (found === undefined) return false;
    smallest = candidate;
    outcome = found;
    return true;
  };
  // Halves, quarters, single faults: what is not needed goes.
  for (let size = Math.ceil(smallest.faults.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < smallest.faults.length; ) {
      const faults: Fault[] = [...smallest.faults];
      faults.splice(at, size);
      if (!(await tryPlan({ ...smallest, faults }))) at += size;
    }
  }
  if (smallest.watchers > 0) await tryPlan({ ...smallest, watchers: 0 });
  if (smallest.trainers.length > 1) await tryPlan({ ...smallest, trainers: smallest.trainers.slice(0, 1) });
  if (smallest.servers > 1) await tryPlan({ ...smallest, servers: 1 });
  for (let share = 0.5; share > 0.05; share /= 2) {
    const trainers = smallest.trainers.map((each) => ({
      ...each,
      records: Math.max(1, Math.floor(each.records * (1 - share))),
    }));
    await tryPlan({ ...smallest, trainers });
  }
  return { plan: smallest, outcome: outcome as Outcome, runs };
}

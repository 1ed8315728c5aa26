/** Runs in a copy with a planted bug: seeds that may show it, until one does. Prints what it found as JSON. */
import { type Plan, planOf } from "../sim/plan.js";
import { simulate } from "../sim/simulation.js";
import type { Need } from "./mutant.js";

/** Seeds whose plans have what is needed are looked for no further than this. */
const SEEDS_LOOKED_AT_MAX = 200_000;

const [triesText = "1", needsText = "[]"] = process.argv.slice(2);
const needs = JSON.parse(needsText) as readonly Need[];

function has(plan: Plan, need: Need): boolean {
  switch (need) {
    case "large records":
      return plan.trainers.some(({ paddingBytes }) => paddingBytes > 0);
    case "watchers":
      return plan.watchers > 0;
    case "two servers":
      return plan.servers > 1;
    default:
      return plan.faults.some(({ kind }) => kind === need);
  }
}

let tried = 0;
let found: { seed: number; invariant: string; detail: string } | undefined;
for (let seed = 1; seed <= SEEDS_LOOKED_AT_MAX && tried < Number(triesText) && found === undefined; seed++) {
  const plan = planOf(seed);
  if (!needs.every((need) => has(plan, need))) continue;
  tried++;
  const [violation] = (await simulate(plan)).violations;
  if (violation !== undefined) found = { seed, invariant: violation.invariant, detail: violation.detail };
}
console.log(JSON.stringify({ tried, found }));
process.exit(0);

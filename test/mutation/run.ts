/**
 * `npm run mutants [-- --only TEXT] [--seeds N]`: plants each known bug in a copy of the compiled tree and prints who caught
 * it. Fails where one is not caught, or where its place in the code is gone.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { judgeAll, type Verdict } from "./gate.js";
import { MUTANTS } from "./mutants.js";

const { values } = parseArgs({ options: { only: { type: "string" }, seeds: { type: "string", default: "500" } } });
const seedsMax = Number(values.seeds);
if (!Number.isSafeInteger(seedsMax) || seedsMax < 1) {
  console.error(`mutants: --seeds must be a whole number of at least 1, but is ${values.seeds}`);
  process.exit(2);
}
const only = values.only;
const chosen = MUTANTS.filter(({ name, area }) => only === undefined || name.includes(only) || area === only);
if (chosen.length === 0) {
  console.error(`mutants: no planted bug and no area is called ${values.only}`);
  process.exit(2);
}

function say({ mutant, isCaught, how, seconds }: Verdict): void {
  console.log(
    `${isCaught ? "caught" : "NOT CAUGHT"}  ${mutant.area}: ${mutant.name}  (${how}, ${seconds.toFixed(0)} s)`,
  );
}

const verdicts = await judgeAll(chosen, { seedsMax, atOnce: availableParallelism(), onVerdict: say });
console.log("\n| area | planted bug | caught by | seeds |\n| --- | --- | --- | ---: |");
for (const { mutant, isCaught, how, seeds } of verdicts) {
  console.log(`| ${mutant.area} | ${mutant.name} | ${isCaught ? how : `**nobody**: ${how}`} | ${seeds ?? ""} |`);
}
const missed = verdicts.filter(({ isCaught }) => !isCaught).length;
console.log(`\n${verdicts.length - missed} of ${verdicts.length} planted bugs were caught.`);
process.exitCode = missed > 0 ? 1 : 0;

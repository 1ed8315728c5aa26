/**
 * `npm run mutants`: plants each known bug in a copy of the compiled tree and prints who caught it. Fails where one is not
 * caught, or where its place in the code is gone.
 */
import { availableParallelism } from "node:os";
import { CommandLine } from "../support/command-line.js";
import { judgeAll, type Verdict } from "./gate.js";
import { MUTANTS } from "./mutants.js";

const options = new CommandLine(
  "mutants",
  "Plants known bugs in a copy of the compiled tree, and prints who caught each.",
  {
    only: { type: "string", value: "TEXT", says: "bugs of this area, or with this in their name" },
    seeds: { type: "string", default: "500", value: "N", says: "most seeds of the simulator for each" },
  },
);
const seedsMax = options.whole("seeds");
const { only } = options.values;
const chosen = MUTANTS.filter(({ name, area }) => only === undefined || name.includes(only) || area === only);
if (chosen.length === 0) options.refuse(`no planted bug and no area is called ${only}`);

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

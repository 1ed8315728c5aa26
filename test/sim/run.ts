/**
 * `npm run sim`: the protocol, the commit logic, the caches and the spill under simulated faults. `--seed` alone runs that
 * seed; with `--seeds` it is the first of so many.
 */
import { CommandLine } from "../support/command-line.js";
import { campaign, type Totals } from "./campaign.js";
import { describeFault, type Plan, planOf } from "./plan.js";
import { shrink } from "./shrink.js";
import { type Outcome, simulate } from "./simulation.js";

const FAILURES_MAX = 10;
/** What follows the first few mostly follows from them. */
const VIOLATIONS_SHOWN_MAX = 5;
const PROGRESS_EVERY_MS = 5_000;

const options = new CommandLine("sim", "Runs what ships against simulated faults; each seed is one run.", {
  seeds: { type: "string", value: "N", says: "how many, from --seed on (default: 1000, or 1 with --seed alone)" },
  seed: { type: "string", value: "N", says: "the only one, or the first of --seeds (default: 1)" },
  threads: { type: "string", value: "N", says: "seeds at a time (default: one a core)" },
  shrink: { type: "boolean", says: "look for the fewest faults with which a seed that fails still fails" },
  trace: { type: "boolean", says: "print every event of the one seed" },
});
const { values } = options;

function describe(plan: Plan, outcome: Outcome): string {
  const faults = plan.faults.map((fault) => `    ${describeFault(fault)}`);
  const violations = outcome.violations
    .slice(0, VIOLATIONS_SHOWN_MAX)
    .map(({ invariant, detail, atMs }) => `    ${invariant} at ${atMs.toFixed(1)} ms: ${detail}`);
  return [
    `seed ${plan.seed} (trace ${outcome.traceHash}, ${outcome.events} events, ${outcome.records} records)`,
    "  faults:",
    ...(faults.length > 0 ? faults : ["    none"]),
    "  violations:",
    ...(violations.length > 0 ? violations : ["    none"]),
  ].join("\n");
}

async function explain(seed: number): Promise<void> {
  const plan = planOf(seed);
  if (!values.shrink) {
    console.log(`replay with: npm run sim -- --seed ${seed} --trace, or --shrink\n`);
    return;
  }
  const shrunk = await shrink(plan);
  if (shrunk === undefined) console.log("  it does not fail any more\n");
  else console.log(`  shrunk in ${shrunk.runs} runs to ${describe(shrunk.plan, shrunk.outcome)}\n`);
}

async function runOne(seed: number): Promise<number> {
  const plan = planOf(seed);
  const outcome = await simulate(plan, { trace: values.trace });
  if (values.trace) console.log(outcome.trace.join("\n"));
  console.log(describe(plan, outcome));
  if (outcome.violations.length === 0) return 0;
  await explain(seed);
  return 1;
}

async function runMany(firstSeed: number, seeds: number): Promise<number> {
  let saidMs = performance.now();
  const totals = await campaign({
    firstSeed,
    seeds,
    threads: options.whole("threads"),
    failuresMax: FAILURES_MAX,
    onOutcome: (outcome, soFar) => {
      if (outcome.violations.length > 0) console.log(describe(planOf(outcome.seed), outcome));
      if (performance.now() - saidMs < PROGRESS_EVERY_MS) return;
      saidMs = performance.now();
      console.log(progress(soFar, seeds));
    },
  });
  for (const { seed } of totals.failed) await explain(seed);
  console.log(table(totals));
  return totals.failed.length > 0 ? 1 : 0;
}

function progress(totals: Totals, seeds: number): string {
  const seconds = (performance.now() - totals.startedMs) / 1_000;
  const perSecond = (totals.seeds / seconds).toFixed(0);
  const ratio = Math.round(totals.virtualMs / 1_000 / seconds).toLocaleString("en");
  return `${totals.seeds} of ${seeds} seeds, ${perSecond} a second, ${ratio} times real time, ${totals.failed.length} failed`;
}

function table(totals: Totals): string {
  const seconds = (performance.now() - totals.startedMs) / 1_000;
  const number = (value: number): string => Math.round(value).toLocaleString("en");
  const rows: [string, string][] = [
    ["seeds", number(totals.seeds)],
    ["failed", number(totals.failed.length)],
    ["seconds", number(seconds)],
    ["seeds a second", number(totals.seeds / seconds)],
    ["virtual hours", number(totals.virtualMs / 3_600_000)],
    ["times real time", number(totals.virtualMs / 1_000 / seconds)],
    ["events", number(totals.events)],
    ["records", number(totals.records)],
    ["messages to servers", number(totals.messages)],
    ["answers from caches", number(totals.cacheHits)],
    ...[...totals.injected].map(([kind, count]): [string, string] => [`fault: ${kind}`, number(count)]),
  ];
  return ["| what | count |", "| --- | ---: |", ...rows.map(([name, value]) => `| ${name} | ${value} |`)].join("\n");
}

const seed = options.whole("seed", 0);
const seeds = options.whole("seeds");
process.exitCode =
  seed !== undefined && seeds === undefined ? await runOne(seed) : await runMany(seed ?? 1, seeds ?? 1_000);

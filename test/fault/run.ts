/**
 * `npm run faults`: the long form of the fault tests. Mixes every fault that can be injected here; with `--kill` nothing but
 * that happens.
 */
import { randomBytes } from "node:crypto";
import { CommandLine } from "../support/command-line.js";
import { isSkipped } from "../support/databases/index.js";
import { type CampaignOptions, runCampaign } from "./harness/campaign.js";
import { failureText, roundLine, TABLE_HEAD, tableRow } from "./harness/summary.js";
import { STORE_KINDS } from "./harness/system.js";
import { type MixOptions, runMix, violationsOf } from "./mix/campaign.js";
import type { RoundResult } from "./mix/round.js";
import { shrink } from "./mix/shrink.js";
import { mixFailureText, mixRoundLine, mixTable } from "./mix/summary.js";
import { runTrainerCampaign, TRAINER_TABLE_HEAD, trainerRoundLine, trainerTableRow } from "./trainer/campaign.js";
import type { TrainerRound } from "./trainer/round.js";

const KILLED = ["server", "database", "trainer"] as const;

interface Options extends MixOptions {
  readonly kill: (typeof KILLED)[number] | undefined;
  readonly shrinks: boolean;
}

const line = new CommandLine(
  "faults",
  "Breaks real servers, databases, disks, networks and trainers, and accounts for every record.",
  {
    store: { type: "string", default: "sqlite", value: STORE_KINDS.join("|"), says: "of the server" },
    rounds: { type: "string", default: "10", value: "N", says: "how many" },
    seed: { type: "string", value: "TEXT", says: "the same seed, the same rounds (default: another one each time)" },
    "first-round": { type: "string", default: "1", value: "N", says: "begin there, to repeat one" },
    only: { type: "string", value: "4,7,13", says: "faults of these numbers" },
    tour: { type: "boolean", says: "each fault once, in few rounds" },
    kill: { type: "string", value: KILLED.join("|"), says: "nothing but that" },
    "keep-going": { type: "boolean", says: "after a violation too" },
    shrink: { type: "boolean", says: "look for the fewest faults with which a round that fails still fails" },
    minutes: { type: "string", value: "N", says: "begin no round after that time" },
  },
);

function readOptions(): Options {
  const { shrink: shrinks, "keep-going": keepsGoing, tour: isTour } = line.values;
  const seed = line.values.seed ?? randomBytes(3).toString("hex");
  const store = line.oneOf("store", STORE_KINDS);
  const kill = line.oneOf("kill", KILLED);
  if (store === "sqlite" && kill === "database") line.refuse("SQLite has no server to kill: use --kill server");
  if (kill !== undefined && (shrinks || line.values.only !== undefined)) {
    line.refuse("--only and --shrink are for mixed faults: leave --kill out");
  }
  if (!/^[\w-]{1,40}$/.test(seed)) line.refuse("--seed must have 1 to 40 letters, digits, _ and -");
  const only = line.values.only?.split(",").map((text) => {
    if (!/^[1-9]\d?$/.test(text)) line.refuse(`--only must be numbers of faults with commas, but has ${text}`);
    return Number(text);
  });
  const minutesMax = line.whole("minutes");
  return {
    store,
    kill,
    seed,
    rounds: line.whole("rounds"),
    firstRound: line.whole("first-round"),
    shrinks,
    keepsGoing,
    isTour,
    ...(only === undefined ? {} : { only }),
    ...(minutesMax === undefined ? {} : { minutesMax }),
  };
}

const options = readOptions();
const { kill, store, seed, firstRound, rounds } = options;
console.log(`seed ${seed}: ${rounds} rounds, ${kill === undefined ? "mixed faults" : `${kill} killed`}, on ${store}`);
if (options.shrinks) await shrink(options, (line) => console.log(line));
else if (kill === undefined) process.exitCode = await mixed(options);
else if (kill === "trainer") process.exitCode = await trainers();
else process.exitCode = await killed({ store, kill, seed, firstRound, rounds });
// A handle that a killed process left behind must not keep a finished run alive.
process.exit();

async function mixed(campaign: MixOptions): Promise<number> {
  const onRound = (round: RoundResult) => {
    console.log(mixRoundLine(round));
    if (round.violations.length > 0) console.error(mixFailureText(campaign, round));
  };
  const result = await runMix({ ...campaign, onRound });
  if (isSkipped(result)) return skipped(result.skipped);
  console.log(`\n${mixTable(result)}`);
  return violationsOf(result).length === 0 ? 0 : 1;
}

async function killed(campaign: CampaignOptions): Promise<number> {
  const result = await runCampaign({ ...campaign, onRound: (round) => console.log(roundLine(round)) });
  if (isSkipped(result)) return skipped(result.skipped);
  console.log(`\n${TABLE_HEAD}\n${tableRow(campaign, result)}`);
  if (result.violations.length === 0) return 0;
  console.error(`\n${failureText(campaign, result)}`);
  return 1;
}

async function trainers(): Promise<number> {
  const onRound = (round: TrainerRound) => console.log(trainerRoundLine(round));
  const result = await runTrainerCampaign({ store, seed, firstRound, rounds, onRound });
  if (isSkipped(result)) return skipped(result.skipped);
  console.log(`\n${TRAINER_TABLE_HEAD}\n${trainerTableRow(result)}`);
  return result.rounds.some(({ violations }) => violations.length > 0) ? 1 : 0;
}

function skipped(reason: string): number {
  console.error(`faults: ${reason}`);
  return 1;
}

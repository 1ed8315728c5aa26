/**
 * The long form of the fault tests:
 * `npm run faults -- --rounds 1000 --seed S [--store sqlite|mysql] [--only 4,7,13] [--first-round N] [--shrink]` mixes every
 * fault that can be injected here (`--tour`: each once, in few rounds); with `--kill server|database|trainer` nothing but that happens.
 */
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { isSkipped } from "../support/databases/index.js";
import { type CampaignOptions, runCampaign } from "./harness/campaign.js";
import { failureText, roundLine, TABLE_HEAD, tableRow } from "./harness/summary.js";
import { type MixOptions, runMix, violationsOf } from "./mix/campaign.js";
import type { RoundResult } from "./mix/round.js";
import { shrink } from "./mix/shrink.js";
import { mixFailureText, mixRoundLine, mixTable } from "./mix/summary.js";
import { runTrainerCampaign, TRAINER_TABLE_HEAD, trainerRoundLine, trainerTableRow } from "./trainer/campaign.js";
import type { TrainerRound } from "./trainer/round.js";

const USAGE =
  "usage: npm run faults -- [--store sqlite|mysql] [--rounds N] [--seed TEXT] [--first-round N] " +
  "[--only 4,7,13] [--shrink] [--tour] [--keep-going] [--minutes N] [--kill server|database|trainer]";

const KILLED = ["server", "database", "trainer"] as const;

interface Options extends MixOptions {
  readonly kill: (typeof KILLED)[number] | undefined;
  readonly shrinks: boolean;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      store: { type: "string", default: "sqlite" },
      kill: { type: "string" },
      rounds: { type: "string", default: "10" },
      seed: { type: "string", default: randomBytes(3).toString("hex") },
      "first-round": { type: "string", default: "1" },
      only: { type: "string" },
      shrink: { type: "boolean", default: false },
      "keep-going": { type: "boolean", default: false },
      tour: { type: "boolean", default: false },
      minutes: { type: "string" },
    },
  });
  const { store, seed, shrink: shrinks } = values;
  const kill = KILLED.find((each) => each === values.kill);
  if (store !== "sqlite" && store !== "mysql") throw new Error(`--store ${store} is neither sqlite nor mysql`);
  if (values.kill !== undefined && kill === undefined) {
    throw new Error(`--kill ${values.kill} is none of ${KILLED.join(", ")}`);
  }
  if (store === "sqlite" && kill === "database") throw new Error("SQLite has no server to kill: use --kill server");
  if (kill !== undefined && (shrinks || values.only !== undefined)) {
    throw new Error("--only and --shrink are for mixed faults: leave --kill out");
  }
  if (!/^[\w-]{1,40}$/.test(seed)) throw new Error("--seed must have 1 to 40 letters, digits, _ and -");
  const rounds = wholeAbove0(values.rounds, "--rounds");
  const firstRound = wholeAbove0(values["first-round"], "--first-round");
  const only = values.only?.split(",").map((text) => wholeAbove0(text, "--only"));
  const minutesMax = values.minutes === undefined ? undefined : wholeAbove0(values.minutes, "--minutes");
  return {
    store,
    kill,
    seed,
    rounds,
    firstRound,
    shrinks,
    keepsGoing: values["keep-going"],
    isTour: values.tour,
    ...(only === undefined ? {} : { only }),
    ...(minutesMax === undefined ? {} : { minutesMax }),
  };
}

function wholeAbove0(text: string, name: string): number {
  const value = Number(text);
  if (!(Number.isInteger(value) && value >= 1)) throw new Error(`${name} ${text}: must be a whole number above 0`);
  return value;
}

let options: Options;
try {
  options = readOptions();
} catch (error) {
  console.error(`faults: ${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  process.exit(2);
}
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

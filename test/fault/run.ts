/**
 * The long form of the kill tests:
 * `npm run faults -- --store sqlite|mysql --kill server|database|trainer --rounds 100 --seed S [--first-round N]`
 */
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { isSkipped } from "../support/databases/index.js";
import { type CampaignOptions, runCampaign } from "./harness/campaign.js";
import { failureText, roundLine, TABLE_HEAD, tableRow } from "./harness/summary.js";
import { runTrainerCampaign, TRAINER_TABLE_HEAD, trainerRoundLine, trainerTableRow } from "./trainer/campaign.js";
import type { TrainerRound } from "./trainer/round.js";

const USAGE =
  "usage: npm run faults -- [--store sqlite|mysql] [--kill server|database|trainer] [--rounds N] [--seed TEXT] [--first-round N]";

interface Options extends Omit<CampaignOptions, "kill"> {
  readonly kill: CampaignOptions["kill"] | "trainer";
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      store: { type: "string", default: "sqlite" },
      kill: { type: "string", default: "server" },
      rounds: { type: "string", default: "10" },
      seed: { type: "string", default: randomBytes(3).toString("hex") },
      "first-round": { type: "string", default: "1" },
    },
  });
  const { store, kill, seed } = values;
  const rounds = Number(values.rounds);
  const firstRound = Number(values["first-round"]);
  if (store !== "sqlite" && store !== "mysql") throw new Error(`--store ${store} is neither sqlite nor mysql`);
  if (kill !== "server" && kill !== "database" && kill !== "trainer") {
    throw new Error(`--kill ${kill} is none of server, database and trainer`);
  }
  if (store === "sqlite" && kill === "database") throw new Error("SQLite has no server to kill: use --kill server");
  if (!/^[\w-]{1,40}$/.test(seed)) throw new Error("--seed must have 1 to 40 letters, digits, _ and -");
  if (!(Number.isInteger(rounds) && rounds >= 1)) throw new Error(`--rounds ${values.rounds} is no number above 0`);
  if (!(Number.isInteger(firstRound) && firstRound >= 1)) throw new Error("--first-round must be a number above 0");
  return { store, kill, seed, rounds, firstRound, onRound: (result) => console.log(roundLine(result)) };
}

let options: Options;
try {
  options = readOptions();
} catch (error) {
  console.error(`faults: ${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  process.exit(2);
}
console.log(`seed ${options.seed}: ${options.rounds} rounds, ${options.kill} killed, on ${options.store}`);
const { kill } = options;
process.exitCode = kill === "trainer" ? await trainers(options) : await servers({ ...options, kill });

async function servers(campaign: CampaignOptions): Promise<number> {
  const result = await runCampaign(campaign);
  if (isSkipped(result)) return skipped(result.skipped);
  console.log(`\n${TABLE_HEAD}\n${tableRow(campaign, result)}`);
  if (result.violations.length === 0) return 0;
  console.error(`\n${failureText(campaign, result)}`);
  return 1;
}

async function trainers({ store, seed, firstRound, rounds }: Options): Promise<number> {
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

// Servers and databases killed under load, a few rounds each. The long form is `npm run faults`.
import { randomBytes } from "node:crypto";
import { describe, expect, type TestContext, test } from "vitest";
import { isSkipped } from "../support/databases/index.js";
import { type CampaignOptions, runCampaign } from "./harness/campaign.js";
import { failureText } from "./harness/summary.js";

const ROUNDS = 4;

/** Rounds that once found something. */
const SEEDS: readonly Pick<CampaignOptions, "store" | "kill" | "seed" | "firstRound">[] = [
  // Doubles of 16 digits were read back from MySQL with another last digit.
  { store: "mysql", kill: "server", seed: "a", firstRound: 1 },
  // A stream met the restarted server before its store was ready, and then waited for eight seconds.
  { store: "sqlite", kill: "server", seed: "b", firstRound: 6 },
];

async function expectNoViolation(options: CampaignOptions, context: TestContext): Promise<void> {
  const result = await runCampaign(options);
  if (isSkipped(result)) return context.skip(result.skipped);
  expect(result.violations.length, failureText(options, result)).toBe(0);
  expect(result.rounds).toHaveLength(options.rounds);
  for (const round of result.rounds) expect(round.acked).toBe(round.records);
}

describe("nothing is lost, doubled or changed", () => {
  // Another one each time, so that many runs see many schedules; a failure prints it.
  const seed = process.env["TAILKEEP_FAULT_SEED"] ?? randomBytes(3).toString("hex");

  test.for([
    { store: "sqlite", kill: "server" },
    { store: "mysql", kill: "server" },
    { store: "mysql", kill: "database" },
  ] as const)(`when the $kill is killed, on $store (seed ${seed})`, async (what, context) => {
    await expectNoViolation({ ...what, seed, firstRound: 1, rounds: ROUNDS }, context);
  });

  test.for(SEEDS)("on $store, $kill killed, seed $seed, round $firstRound", async (what, context) => {
    await expectNoViolation({ ...what, rounds: 1 }, context);
  });
});

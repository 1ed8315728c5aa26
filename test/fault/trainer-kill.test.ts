// Trainers killed with SIGKILL while they record and spill, a few rounds. The long form is `npm run faults -- --kill trainer`.
import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { isSkipped } from "../support/databases/index.js";
import { runTrainerCampaign, trainerRoundLine } from "./trainer/campaign.js";

const ROUNDS = 5;

// Another one each time, so that many runs see many schedules; a failure prints it.
const seed = process.env["TAILKEEP_FAULT_SEED"] ?? randomBytes(3).toString("hex");

test.for(["sqlite", "mysql"] as const)(
  `nothing that was synced is lost, nothing doubled, on %s (seed ${seed})`,
  async (store, context) => {
    const rounds = store === "sqlite" ? ROUNDS : 2;
    const result = await runTrainerCampaign({ store, seed, firstRound: 1, rounds });
    if (isSkipped(result)) return context.skip(result.skipped);
    for (const round of result.rounds) expect(round.violations, trainerRoundLine(round)).toEqual([]);
    expect(result.rounds).toHaveLength(rounds);
    // A round in which nothing was at stake proves nothing.
    if (store === "sqlite") expect(result.rounds.some(({ safe, replayed }) => safe > 0 && replayed > 0)).toBe(true);
  },
);

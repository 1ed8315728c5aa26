/** Many rounds of killed trainers on one server. */
import { isSkipped, type Skipped } from "../../support/databases/index.js";
import { type StoreKind, startSystem } from "../harness/system.js";
import { runTrainerRound, type TrainerRound } from "./round.js";

export interface TrainerCampaignOptions {
  readonly store: StoreKind;
  readonly seed: string;
  readonly firstRound: number;
  readonly rounds: number;
  readonly onRound?: (result: TrainerRound) => void;
}

export interface TrainerCampaignResult {
  readonly engine: string;
  readonly rounds: readonly TrainerRound[];
  readonly seconds: number;
}

/** Stops after the first round with a violation. */
export async function runTrainerCampaign(options: TrainerCampaignOptions): Promise<TrainerCampaignResult | Skipped> {
  const { store, seed, firstRound, rounds, onRound } = options;
  const system = await startSystem(store);
  if (isSkipped(system)) return system;
  const startedMs = performance.now();
  const results: TrainerRound[] = [];
  try {
    for (let round = firstRound; round < firstRound + rounds; round++) {
      const result = await runTrainerRound(seed, round, system);
      results.push(result);
      onRound?.(result);
      if (result.violations.length > 0) break;
    }
    return { engine: system.engine, rounds: results, seconds: (performance.now() - startedMs) / 1_000 };
  } finally {
    await system.stop();
  }
}

export function trainerRoundLine(result: TrainerRound): string {
  const { round, kills, appended, safe, stored, replayed, serverChanges, violations } = result;
  const verdict = violations.length === 0 ? "ok" : `VIOLATIONS\n${violations.join("\n")}`;
  return (
    `round ${round}: ${kills} trainers killed, the server changed ${serverChanges} times, ${appended} appended, ` +
    `${safe} safe, ${stored} stored (${replayed} by replay): ${verdict}`
  );
}

export const TRAINER_TABLE_HEAD = [
  "| store | rounds | trainers killed | server changes | appended | safe at the kill | stored | by replay | violations | time |",
  "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
].join("\n");

export function trainerTableRow({ engine, rounds, seconds }: TrainerCampaignResult): string {
  const sum = (of: (round: TrainerRound) => number) => rounds.reduce((total, round) => total + of(round), 0);
  const cells = [
    engine,
    rounds.length,
    sum((round) => round.kills),
    sum((round) => round.serverChanges),
    sum((round) => round.appended).toLocaleString("en"),
    sum((round) => round.safe).toLocaleString("en"),
    sum((round) => round.stored).toLocaleString("en"),
    sum((round) => round.replayed).toLocaleString("en"),
    sum((round) => round.violations.length),
    `${seconds.toFixed(0)} s`,
  ];
  return `| ${cells.join(" | ")} |`;
}

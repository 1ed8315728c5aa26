/** Many rounds on one server and database, which live on between the kills, and at the end one look at everything. */
import { connect } from "@tailkeep/client";
import { isSkipped, type Skipped } from "../../support/databases/index.js";
import type { StreamJournal } from "./journal.js";
import { judge, Report, type Violation } from "./oracle.js";
import { type KillTarget, planRound } from "./plan.js";
import { type RoundResult, runRound } from "./round.js";
import { type StoreKind, type SystemUnderTest, startSystem } from "./system.js";

export interface CampaignOptions {
  readonly store: StoreKind;
  readonly kill: KillTarget;
  readonly seed: string;
  readonly firstRound: number;
  readonly rounds: number;
  readonly onRound?: (result: RoundResult) => void;
}

export interface CampaignResult {
  readonly engine: string;
  readonly rounds: readonly RoundResult[];
  /** Of the rounds, and of the look at everything. */
  readonly violations: readonly Violation[];
  readonly seconds: number;
}

/** Stops after the first round with a violation: what follows would only repeat it. */
export async function runCampaign(options: CampaignOptions): Promise<CampaignResult | Skipped> {
  const { store, kill, seed, firstRound, rounds, onRound } = options;
  const system = await startSystem(store);
  if (isSkipped(system)) return system;
  const startedMs = performance.now();
  const client = connect({ server: system.server.grpcAddress });
  const results: RoundResult[] = [];
  try {
    for (let round = firstRound; round < firstRound + rounds; round++) {
      const result = await runRound(planRound(seed, round), kill, system, client);
      results.push(result);
      onRound?.(result);
      if (result.violations.length > 0) break;
    }
    const violations = [
      ...results.flatMap((result) => result.violations),
      ...(await judgeAll(
        results.flatMap((result) => result.journals),
        system,
      )),
    ];
    const seconds = (performance.now() - startedMs) / 1_000;
    return { engine: system.engine, rounds: results, violations, seconds };
  } finally {
    await client.close({ timeoutMs: 1_000 }).catch(() => {});
    await system.stop();
  }
}

/** A later kill must not take back what an earlier round had. */
async function judgeAll(journals: readonly StreamJournal[], { store }: SystemUnderTest): Promise<Violation[]> {
  const violations = await judge(journals, store);
  const totals = await store.totals();
  const report = new Report("the whole database", violations);
  const sent = journals.reduce((sum, journal) => sum + journal.sentSeq, 0);
  const found = totals.rows + totals.deadLetters + totals.gapped;
  if (found !== sent) report.add("I5", `${sent} numbers were sent, ${found} are there`);
  if (totals.committed !== sent) report.add("LEDGER", `the watermarks are ${totals.committed} together, not ${sent}`);
  if (totals.regressions > 0) report.add("REGRESSED", `${totals.regressions} gaps tell of a store that forgot`);
  return violations;
}

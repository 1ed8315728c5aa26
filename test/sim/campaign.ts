/** Many seeds, on as many threads as there are processors. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { FAULT_KINDS, type FaultKind } from "./plan.js";
import type { Outcome } from "./simulation.js";

export interface Totals {
  seeds: number;
  readonly failed: Outcome[];
  events: number;
  records: number;
  messages: number;
  cacheHits: number;
  virtualMs: number;
  readonly injected: Map<FaultKind, number>;
  readonly startedMs: number;
}

export interface CampaignOptions {
  readonly firstSeed: number;
  readonly seeds: number;
  readonly threads?: number | undefined;
  /** Ends after so many failing seeds. */
  readonly failuresMax: number;
  readonly onOutcome?: (outcome: Outcome, totals: Totals) => void;
}

export function emptyTotals(): Totals {
  return {
    seeds: 0,
    failed: [],
    events: 0,
    records: 0,
    messages: 0,
    cacheHits: 0,
    virtualMs: 0,
    injected: new Map(FAULT_KINDS.map((kind) => [kind, 0])),
    startedMs: performance.now(),
  };
}

export function addTo(totals: Totals, outcome: Outcome): void {
  totals.seeds++;
  totals.events += outcome.events;
  totals.records += outcome.records;
  totals.messages += outcome.messages;
  totals.cacheHits += outcome.cacheHits;
  totals.virtualMs += outcome.virtualMs;
  for (const [kind, count] of outcome.injected) totals.injected.set(kind, (totals.injected.get(kind) ?? 0) + count);
  if (outcome.violations.length > 0) totals.failed.push(outcome);
}

/** What a thread has at hand, so that it never waits for the next seed. */
const SEEDS_AHEAD = 4;

export async function campaign(options: CampaignOptions): Promise<Totals> {
  const totals = emptyTotals();
  const { firstSeed, seeds, failuresMax, onOutcome } = options;
  let next = firstSeed;
  const isOver = (): boolean => next >= firstSeed + seeds || totals.failed.length >= failuresMax;
  const threads = Math.min(seeds, options.threads ?? availableParallelism());
  await Promise.all(
    Array.from({ length: threads }, async () => {
      const worker = new Worker(new URL("worker.ts", import.meta.url));
      await new Promise<void>((resolve, reject) => {
        let underWay = 0;
        const send = (): void => {
          while (underWay < SEEDS_AHEAD && !isOver()) {
            underWay++;
            worker.postMessage(next++);
          }
          if (underWay === 0) resolve();
        };
        worker.on("message", (outcome: Outcome) => {
          underWay--;
          addTo(totals, outcome);
          onOutcome?.(outcome, totals);
          send();
        });
        worker.on("error", reject);
        send();
      });
      await worker.terminate();
    }),
  );
  return totals;
}

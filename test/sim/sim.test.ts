// The short form of `npm run sim`: some seeds, always the same.
import { expect, test } from "vitest";
import { FAULT_KINDS, type Fault, type Plan, planOf } from "./plan.js";
import { SEEDS_OF_BUGS } from "./seeds.js";
import { shrink } from "./shrink.js";
import { type Outcome, simulate } from "./simulation.js";

const FIRST_SEED = 10_001;
const SEEDS = 120;

async function violationsOf(seeds: readonly number[]): Promise<string[]> {
  const found: string[] = [];
  for (const seed of seeds) {
    const { violations } = await simulate(planOf(seed));
    for (const { invariant, detail } of violations) found.push(`seed ${seed}: ${invariant} ${detail}`);
  }
  return found;
}

test("no seed of a few breaks a promise", async () => {
  expect(await violationsOf(Array.from({ length: SEEDS }, (_, at) => FIRST_SEED + at))).toEqual([]);
});

test("no seed that has found a bug finds it again", async () => {
  expect(await violationsOf(SEEDS_OF_BUGS)).toEqual([]);
});

test("a seed gives the same run again, to the last event", async () => {
  const hashes = new Set<string>();
  for (const seed of [3, 7, 21, 44, 101]) {
    const first = await simulate(planOf(seed), { trace: true });
    const second = await simulate(planOf(seed), { trace: true });
    expect(second.trace).toEqual(first.trace);
    expect(second.traceHash).toBe(first.traceHash);
    hashes.add(first.traceHash);
  }
  expect(hashes.size).toBe(5);
});

test("every kind of fault is planned, and most come to pass", async () => {
  const planned = new Set<string>();
  for (let seed = 1; seed <= 300; seed++) for (const { kind } of planOf(seed).faults) planned.add(kind);
  expect([...planned].sort()).toEqual([...FAULT_KINDS].sort());
});

test("a failing plan shrinks to the faults that it needs", async () => {
  const plan: Plan = {
    ...planOf(1),
    faults: FAULT_KINDS.map((kind): Fault => ({ kind, when: { atMs: 1 }, forMs: 1, which: 0, times: 1 })),
  };
  const needed = ["deadlock", "disk full"];
  const run = ({ faults }: Plan): Promise<Outcome> => {
    const fails = needed.every((kind) => faults.some((fault) => fault.kind === kind));
    const violations = fails ? [{ invariant: "I1", detail: "", atMs: 0 }] : [];
    return Promise.resolve({ violations } as unknown as Outcome);
  };
  const shrunk = await shrink(plan, run);
  expect(shrunk?.plan.faults.map(({ kind }) => kind)).toEqual(needed);
});

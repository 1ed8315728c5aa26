// Every fault that this machine permits, in a few rounds on each store. The long form is `npm run faults`.
import { expect, test } from "vitest";
import { isSkipped } from "../support/databases/index.js";
import { type MixOptions, runMix, violationsOf } from "./mix/campaign.js";
import { FAULTS } from "./mix/faults/index.js";
import { mixFailureText } from "./mix/summary.js";

/** More than there can be of them. */
const ROUNDS_MAX = 50;

test.for(["sqlite", "mysql"] as const)("all faults together violate nothing, on %s", async (store, context) => {
  const options: MixOptions = { store, seed: "short", firstRound: 1, rounds: ROUNDS_MAX, isTour: true };
  const result = await runMix(options);
  if (isSkipped(result)) return context.skip(result.skipped);
  for (const { kind, reason } of result.missing) console.log(`not injected: ${kind.number} ${kind.name}: ${reason}`);
  for (const round of result.rounds) expect(round.violations, mixFailureText(options, round)).toEqual([]);
  expect(violationsOf(result)).toEqual([]);
  const injected = new Set(result.rounds.flatMap(({ schedule }) => schedule.faults.map(({ kind }) => kind)));
  const missing = new Set(result.missing.map(({ kind }) => kind));
  const expected = FAULTS.filter((kind) => kind.stores.includes(store) && !missing.has(kind));
  expect([...injected].map(({ name }) => name).sort()).toEqual(expected.map(({ name }) => name).sort());
});

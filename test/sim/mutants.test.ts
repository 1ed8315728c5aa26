// The short form of `npm run mutants`: bugs of every kind that show soon, and the places of all of them.
import { expect, test } from "vitest";
import { checkAnchors, judgeAll } from "../mutation/gate.js";
import { MUTANTS } from "../mutation/mutants.js";

const SHORT_FORM: readonly string[] = [
  "acked before the commit",
  "the watermark goes one too far",
  "a segment is deleted once it was read",
  "caches and watchers are told before the commit",
  "a dropped batch gets no gap",
];

test("every planted bug still has its place in the code", async () => {
  expect(MUTANTS.length).toBeGreaterThanOrEqual(25);
  expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
  await checkAnchors(MUTANTS);
});

test("a place that is gone is an error", async () => {
  const [mutant] = MUTANTS;
  if (mutant === undefined) throw new Error("there are no planted bugs");
  const lost = { ...mutant, edits: [{ find: "this stands nowhere", replace: "" }] };
  await expect(checkAnchors([lost])).rejects.toThrow("0 places");
});

test("the simulator catches planted bugs, and lets the sound code pass", async () => {
  const chosen = MUTANTS.filter(({ name }) => SHORT_FORM.includes(name));
  expect(chosen).toHaveLength(SHORT_FORM.length);
  const verdicts = await judgeAll(chosen, { seedsMax: 60, atOnce: 1 });
  expect(verdicts.filter(({ isCaught }) => !isCaught).map(({ mutant, how }) => `${mutant.name}: ${how}`)).toEqual([]);
  const [first] = chosen;
  if (first === undefined) return;
  const sound = { ...first, edits: [] };
  const [verdict] = await judgeAll([sound], { seedsMax: 20, atOnce: 1 });
  expect(verdict?.how).toBe("nothing in 20 seeds");
});

// What a seed fixes, and how a schedule that fails becomes a smaller one.
import { expect, test } from "vitest";
import { FAULTS } from "./mix/faults/index.js";
import { planSchedule, planTour, scheduleText } from "./mix/schedule.js";
import { fewestThatFail } from "./mix/shrink.js";

const ROUNDS = 200;
const KINDS = FAULTS.filter(({ stores }) => stores.includes("mysql"));

const schedules = (seed: string) => Array.from({ length: ROUNDS }, (_, at) => planSchedule(seed, at + 1, KINDS));

test("the same seed gives the same schedules, another one others", () => {
  const texts = (seed: string) => schedules(seed).map((schedule) => [scheduleText(schedule), schedule.streams]);
  expect(texts("one")).toEqual(texts("one"));
  expect(texts("one")).not.toEqual(texts("two"));
});

test("every kind of fault has its turn, and what must be alone is alone", () => {
  const all = schedules("turns");
  const seen = new Set(all.slice(0, KINDS.length).flatMap(({ faults }) => faults.map(({ kind }) => kind)));
  expect(seen).toEqual(new Set(KINDS));
  expect(all.some(({ faults }) => faults.length > 1)).toBe(true);
  for (const { faults } of all) {
    if (faults.some(({ kind }) => kind.isAlone === true)) expect(faults).toHaveLength(1);
  }
});

test("a tour holds every kind once", () => {
  const kinds = planTour("tour", KINDS).flatMap(({ faults }) => faults.map(({ kind }) => kind));
  expect(kinds).toHaveLength(KINDS.length);
  expect(new Set(kinds)).toEqual(new Set(KINDS));
});

test("every number of the list from 1 to 15 is there, on one store or the other", () => {
  const numbers = new Set(FAULTS.map(({ number }) => number));
  expect([...numbers].sort((a, b) => a - b)).toEqual(Array.from({ length: 15 }, (_, at) => at + 1));
});

test("only the faults that it takes are left", async () => {
  const tried: (readonly number[])[] = [];
  const needs = (...culprits: number[]) => {
    return async (places: readonly number[]) => {
      tried.push(places);
      return culprits.every((each) => places.includes(each));
    };
  };
  expect(await fewestThatFail(6, needs(1, 4))).toEqual([1, 4]);
  expect(await fewestThatFail(3, needs())).toEqual([]);
  expect(await fewestThatFail(3, needs(7))).toBeUndefined();
  expect(tried.length).toBeLessThan(15);
});

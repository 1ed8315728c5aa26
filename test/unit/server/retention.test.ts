// Days of namespaces and types from the settings.
import { daysInNamespace, longestDays, retentionOf } from "@tailkeep/server/dist/store/retention.js";
import { expect, test } from "vitest";

test("a namespace has its own days, else those of the type, else those of all", () => {
  const retention = retentionOf({
    retentionDays: 30,
    retentionDaysOf: { scoreHistory: 20, frameHistory: 0 },
    retentionDaysIn: { a: 45, b: { frameHistory: 5, actionHistory: 50 } },
  });
  expect(daysInNamespace(retention, "default")).toEqual([30, 30, 30, 20, 30, 30]);
  expect(daysInNamespace(retention, "a")).toEqual([45, 45, 45, 45, 45, 45]);
  expect(daysInNamespace(retention, "b")).toEqual([30, 30, 50, 20, 30, 5]);
  expect(longestDays(retention)).toBe(50);
  expect(longestDays(retentionOf({ retentionDays: 3 }))).toBe(3);
});

// The short form of the fuzzing of the methods that make, list, rotate and revoke keys.
import { expect, test } from "vitest";
import { startSystem } from "../../../fault/harness/system.js";
import { isSkipped } from "../../../support/databases/index.js";
import { KEY_METHODS } from "../methods.js";
import { fuzzKeys } from "./key-campaign.js";

/** Shows that a method was reached. How often is chance: the server draws the ids of keys, no seed does. */
const REACHED_MIN = 5;

test("there are methods of keys", () => {
  expect(KEY_METHODS.map(({ name }) => name).sort()).toEqual(["CreateKey", "ListKeys", "RevokeKey", "RotateKey"]);
});

test.for(["sqlite", "mysql"] as const)("on %s nobody gets or ends a key that is not theirs", async (kind, context) => {
  const system = await startSystem(kind);
  if (isSkipped(system)) return context.skip(system.skipped);
  try {
    const { storeUrl: store, server } = system;
    const result = await fuzzKeys({ server, store, seed: "short", inputs: 1_500, corpusEach: 80 });
    expect(result.violations).toEqual([]);
    expect(result.restarts).toBe(0);
    expect(result.made).toBeGreaterThan(50);
    for (const { name } of KEY_METHODS) {
      expect(result.endings.get(`${name} by an admin`)?.get("OK")).toBeGreaterThan(REACHED_MIN);
      expect(result.endings.get(`${name} by an admin`)?.get("INVALID_ARGUMENT")).toBeGreaterThan(REACHED_MIN);
      expect([...(result.endings.get(`${name} by others`)?.keys() ?? [])].sort()).toEqual([
        "PERMISSION_DENIED",
        "UNAUTHENTICATED",
      ]);
    }
  } finally {
    await system.stop();
  }
});

// The short form: fixed seeds, seconds. The long form is `npm run fuzz`.

import { RESIDENT_BYTES_MAX } from "@tailkeep/server/dist/limits.js";
import { expect, test } from "vitest";
import { startSystem } from "../../fault/harness/system.js";
import { isSkipped } from "../../support/databases/index.js";
import { fuzz } from "./campaign.js";
import { fuzzDecoders } from "./decode.js";
import { corpus } from "./messages.js";
import { METHODS } from "./methods.js";

test("any bytes are decoded, or refused by name", () => {
  const inputs = corpus(7, 60);
  const { decoded } = fuzzDecoders(inputs, "short", 40_000);
  // Neither is all of it refused, nor all of it taken.
  expect(decoded).toBeGreaterThan(2_000);
  expect(decoded).toBeLessThan(36_000);
});

test.for(["sqlite", "mysql"] as const)("a server on %s answers any bytes by the book", async (kind, context) => {
  const system = await startSystem(kind);
  if (isSkipped(system)) return context.skip(system.skipped);
  try {
    const result = await fuzz({ server: system.server, seed: "short", inputs: 4_000, corpusEach: 80 });
    expect(result.violations).toEqual([]);
    expect(result.restarts).toBe(0);
    expect(result.neighbourAcked).toBeGreaterThan(0);
    expect(result.faithfulWritten).toBeGreaterThan(5);
    // Most methods took some of their calls, and refused others.
    const taken = METHODS.filter(({ name }) => result.endings.get(name)?.has("OK"));
    expect(taken.length).toBeGreaterThan(METHODS.length * 0.8);
    const refused = METHODS.filter(({ name }) => result.endings.get(name)?.has("INVALID_ARGUMENT"));
    expect(refused.length).toBeGreaterThan(METHODS.length * 0.8);
    expect(result.residentBytes.peak).toBeLessThan(RESIDENT_BYTES_MAX);
  } finally {
    await system.stop();
  }
});

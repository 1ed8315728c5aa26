import { StoreError } from "@tailkeep/server/dist/store/errors.js";
import { StoreKeeper } from "@tailkeep/server/dist/store/keeper.js";
import type { Audit, Store } from "@tailkeep/server/dist/store/store.js";
import { expect, test } from "vitest";
import { FakeClock } from "../../support/fake-clock.js";

const AUDIT: Audit = { engine: "memory", durable: true, findings: [] };

test("maintenance that fails, or does not end, neither stops the start nor the looking", async () => {
  const clock = new FakeClock();
  const heard: string[] = [];
  let pings = 0;
  let runs = 0;
  const store = {
    start: () => Promise.resolve(AUDIT),
    ping: () => {
      pings++;
      return Promise.resolve();
    },
    maintain: () => {
      runs++;
      if (runs === 1) return Promise.reject(new StoreError("unavailable", "gone", "ECONNRESET"));
      return new Promise<boolean>(() => undefined);
    },
    expire: () => Promise.resolve(undefined),
  } as unknown as Store;
  const keeper = new StoreKeeper(store, clock, {
    up: () => heard.push("up"),
    down: () => heard.push("down"),
    maintenanceFailed: (error) => heard.push(`maintenance ${error.code}`),
  });
  const stop = new AbortController();
  void keeper.start(stop.signal);
  void keeper.keep(stop.signal);
  await clock.advance(10_000);
  expect(heard).toEqual(["up", "maintenance ECONNRESET"]);
  expect(keeper.up).toBe(true);
  const before = pings;
  await clock.advance(120_000);
  expect(runs).toBe(2);
  expect(pings - before).toBeGreaterThan(50);
  stop.abort();
});

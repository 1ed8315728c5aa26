import { AddressCaps } from "@tailkeep/server/dist/base/address-caps.js";
import { NUISANCE_BURST_MAX, NUISANCES_PER_SECOND } from "@tailkeep/server/dist/limits.js";
import { Patience } from "@tailkeep/server/dist/rpc/nuisance.js";
import { expect, test } from "vitest";

test("a burst is borne, then so many a second", () => {
  let nowMs = 0;
  const patience = new Patience(() => nowMs);
  for (let count = 0; count < NUISANCE_BURST_MAX; count++) expect(patience.bears()).toBe(true);
  expect(patience.bears()).toBe(false);
  nowMs += 1_100;
  for (let count = 0; count < NUISANCES_PER_SECOND; count++) expect(patience.bears()).toBe(true);
  nowMs += 3_600_000;
  for (let count = 0; count < NUISANCE_BURST_MAX; count++) expect(patience.bears()).toBe(true);
  expect(patience.bears()).toBe(false);
});

test("connections are counted by address and in all, and who leaves makes room", () => {
  const caps = new AddressCaps({ connectionsMax: 3, connectionsPerAddressMax: 2 });
  expect([caps.enter("a"), caps.enter("a"), caps.enter("a")]).toEqual([true, true, false]);
  expect([caps.enter("b"), caps.enter("c")]).toEqual([true, false]);
  caps.leave("a");
  expect(caps.count).toBe(2);
  expect([caps.enter("a"), caps.enter("a")]).toEqual([true, false]);
});

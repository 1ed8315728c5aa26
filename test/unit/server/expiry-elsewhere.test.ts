// Expired rows that another server on the same database removed: what is in memory here may be among them.
import { IngestPath, type IngestPathEvents } from "@tailkeep/server/dist/ingest-path.js";
import { EXPIRY_INTERVAL_MS } from "@tailkeep/server/dist/limits.js";
import { TABLE_COUNT } from "@tailkeep/server/dist/record/tables.js";
import { sessionVersion } from "@tailkeep/server/dist/store/reads/reads.js";
import type { Store } from "@tailkeep/server/dist/store/store.js";
import { expect, test } from "vitest";
import { FakeClock } from "../../support/fake-clock.js";

const NOTHING = { storingDay: "2026-01-01", heldBecause: undefined, tables: [] };

test.each([
  ["it was another server's turn", true, undefined, 0],
  ["another server's turn is over and left nothing", true, NOTHING, 0],
  ["no other server can have removed any", false, NOTHING, 1],
])("where %s", async (_, sharedByServers, report, sessionsLeft) => {
  const clock = new FakeClock();
  const store = {
    capabilities: { sharedByServers, lanes: 1 },
    start: () => Promise.resolve({ engine: "memory", durable: true, findings: [] }),
    ping: () => Promise.resolve(),
    maintain: () => Promise.resolve(true),
    expire: () => Promise.resolve(report),
    reads: {
      session: () => Promise.resolve({ startedAtUs: 500 }),
      streamsOf: () => Promise.resolve([]),
      listRecords: () => Promise.resolve({ rows: [], next: undefined }),
      sessionVersion: () => Promise.resolve(sessionVersion(500, 0, 0n, 0n, 0n)),
    },
  } as unknown as Store;
  const capacities = new Array<number>(TABLE_COUNT).fill(10);
  const heard: unknown[] = [];
  const events = {
    storeUp: () => undefined,
    expired: (each: unknown) => heard.push(each),
  } as unknown as IngestPathEvents;
  const cache = { capacities, sessionsMax: 10, bytesMax: 1_000_000 };
  const path = new IngestPath(store, clock, { groupDelayMs: 1, ingestBytesMax: 1_000_000, cache }, events);
  const stop = new AbortController();
  await path.keeper.start(stop.signal);
  void path.keeper.keep(stop.signal);
  await path.caches.tail("default", "run", [3], 10, (rows) => rows);
  expect(path.caches.statistics.sessions).toBe(1);
  await clock.advance(EXPIRY_INTERVAL_MS);
  expect(path.caches.statistics.sessions).toBe(sessionsLeft);
  expect(heard).toEqual(report === undefined ? [] : [report]);
  stop.abort();
});

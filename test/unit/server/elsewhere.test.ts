// What a server's pages are told of sessions that another server on the same database writes.
import type { StreamCounts } from "@tailkeep/server/dist/store/model.js";
import type { Store } from "@tailkeep/server/dist/store/store.js";
import { Elsewhere } from "@tailkeep/server/dist/web/live/elsewhere.js";
import { Traffic } from "@tailkeep/server/dist/web/live/traffic.js";
import { expect, test } from "vitest";
import { FakeClock } from "../../support/fake-clock.js";

const RUN = { namespace: "default", sessionId: "run" };
const records = (stored: number, rejected = 0, gapped = 0): StreamCounts => ({ stored, rejected, gapped });

function fixture() {
  const clock = new FakeClock();
  const traffic = new Traffic(clock);
  const running = new Map<string, StreamCounts>();
  const store = {
    capabilities: { sharedByServers: true, lanes: 1 },
    reads: {
      runningCounts: () =>
        Promise.resolve([...running].map(([sessionId, counts]) => ({ namespace: "default", sessionId, counts }))),
    },
  } as unknown as Store;
  const elsewhere = new Elsewhere(store, clock, traffic);
  const look = async () => {
    const looked = elsewhere.look();
    await clock.advance(1_000);
    await looked;
  };
  return { clock, traffic, running, look, elsewhere };
}

test("a session that another server writes is seen to be written, and one that it does not is not", async () => {
  const { traffic, running, look } = fixture();
  running.set("run", records(1_000)).set("stuck", records(5));
  await look();
  expect(traffic.activity.changedSince("default", 0, 10)).toHaveLength(2);
  const before = traffic.activity.changes;
  running.set("run", records(1_010, 2, 3));
  await look();
  expect(traffic.activity.changedSince("default", before, 10)).toMatchObject([
    { sessionId: "run", stored: 10, rejected: 2, gapped: 3, committedAtUs: expect.any(Number) },
  ]);
  const stuck = traffic.activity.changedSince("default", 0, 10).find(({ sessionId }) => sessionId === "stuck");
  expect(stuck?.committedAtUs).toBe(0);
  // What this server does is counted by itself.
  expect(traffic.totals.committed).toBe(0);
});

test("a session that is first looked at is news to pages, whoever opened it: some of it may have been stored before", async () => {
  const { traffic, running, look } = fixture();
  traffic.activity.opened("default", "run", 1);
  running.set("run", records(5)).set("other", records(3));
  const before = traffic.activity.changes;
  await look();
  expect(traffic.activity.changedSince("default", before, 10)).toHaveLength(2);
  const after = traffic.activity.changes;
  await look();
  expect(traffic.activity.changedSince("default", after, 10)).toEqual([]);
});

test("a session counts as written elsewhere once two looks in succession found it so", async () => {
  const { traffic, running, look, elsewhere } = fixture();
  const isWritten = () => elsewhere.isWritten("default", "run");
  running.set("run", records(1));
  await look();
  const found: boolean[] = [isWritten()];
  for (const stored of [2, 3, 3, 4, 5]) {
    running.set("run", records(stored));
    await look();
    found.push(isWritten());
  }
  expect(found).toEqual([false, false, true, false, false, true]);
  // What is stored here is not somebody else's.
  for (const stored of [6, 7, 8]) {
    traffic.committed(RUN, records(1));
    running.set("run", records(stored));
    await look();
  }
  expect(isWritten()).toBe(false);
});

test("what this server commits is told once, beside what another does", async () => {
  const { traffic, running, look } = fixture();
  running.set("run", records(100));
  traffic.opened(RUN);
  await look();
  traffic.committed(RUN, records(7));
  running.set("run", records(107));
  await look();
  expect(traffic.activity.countsOf("default", "run")).toEqual(records(7));
  traffic.committed(RUN, records(3));
  running.set("run", records(130, 1));
  await look();
  await look();
  expect(traffic.activity.countsOf("default", "run")).toEqual(records(30, 1));
});

test("a session that ended elsewhere changes the list", async () => {
  const { traffic, running, look } = fixture();
  running.set("run", records(1));
  await look();
  const before = traffic.sessionsVersion;
  await look();
  expect(traffic.sessionsVersion).toBe(before);
  running.clear();
  await look();
  expect(traffic.sessionsVersion).toBe(before + 1);
});

test("a store that is away is looked at again", async () => {
  const { clock, traffic, running, elsewhere } = fixture();
  const stop = new AbortController();
  let up = false;
  void elsewhere.keep(stop.signal, () => up);
  running.set("run", records(1));
  await clock.advance(10_000);
  expect(traffic.activity.changes).toBe(0);
  up = true;
  await clock.advance(10_000);
  expect(traffic.activity.changes).toBe(1);
  stop.abort();
});

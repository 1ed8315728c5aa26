// A database that was restored from an older copy, and what is in memory of the time since.
import { OpenBatch } from "@tailkeep/client/internals";
import { systemClock } from "@tailkeep/server/dist/base/clock.js";
import { SessionCaches } from "@tailkeep/server/dist/cache/session-cache.js";
import { decodeBatch } from "@tailkeep/server/dist/record/decode.js";
import type { StoredRow } from "@tailkeep/server/dist/record/stored-row.js";
import { TABLE_COUNT } from "@tailkeep/server/dist/record/tables.js";
import { type SessionStream, sessionVersion } from "@tailkeep/server/dist/store/reads/reads.js";
import type { Store } from "@tailkeep/server/dist/store/store.js";
import { expect, test } from "vitest";

const OWNER = { key: 7n, sessionId: "run", streamId: "only" };
const TABLES = [3];

/** A database with no rows, and one stream whose row says this. */
function emptyStore(stream: { epoch: number; committedSeq: number }) {
  const progress = (): SessionStream => ({ ...OWNER, ...stream, sessionStartedAtUs: 500 });
  const store = {
    capabilities: { sharedByServers: true, lanes: 1 },
    reads: {
      session: () => Promise.resolve({ startedAtUs: 500 }),
      streamsOf: () => Promise.resolve([progress()]),
      listRecords: () => Promise.resolve({ rows: [] as StoredRow[], next: undefined }),
      sessionVersion: () =>
        Promise.resolve(sessionVersion(500, 1, OWNER.key, BigInt(stream.epoch), BigInt(stream.committedSeq))),
    },
  } as unknown as Store;
  const capacities = new Array<number>(TABLE_COUNT).fill(10);
  const caches = new SessionCaches(store, systemClock, { capacities, sessionsMax: 10, bytesMax: 1_000_000 });
  return { caches, stream };
}

function twoScores() {
  const open = new OpenBatch();
  open.append({ type: "score_history", score: 1 });
  open.append({ type: "score_history", score: 2 });
  const bytes = open.seal(1).recordBatch();
  return [decodeBatch(bytes, 0, bytes.length, 1_000)];
}

test("records that were forgotten are not shown once their numbers are taken by a gap", async () => {
  const { caches, stream } = emptyStore({ epoch: 1, committedSeq: 0 });
  expect(await caches.tail("default", "run", TABLES, 10, (rows) => rows)).toEqual([]);
  stream.committedSeq = 2;
  caches.committed("default", OWNER, 1, 2, twoScores());
  expect(await caches.tail("default", "run", TABLES, 10, (rows) => rows)).toHaveLength(2);
  // The rows are gone; the writer opens its stream again, and what it saw acked becomes a gap.
  stream.epoch = 2;
  const regressed = { firstSeq: 1, lastSeq: 2 };
  const counts = { stored: 0, rejected: 0, gapped: 2 };
  const sessionStartedAtUs = 500;
  caches.opened("default", "run", {
    kind: "opened",
    key: OWNER.key,
    epoch: 2,
    committedSeq: 2,
    counts,
    regressed,
    sessionStartedAtUs,
  });
  expect(await caches.tail("default", "run", TABLES, 10, (rows) => rows)).toEqual([]);
});

test("a cache that nobody had asked is filled with what the store has, and nothing else", async () => {
  const { caches, stream } = emptyStore({ epoch: 1, committedSeq: 2 });
  caches.committed("default", OWNER, 1, 2, twoScores());
  stream.committedSeq = 0;
  expect(await caches.tail("default", "run", TABLES, 10, (rows) => rows)).toEqual([]);
});

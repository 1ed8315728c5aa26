// A cache on a database that other servers write to as well.
import { OpenBatch } from "@tailkeep/client/internals";
import { systemClock } from "@tailkeep/server/dist/base/clock.js";
import { SessionCaches } from "@tailkeep/server/dist/cache/session-cache.js";
import { decodeBatch } from "@tailkeep/server/dist/record/decode.js";
import { newestTableRows, type StoredRow } from "@tailkeep/server/dist/record/stored-row.js";
import { TABLE_COUNT } from "@tailkeep/server/dist/record/tables.js";
import { type SessionVersion, sessionVersion } from "@tailkeep/server/dist/store/reads/reads.js";
import type { RecordQuery } from "@tailkeep/server/dist/store/reads/records.js";
import type { Store } from "@tailkeep/server/dist/store/store.js";
import { expect, test } from "vitest";

const OWNER = { key: 7n, sessionId: "run", streamId: "only" };
const SCORES = 3;

function scores(firstSeq: number, count: number) {
  const open = new OpenBatch();
  for (let seq = firstSeq; seq < firstSeq + count; seq++) open.append({ type: "score_history", score: seq });
  const bytes = open.seal(firstSeq).recordBatch();
  return decodeBatch(bytes, 0, bytes.length, 1_000);
}

const seqs = (rows: readonly StoredRow[]) => rows.map(({ seq }) => seq);

test("lists that are being filled are no answer, though they are as old as the database says", async () => {
  let committedSeq = 2;
  const version = () => sessionVersion(500, 1, OWNER.key, 1n, BigInt(committedSeq));
  /** What the database holds back until it is told to go on. */
  let question: PromiseWithResolvers<SessionVersion> | undefined;
  let filling: PromiseWithResolvers<void> | undefined;
  const store = {
    capabilities: { sharedByServers: true, lanes: 1 },
    reads: {
      session: () => Promise.resolve({ startedAtUs: 500 }),
      streamsOf: async () => {
        await filling?.promise;
        return [{ ...OWNER, epoch: 1, committedSeq }];
      },
      listRecords: ({ tables }: RecordQuery) => {
        const rows = tables.includes(SCORES) ? newestTableRows(scores(1, committedSeq), SCORES, OWNER, 10) : [];
        return Promise.resolve({ rows: rows.reverse(), next: undefined });
      },
      sessionVersion: () => question?.promise ?? Promise.resolve(version()),
    },
  } as unknown as Store;
  const capacities = new Array<number>(TABLE_COUNT).fill(10);
  const caches = new SessionCaches(store, systemClock, { capacities, sessionsMax: 10, bytesMax: 1_000_000 });
  const tail = () => caches.tail("default", "run", [SCORES], 10, seqs);
  expect(await tail()).toEqual([1, 2]);

  question = Promise.withResolvers();
  filling = Promise.withResolvers();
  const first = tail();
  // Another server has committed the third record, and this one the fourth: what is in memory has a hole.
  committedSeq = 4;
  caches.committed("default", OWNER, 1, 4, [scores(4, 1)]);
  const second = tail();
  await new Promise((resolve) => setTimeout(resolve, 20));
  filling.resolve();
  await second;
  question.resolve(version());
  expect(await first).toEqual([1, 2, 3, 4]);
  expect(await second).toEqual([1, 2, 3, 4]);
});

// The newest records from memory are the newest records of the store, whatever was written and however little is kept.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ids, type OneServer, oneServer } from "../../support/grpc/one-server.js";
import { eventTimeUs, validRecord } from "../../support/records/arbitrary.js";
import { gapEntry, recordEntry, score } from "../../support/records/batches.js";

const SMALL = {
  performanceHistory: 3,
  sessionHistory: 1,
  actionHistory: 5,
  scoreHistory: 4,
  coordinateAttempts: 2,
  frameHistory: 3,
};

const mixed = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc
        .record({ record: validRecord, tie: fc.boolean() })
        .map(({ record, tie }) => recordEntry(tie ? { ...record, eventTimeUs: 5n } : record)),
    },
    { weight: 2, arbitrary: eventTimeUs.map((us) => recordEntry(score(1, Number(us)))) },
    { weight: 1, arbitrary: fc.constant(gapEntry(2)) },
    { weight: 1, arbitrary: fc.constant(recordEntry(score(1, 2 ** 53))) },
  ),
  { minLength: 1, maxLength: 8 },
);

/** More of one type than there is room for, in any order of time. */
const crowd = fc.array(
  fc.nat({ max: 20 }).map((us) => recordEntry(score(us, us))),
  { minLength: 3, maxLength: 14 },
);

/** A few records with odd times and many ties, in one stream. */
const step = fc.record({
  stream: fc.nat({ max: 2 }),
  unary: fc.boolean(),
  entries: fc.oneof(mixed, crowd),
  /** Entries of the batch before that are sent once more. */
  repeat: fc.nat({ max: 4 }),
  asks: fc.array(
    fc.record({
      types: fc.oneof(
        fc.constant([]),
        fc.uniqueArray(fc.constantFrom(2, 3, 4, 5, 6, 7), { minLength: 1, maxLength: 3 }),
      ),
      limit: fc.constantFrom(1, 2, 3, 4, 5, 10, 1_000),
    }),
    { maxLength: 3 },
  ),
});

async function expectSame(
  { stubs }: OneServer,
  sessionId: string,
  types: readonly number[],
  limit: number,
): Promise<void> {
  const { records: tail } = await stubs.call("tailRecords", { sessionId, types: types as never, limit });
  const { records: stored } = await stubs.call("listRecords", { sessionId, types: types as never, pageSize: limit });
  expect(tail).toEqual(stored.reverse());
}

function suite(running: () => OneServer): void {
  test("after any commits, asked at any moment", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), async (steps) => {
        const { stubs } = running();
        const session = ids();
        const streams = [0, 1, 2].map((index) => ({ ...session, streamId: `${session.streamId}-${index}` }));
        const sent = streams.map(() => [] as { firstSeq: number; entry: (typeof steps)[0]["entries"][0] }[]);
        const next = streams.map(() => 1);
        for (const { stream, entries, repeat, asks } of steps) {
          const before = repeat === 0 ? [] : (sent[stream] ?? []).slice(-repeat);
          const firstSeq = before[0]?.firstSeq ?? (next[stream] as number);
          const batch = { firstSeq: BigInt(firstSeq), entries: [...before.map(({ entry }) => entry), ...entries] };
          await stubs.call("writeRecords", { ...(streams[stream] as typeof session), batch });
          for (const entry of entries) {
            sent[stream]?.push({ firstSeq: next[stream] as number, entry });
            next[stream] =
              (next[stream] as number) + (entry.kind?.$case === "gap" ? Number(entry.kind.value.count) : 1);
          }
          for (const { types, limit } of asks) await expectSame(running(), session.sessionId, types, limit);
        }
        for (const limit of [1, 2, 3, 4, 5, 1_000]) await expectSame(running(), session.sessionId, [], limit);
        for (const limit of [1, 2, 3])
          for (const type of [2, 3, 4, 5, 6, 7]) await expectSame(running(), session.sessionId, [type], limit);
      }),
      { numRuns: 40, interruptAfterTimeLimit: 30_000, markInterruptAsFailure: true },
    );
  });

  test("while several writers write", async () => {
    const { stubs } = running();
    const { sessionId } = ids();
    const probes = await Promise.all(
      [1, 2, 3].map(async () => {
        const probe = stubs.ingest();
        probe.open({ ...ids(), sessionId });
        await probe.untilOpened();
        return probe;
      }),
    );
    let over = false;
    const asking = (async () => {
      while (!over) {
        const { records } = await stubs.call("tailRecords", { sessionId, limit: 7 });
        const order = records.map(({ record, streamId, seq }) => `${record?.eventTimeUs} ${streamId} ${seq}`);
        expect(new Set(order).size).toBe(order.length);
      }
    })();
    for (let seq = 1; seq <= 300; seq += 3) {
      for (const [index, probe] of probes.entries()) {
        probe.batch(
          seq,
          [seq, seq + 1, seq + 2].map((at) => recordEntry(score(at, (at * 7919 + index) % 101))),
        );
      }
      // What is acked is seen.
      if (seq % 30 === 1) {
        await Promise.all(probes.map((probe) => probe.untilAcked(seq + 2)));
        await expectSame(running(), sessionId, [], 5);
      }
    }
    await Promise.all(probes.map((probe) => probe.untilAcked(300)));
    over = true;
    await asking;
    await expectSame(running(), sessionId, [], 1_000);
    stubs.cancelAll();
  });
}

describe("with little room for each type", () => suite(oneServer({ memoryLimits: SMALL })));
describe("with few bytes for all", () => suite(oneServer({ memoryLimits: SMALL, cacheBytesMax: 6_000 })));
describe("with room for two sessions", () => suite(oneServer({ cacheSessionsMax: 2 })));

describe("what is kept", () => {
  const running = oneServer({ cacheBytesMax: 200_000, cacheSessionsMax: 50 });

  test("keeps to its bounds, and is counted", async () => {
    const { stubs, server } = running();
    for (let round = 0; round < 80; round++) {
      const identity = ids();
      const entries = Array.from({ length: 40 }, (_, index) => recordEntry(score(index, index)));
      await stubs.call("writeRecords", { ...identity, batch: { firstSeq: 1n, entries } });
      await stubs.call("tailRecords", { sessionId: identity.sessionId });
      await stubs.call("tailRecords", { sessionId: identity.sessionId });
    }
    const metrics = await server.metrics();
    expect(metrics.get("tailkeep_cache_sessions")).toBeLessThanOrEqual(50);
    expect(metrics.get("tailkeep_cache_bytes")).toBeLessThanOrEqual(200_000);
    expect(metrics.get("tailkeep_cache_hits_total")).toBeGreaterThanOrEqual(80);
  });
});

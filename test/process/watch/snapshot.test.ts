// A watcher sees a snapshot, then every commit, without repeat and without hole, while writers write.
import { describe, expect, test } from "vitest";
import { ids, oneServer } from "../../support/grpc/one-server.js";
import type { WatchProbe } from "../../support/grpc/watch-probe.js";
import { gapEntry, recordEntry, score } from "../../support/records/batches.js";

const running = oneServer();

const entries = (firstSeq: number, count: number) =>
  Array.from({ length: count }, (_, index) => recordEntry(score(firstSeq + index, firstSeq + index)));
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

async function writer(sessionId: string) {
  const identity = { ...ids(), sessionId };
  const probe = running().stubs.ingest();
  probe.open(identity);
  await probe.untilOpened();
  return { probe, streamId: identity.streamId };
}

/** Numbers of one stream, in the order in which they were told. */
function toldOf(watch: WatchProbe, streamId: string): number[] {
  return watch.told.get(streamId) ?? [];
}

test("the newest come first, then what is committed, then nothing twice", async () => {
  const { sessionId } = ids();
  const { probe, streamId } = await writer(sessionId);
  probe.batch(1, entries(1, 50));
  await probe.untilAcked(50);
  const watch = running().stubs.watch({ sessionId, snapshotLimit: 20 });
  await watch.untilCaughtUp();
  expect(watch.records).toEqual(upTo(20).map((index) => `${streamId}/${index + 30}`));
  expect(watch.cursor).toEqual({ [streamId]: 50n });
  for (let seq = 51; seq <= 100; seq += 5) probe.batch(seq, entries(seq, 5));
  await watch.until(() => watch.records.length === 70, "all to be told");
  expect(toldOf(watch, streamId)).toEqual(upTo(70).map((index) => index + 30));
});

test("a watcher that asks for no snapshot sees only what comes", async () => {
  const { sessionId } = ids();
  const { probe, streamId } = await writer(sessionId);
  probe.batch(1, entries(1, 5));
  await probe.untilAcked(5);
  const watch = running().stubs.watch({ sessionId });
  await watch.untilCaughtUp();
  probe.batch(6, entries(6, 2));
  await watch.until(() => watch.records.length === 2, "two records");
  expect(toldOf(watch, streamId)).toEqual([6, 7]);
});

test("a session that does not exist yet is watched from its first record on", async () => {
  const { sessionId } = ids();
  const watch = running().stubs.watch({ sessionId, snapshotLimit: 10 });
  await watch.untilCaughtUp();
  expect(watch.cursor).toEqual({});
  const { probe, streamId } = await writer(sessionId);
  probe.batch(1, entries(1, 3));
  await watch.until(() => watch.records.length === 3, "three records");
  expect(toldOf(watch, streamId)).toEqual([1, 2, 3]);
});

test("joining while several streams are written loses nothing and repeats nothing", async () => {
  const { sessionId } = ids();
  const writers = await Promise.all([writer(sessionId), writer(sessionId), writer(sessionId)]);
  const writing = writers.map(async ({ probe }) => {
    for (let seq = 1; seq <= 300; seq += 4) {
      probe.batch(seq, entries(seq, 4));
      if (seq % 40 === 1) await probe.untilAcked(Math.max(0, seq - 40));
    }
    await probe.untilAcked(300);
  });
  const watches: WatchProbe[] = [];
  for (let joined = 0; joined < 12; joined++) {
    await new Promise((resolve) => setTimeout(resolve, 15));
    watches.push(running().stubs.watch({ sessionId, snapshotLimit: 1_000 }));
    // Leaving must not disturb who joins at that moment.
    if (joined % 3 === 2) watches.shift()?.cancel();
  }
  await Promise.all(writing);
  for (const watch of watches) {
    for (const { streamId } of writers) {
      await watch.until(() => toldOf(watch, streamId).includes(300), "the last record");
      // The snapshot has all of it in any order, what follows is in order.
      expect([...toldOf(watch, streamId)].sort((a, b) => a - b)).toEqual(upTo(300));
    }
    watch.cancel();
  }
});

test("live events of a stream come in the order of their numbers, gaps among them", async () => {
  const { sessionId } = ids();
  const { probe, streamId } = await writer(sessionId);
  const watch = running().stubs.watch({ sessionId });
  await watch.untilCaughtUp();
  probe.batch(1, [...entries(1, 2), gapEntry(5, { type: 5, cause: 1 }), ...entries(8, 2)]);
  probe.batch(10, [gapEntry(1)]);
  probe.batch(11, entries(11, 1));
  await watch.until(() => watch.records.length === 5, "five records");
  expect(toldOf(watch, streamId)).toEqual(upTo(11));
  const gaps = watch.events.flatMap((event) => (event.$case === "gap" ? [event.value] : []));
  expect(gaps).toMatchObject([
    { sessionId, streamId, firstSeq: 3n, lastSeq: 7n, type: 5, cause: 1 },
    { sessionId, streamId, firstSeq: 10n, lastSeq: 10n },
  ]);
  for (const gap of gaps) expect(Math.abs(Number(gap.createdAtUs) / 1_000 - Date.now())).toBeLessThan(60_000);
});

test("only the types that are asked for", async () => {
  const { sessionId } = ids();
  const { probe, streamId } = await writer(sessionId);
  const frame = recordEntry({
    eventTimeUs: 1n,
    kind: {
      $case: "frameTracking",
      value: { gameId: "g", frameHash: "h", frameAnalysisJson: undefined, stagnationDetected: undefined },
    },
  });
  probe.batch(1, [frame, ...entries(2, 1), frame]);
  await probe.untilAcked(3);
  const watch = running().stubs.watch({ sessionId, types: [7], snapshotLimit: 10 });
  await watch.untilCaughtUp();
  probe.batch(4, [...entries(4, 2), frame]);
  await watch.until(() => watch.records.length === 3, "three frames");
  expect(watch.records).toEqual([`${streamId}/1`, `${streamId}/3`, `${streamId}/6`]);
});

test("a row that only the store refused is not shown", async () => {
  // What the decoder refuses never was a row; see the contract for those that only the database refuses.
  const { sessionId } = ids();
  const { probe, streamId } = await writer(sessionId);
  const watch = running().stubs.watch({ sessionId });
  await watch.untilCaughtUp();
  probe.batch(1, [...entries(1, 1), recordEntry(score(1, 2 ** 53)), ...entries(3, 1)]);
  await watch.until(() => watch.records.length === 2, "two records");
  expect(toldOf(watch, streamId)).toEqual([1, 3]);
});

test("a heartbeat comes again and again, with the newest cursor", async () => {
  const { sessionId } = ids();
  const { probe, streamId } = await writer(sessionId);
  const watch = running().stubs.watch({ sessionId });
  await watch.untilCaughtUp();
  probe.batch(1, entries(1, 3));
  await watch.untilCaughtUp(2);
  expect(watch.cursor).toEqual({ [streamId]: 3n });
});

describe("a watch that cannot be served", () => {
  test.each([
    ["no session", {}, /^session_id: is empty/],
    ["a wrong type", { sessionId: "s", types: [1 as never] }, /^types\[0\]: 1 is not a record type/],
    ["too large a snapshot", { sessionId: "s", snapshotLimit: 1_001 }, /^snapshot_limit: is 1001; use 0 to 1000/],
    [
      "too large a cursor",
      {
        sessionId: "s",
        cursor: { seqs: Object.fromEntries(Array.from({ length: 1_025 }, (_, index) => [`t${index}`, 1n])) },
      },
      /^cursor\.seqs: has more than 1024 streams; begin again with a snapshot/,
    ],
  ])("%s", async (_, request, message) => {
    const watch = running().stubs.watch(request);
    expect(await watch.untilEnded()).toMatchObject({
      status: "INVALID_ARGUMENT",
      code: "BAD_FIELD",
      message: expect.stringMatching(message),
    });
  });
});

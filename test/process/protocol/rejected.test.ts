// Records that cannot be stored: kept with their reason, told to their writer, and in nobody's way.
import { type Entry, Record as WireRecord } from "@tailkeep/proto";
import { describe, expect, test } from "vitest";
import { ids, oneServer } from "../../support/grpc/one-server.js";
import { gapEntry, recordEntry, score } from "../../support/records/batches.js";

const running = oneServer();
const tooLate = score(1, 2 ** 53);

function fiveHundred(badAt: number): Entry[] {
  return Array.from({ length: 500 }, (_, index) => recordEntry(index === badAt ? tooLate : score(index, index)));
}

test("of 500 records with a bad one 499 are stored, and the ack says which was not and why", async () => {
  const identity = ids();
  const { sessionId } = identity;
  const { stubs } = running();
  const probe = stubs.ingest();
  probe.open(identity);
  probe.batch(1, fiveHundred(250));
  await probe.untilAcked(500);
  expect(probe.rejected).toEqual([
    {
      seq: 251n,
      reason: 3,
      field: "record.event_time_us",
      message: expect.stringMatching(/beyond ±9007199254740991 microseconds; send/),
    },
  ]);
  const { counts } = await stubs.call("getSession", { sessionId });
  expect(counts).toEqual({ stored: 499n, rejected: 1n, gapped: 0n });
  const { deadLetters } = await stubs.call("listDeadLetters", { sessionId });
  expect(deadLetters).toMatchObject([
    {
      sessionId,
      streamId: identity.streamId,
      type: 5,
      rejection: { seq: 251n, reason: 3, field: "record.event_time_us" },
    },
  ]);
  expect(WireRecord.encode(deadLetters[0]?.record as WireRecord).finish()).toEqual(WireRecord.encode(tooLate).finish());
  const seqs = new Set<number>();
  for (let pageToken = ""; ; ) {
    const page = await stubs.call("listRecords", { sessionId, pageSize: 200, pageToken });
    for (const { seq } of page.records) seqs.add(Number(seq));
    if (page.nextPageToken === "") break;
    pageToken = page.nextPageToken;
  }
  expect(seqs.size).toBe(499);
  expect(seqs.has(251)).toBe(false);
  const { stored } = await stubs.call("getStatistics", { sessionId });
  expect(stored.map(({ type, count }) => [type, count])).toEqual([
    [2, 0n],
    [3, 0n],
    [4, 0n],
    [5, 499n],
    [6, 0n],
    [7, 0n],
  ]);
});

test("every reason is told once, in the ack that covers it", async () => {
  const probe = running().stubs.ingest();
  probe.open(ids());
  for (let seq = 1; seq <= 90; seq += 3)
    probe.batch(seq, [recordEntry(score(1)), recordEntry(tooLate), recordEntry(score(1))]);
  await probe.untilAcked(90);
  expect(probe.rejected.map(({ seq }) => Number(seq))).toEqual(Array.from({ length: 30 }, (_, index) => index * 3 + 2));
});

describe("a unary call", () => {
  test("may be repeated: nothing is doubled, and what was refused is looked up again", async () => {
    const identity = ids();
    const { stubs } = running();
    const request = {
      ...identity,
      batch: { firstSeq: 1n, entries: [...fiveHundred(9), gapEntry(5), recordEntry(tooLate)] },
    };
    const refused = [
      { seq: 10n, reason: 3 as const, field: "record.event_time_us", message: expect.stringMatching(/beyond/) },
      { seq: 506n, reason: 3 as const, field: "record.event_time_us", message: expect.stringMatching(/beyond/) },
    ];
    for (let time = 0; time < 3; time++) {
      expect(await stubs.call("writeRecords", request)).toEqual({ committedSeq: 506n, rejected: refused });
    }
    const [first, second] = await Promise.all([
      stubs.call("writeRecords", request),
      stubs.call("writeRecords", request),
    ]);
    expect(first).toEqual(second);
    expect((await stubs.call("getSession", { sessionId: identity.sessionId })).counts).toEqual({
      stored: 499n,
      rejected: 2n,
      gapped: 5n,
    });
  });

  test("that overlaps an earlier one tells of both parts, and of nothing outside", async () => {
    const identity = ids();
    const { stubs } = running();
    const bad = recordEntry(tooLate);
    const good = recordEntry(score(1));
    await stubs.call("writeRecords", { ...identity, batch: { firstSeq: 1n, entries: [bad, good, bad, good] } });
    const answer = await stubs.call("writeRecords", {
      ...identity,
      batch: { firstSeq: 2n, entries: [good, bad, good, good, bad] },
    });
    expect(answer.committedSeq).toBe(6n);
    expect(answer.rejected.map(({ seq }) => seq)).toEqual([3n, 6n]);
  });

  test("at the same moment as its repetition is stored once", async () => {
    const identity = ids();
    const { stubs } = running();
    const request = { ...identity, batch: { firstSeq: 1n, entries: fiveHundred(9) } };
    const answers = await Promise.all(Array.from({ length: 5 }, () => stubs.call("writeRecords", request)));
    for (const answer of answers) expect(answer).toMatchObject({ committedSeq: 500n, rejected: [{ seq: 10n }] });
    expect((await stubs.call("getSession", { sessionId: identity.sessionId })).counts).toEqual({
      stored: 499n,
      rejected: 1n,
      gapped: 0n,
    });
  });

  test.each([
    ["session_id", { sessionId: "" }],
    ["stream_id", { streamId: "" }],
    ["writer_id", { writerId: "a\u0000" }],
    ["batch", { batch: undefined }],
    ["batch.entries", { batch: { firstSeq: 1n, entries: [] } }],
  ])("names %s", async (field, change) => {
    const request = { ...ids(), batch: { firstSeq: 1n, entries: [recordEntry(score(1))] }, ...change };
    expect(await running().stubs.ending("writeRecords", request)).toMatchObject({
      status: "INVALID_ARGUMENT",
      code: "BAD_FIELD",
      message: expect.stringMatching(new RegExp(`^${field.replace(".", "\\.")}: `)),
    });
  });
});

test("dead letters are paged by their number and by their bytes", async () => {
  const identity = ids();
  const { stubs } = running();
  const large = (bytes: number): WireRecord => ({
    eventTimeUs: 2n ** 53n,
    kind: {
      $case: "frameTracking",
      value: {
        gameId: "g",
        frameHash: undefined,
        frameAnalysisJson: `"${"x".repeat(bytes)}"`,
        stagnationDetected: undefined,
      },
    },
  });
  for (let seq = 1; seq <= 20; seq += 2) {
    await stubs.call("writeRecords", {
      ...identity,
      batch: { firstSeq: BigInt(seq), entries: [recordEntry(large(250_000)), recordEntry(large(10))] },
    });
  }
  for (const pageSize of [1, 3, 19, 20, 100]) {
    const seqs: number[] = [];
    for (let pageToken = ""; ; ) {
      const page = await stubs.call("listDeadLetters", { sessionId: identity.sessionId, pageSize, pageToken });
      expect(page.deadLetters.length).toBeLessThanOrEqual(Math.min(pageSize, 17));
      expect(page.deadLetters.every(({ record }) => record !== undefined)).toBe(true);
      seqs.push(...page.deadLetters.map(({ rejection }) => Number(rejection?.seq)));
      if (page.nextPageToken === "") break;
      pageToken = page.nextPageToken;
    }
    expect(seqs).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  }
});

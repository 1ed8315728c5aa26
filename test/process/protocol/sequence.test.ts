import { describe, expect, test } from "vitest";
import { ids, oneServer } from "../../support/grpc/one-server.js";
import { gapEntry, recordEntry, score } from "../../support/records/batches.js";

const running = oneServer();

async function opened() {
  const identity = ids();
  const probe = running().stubs.ingest();
  probe.open(identity);
  await probe.untilOpened();
  return { probe, identity };
}

const entries = (count: number) => Array.from({ length: count }, (_, index) => recordEntry(score(index)));

test("a stream opens at nothing, with credit, and says what the server is", async () => {
  const { probe } = await opened();
  expect(probe.opened).toMatchObject({
    epoch: 1n,
    committedSeq: 0n,
    counts: { stored: 0n, rejected: 0n, gapped: 0n },
    regressed: undefined,
    durable: true,
    serverVersion: expect.stringMatching(/^\d+\.\d+\.\d+/),
  });
  expect(probe.creditBytes).toBeGreaterThanOrEqual(1_048_576);
});

test("acks are cumulative and never go back", async () => {
  const { probe } = await opened();
  for (let seq = 1; seq <= 400; seq += 4) probe.batch(seq, entries(4));
  await probe.untilAcked(400);
  expect(probe.acks).toEqual([...probe.acks].sort((a, b) => a - b));
  expect(new Set(probe.acks).size).toBe(probe.acks.length);
});

describe("a hole in the numbers", () => {
  test("ends the call with the number that is expected, and reopening tells the truth", async () => {
    const { probe, identity } = await opened();
    probe.batch(1, entries(3));
    await probe.untilAcked(3);
    probe.batch(6, entries(1));
    expect(await probe.untilEnded()).toEqual({
      status: "ABORTED",
      code: "SEQUENCE_GAP",
      message: "batch.first_seq: is 6, expected 4; reopen and resend from there, or declare what is lost as a gap",
      expectedSeq: "4",
      retryAfterMs: undefined,
    });
    const again = running().stubs.ingest();
    again.open(identity);
    expect(await again.untilOpened()).toMatchObject({ epoch: 2n, committedSeq: 3n });
    again.batch(4, entries(2));
    await again.untilAcked(5);
  });

  test("right behind a batch that is not yet durable does not lose that batch's ack", async () => {
    const { probe, identity } = await opened();
    probe.batch(1, entries(10));
    probe.batch(12, entries(1));
    expect(await probe.untilEnded()).toMatchObject({ status: "ABORTED", code: "SEQUENCE_GAP", expectedSeq: "11" });
    const again = running().stubs.ingest();
    again.open(identity);
    const { committedSeq } = await again.untilOpened();
    // Acked or not, it is either whole or not there.
    expect([0n, 10n]).toContain(committedSeq);
    expect(probe.ackedSeq).toBeLessThanOrEqual(Number(committedSeq));
  });

  test("in a unary call", async () => {
    const identity = ids();
    const { stubs } = running();
    expect(
      await stubs.ending("writeRecords", { ...identity, batch: { firstSeq: 5n, entries: entries(1) } }),
    ).toMatchObject({
      status: "ABORTED",
      code: "SEQUENCE_GAP",
      expectedSeq: "1",
    });
  });
});

test("what is committed already is skipped: whole batches, and the first half of one", async () => {
  const { probe, identity } = await opened();
  probe.batch(1, entries(10));
  await probe.untilAcked(10);
  const again = running().stubs.ingest();
  again.open(identity);
  await again.untilOpened();
  again.batch(1, entries(5));
  again.batch(6, entries(5));
  again.batch(8, entries(6));
  await again.untilAcked(13);
  const { streams } = await running().stubs.call("getLedger", { sessionId: identity.sessionId });
  expect(streams).toMatchObject([{ committedSeq: 13n, counts: { stored: 13n, rejected: 0n, gapped: 0n }, epoch: 2n }]);
  const { records } = await running().stubs.call("tailRecords", { sessionId: identity.sessionId });
  expect(records.map(({ seq }) => Number(seq)).sort((a, b) => a - b)).toEqual(
    Array.from({ length: 13 }, (_, at) => at + 1),
  );
});

describe("the first message", () => {
  test("must be open", async () => {
    const probe = running().stubs.ingest();
    probe.batch(1, entries(1));
    expect(await probe.untilEnded()).toMatchObject({
      status: "FAILED_PRECONDITION",
      code: "NOT_OPENED",
      message: expect.stringMatching(/batch: the stream is not open; send `open` first and wait/),
    });
  });

  test("and a batch right behind it waits for it", async () => {
    const probe = running().stubs.ingest();
    probe.open(ids());
    probe.batch(1, entries(2));
    probe.batch(3, entries(2));
    await probe.untilAcked(4);
  });

  test("comes once", async () => {
    const { probe, identity } = await opened();
    probe.batch(1, entries(2));
    await probe.untilAcked(2);
    probe.open(identity);
    expect(await probe.untilEnded()).toMatchObject({
      status: "FAILED_PRECONDITION",
      code: "ALREADY_OPENED",
      message: expect.stringMatching(/open: the stream is open; send it once/),
    });
  });

  test("must be something", async () => {
    const probe = running().stubs.ingest();
    probe.send(new Uint8Array());
    expect(await probe.untilEnded()).toMatchObject({
      status: "INVALID_ARGUMENT",
      code: "MALFORMED",
      message: expect.stringMatching(/request: neither open nor batch is set; set one/),
    });
  });

  test("must come at all", async () => {
    const probe = running().stubs.ingest();
    probe.halfClose();
    expect(await probe.untilEnded()).toMatchObject({
      status: "FAILED_PRECONDITION",
      code: "NOT_OPENED",
      message: expect.stringMatching(/ended before `open`; send it first/),
    });
  });
});

describe("half-closing", () => {
  test("commits and acks everything, then ends with OK", async () => {
    const { probe } = await opened();
    for (let seq = 1; seq <= 200; seq++) probe.batch(seq, entries(1));
    probe.halfClose();
    expect(await probe.untilEnded()).toMatchObject({ status: "OK", code: undefined });
    expect(probe.ackedSeq).toBe(200);
  });

  test("right after open, with everything in one breath", async () => {
    const identity = ids();
    const probe = running().stubs.ingest();
    probe.open(identity);
    for (let seq = 1; seq <= 10; seq++) probe.batch(seq, entries(1));
    probe.halfClose();
    expect(await probe.untilEnded()).toMatchObject({ status: "OK" });
    expect(probe.ackedSeq).toBe(10);
    expect((await running().stubs.call("getSession", { sessionId: identity.sessionId })).counts?.stored).toBe(10n);
  });

  test("with nothing sent", async () => {
    const { probe } = await opened();
    probe.halfClose();
    expect(await probe.untilEnded()).toMatchObject({ status: "OK" });
    expect(probe.acks).toEqual([]);
  });
});

test("a declared gap in the middle of a batch takes its numbers", async () => {
  const { probe, identity } = await opened();
  const { sessionId, streamId } = identity;
  probe.batch(1, [...entries(2), gapEntry(10, { type: 5, cause: 1 }), ...entries(3), gapEntry(1), ...entries(1)]);
  await probe.untilAcked(17);
  expect(probe.acks).toEqual([17]);
  const { stubs } = running();
  const { gaps } = await stubs.call("listGaps", { sessionId });
  expect(gaps).toMatchObject([
    { sessionId, streamId, firstSeq: 3n, lastSeq: 12n, type: 5, cause: 1 },
    { sessionId, streamId, firstSeq: 16n, lastSeq: 16n, type: 0, cause: 0 },
  ]);
  const { records } = await stubs.call("listRecords", { sessionId, order: 2 });
  expect(records.map(({ seq }) => Number(seq)).sort((a, b) => a - b)).toEqual([1, 2, 13, 14, 15, 17]);
  expect((await stubs.call("getSession", { sessionId })).counts).toEqual({ stored: 6n, rejected: 0n, gapped: 11n });
});

// One stream, one writer: who may write, who is told what, and when.
import { describe, expect, test } from "vitest";
import { ids, oneServer } from "../../support/grpc/one-server.js";
import { recordEntry, score } from "../../support/records/batches.js";

const running = oneServer();
const entries = (count: number) => Array.from({ length: count }, (_, index) => recordEntry(score(index)));

async function open(change: object) {
  const probe = running().stubs.ingest();
  probe.open(change);
  await probe.untilOpened();
  return probe;
}

test("a second writer is refused, and the first one goes on", async () => {
  const identity = ids();
  const first = await open(identity);
  const second = running().stubs.ingest();
  second.open({ ...identity, writerId: "second" });
  expect(await second.untilEnded()).toMatchObject({
    status: "FAILED_PRECONDITION",
    code: "FENCED",
    message: expect.stringMatching(
      new RegExp(
        `open\\.writer_id: the stream belongs to writer ${identity.writerId}; use a fresh stream_id, or open with takeover`,
      ),
    ),
  });
  first.batch(1, entries(1));
  await first.untilAcked(1);
});

test("a writer whose stream was taken over hears it at once, and is refused when it comes back", async () => {
  const identity = ids();
  const old = await open(identity);
  old.batch(1, entries(4));
  await old.untilAcked(4);
  const heir = await open({ ...identity, writerId: "heir", takeover: true });
  expect(heir.opened).toMatchObject({ epoch: 2n, committedSeq: 4n });
  expect(await old.untilEnded()).toMatchObject({
    status: "FAILED_PRECONDITION",
    code: "FENCED",
    message: expect.stringMatching(/belongs to writer heir/),
  });
  const back = running().stubs.ingest();
  back.open({ ...identity, ackedSeq: 4n });
  expect(await back.untilEnded()).toMatchObject({ status: "FAILED_PRECONDITION", code: "FENCED" });
  heir.batch(5, entries(1));
  await heir.untilAcked(5);
});

test("the same writer's older call ends, the newer one goes on", async () => {
  const identity = ids();
  const older = await open(identity);
  older.batch(1, entries(2));
  await older.untilAcked(2);
  const newer = await open({ ...identity, ackedSeq: 2n });
  expect(newer.opened).toMatchObject({ epoch: 2n, committedSeq: 2n });
  expect(await older.untilEnded()).toMatchObject({
    status: "ABORTED",
    code: "SUPERSEDED",
    message: expect.stringMatching(/opened the stream again; only its newest call goes on/),
  });
  newer.batch(3, entries(1));
  await newer.untilAcked(3);
});

test("many opens of one writer at once leave exactly one call", async () => {
  const identity = ids();
  const probes = Array.from({ length: 10 }, () => running().stubs.ingest());
  for (const probe of probes) probe.open(identity);
  const survivor = () => probes.filter(({ ending }) => ending === undefined);
  await Promise.all(
    probes.map((probe) =>
      probe.until(() => probe.opened !== undefined || probe.ending !== undefined, "an answer", true),
    ),
  );
  for (const probe of probes) {
    await probe.until(() => survivor().length === 1, "one to be left", true);
    if (probe.ending !== undefined) expect(probe.ending).toMatchObject({ status: "ABORTED", code: "SUPERSEDED" });
  }
  const [last] = survivor();
  expect(last?.opened?.epoch).toBe(10n);
  last?.batch(1, entries(1));
  await last?.untilAcked(1);
});

describe("a unary call", () => {
  const write = (identity: object, firstSeq: number, count: number) => ({
    ...identity,
    batch: { firstSeq: BigInt(firstSeq), entries: entries(count) },
  });

  test("of another writer is refused", async () => {
    const identity = ids();
    await open(identity);
    expect(await running().stubs.ending("writeRecords", write({ ...identity, writerId: "x" }, 1, 1))).toMatchObject({
      status: "FAILED_PRECONDITION",
      code: "FENCED",
    });
  });

  test("of the writer of an open stream joins it, and disturbs nothing", async () => {
    const identity = ids();
    const probe = await open(identity);
    probe.batch(1, entries(1));
    await probe.untilAcked(1);
    expect(await running().stubs.call("writeRecords", write(identity, 2, 3))).toEqual({
      committedSeq: 4n,
      rejected: [],
    });
    // The stream's own next number moves with the database, not with this call's memory.
    probe.batch(2, entries(4));
    await probe.untilAcked(5);
    expect(probe.ending).toBeUndefined();
    expect((await running().stubs.call("getSession", { sessionId: identity.sessionId })).counts?.stored).toBe(5n);
  });
});

test("deleting a session ends its writers, if told to", async () => {
  const identity = ids();
  const probe = await open(identity);
  probe.batch(1, entries(3));
  await probe.untilAcked(3);
  const { stubs } = running();
  const { sessionId } = identity;
  expect(await stubs.ending("deleteSession", { sessionId })).toMatchObject({
    status: "FAILED_PRECONDITION",
    code: "SESSION_ACTIVE",
    message: expect.stringMatching(/session_id: a writer holds a stream of it; end the trainer, or set force/),
  });
  expect(await stubs.call("deleteSession", { sessionId, force: true })).toEqual({ deletedRecords: 3n });
  probe.batch(4, entries(1));
  expect(await probe.untilEnded()).toMatchObject({ status: "FAILED_PRECONDITION", code: "FENCED" });
  expect(await stubs.ending("getSession", { sessionId })).toMatchObject({
    status: "NOT_FOUND",
    code: "NOT_FOUND",
    message: `session_id: there is no session ${sessionId}; ListSessions has all of them`,
  });
  expect(await stubs.ending("deleteSession", { sessionId })).toMatchObject({ status: "NOT_FOUND" });
  expect((await stubs.call("tailRecords", { sessionId })).records).toEqual([]);
});

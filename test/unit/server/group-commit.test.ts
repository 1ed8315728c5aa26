import { GROUP_STREAMS_MAX, RETRY_DELAY_MS_MAX } from "@tailkeep/server/dist/limits.js";
import { StoreError } from "@tailkeep/server/dist/store/errors.js";
import { describe, expect, test } from "vitest";
import { batchOf, gapEntry, recordEntry, score, scores } from "../../support/records/batches.js";
import { Fixture } from "./group-commit.fixture.js";

const contention = new StoreError("contention", "deadlock", "ER_LOCK_DEADLOCK");
const unavailable = new StoreError("unavailable", "gone", "ECONNRESET");
const unknownOutcome = new StoreError("unknownOutcome", "COMMIT was not answered", "ECONNRESET");
const refused = new StoreError("refused", "Got a packet bigger than allowed", "ER_NET_PACKET_TOO_LARGE");
const duplicate = new StoreError("duplicate", "row exists", "ER_DUP_ENTRY");

const byName = (a: string | bigint | undefined, b: string | bigint | undefined) => (String(a) < String(b) ? -1 : 1);

describe("company", () => {
  test("what comes together is one transaction, and with none under way it does not wait", async () => {
    const { commit, clock, queues, now } = withQueues(3);
    for (const queue of queues) commit.enqueue(queue, scores(1, 2));
    commit.enqueue(queues[0], scores(3, 1));
    expect(now()).toEqual([]);
    await clock.settle();
    expect(now()).toEqual(["1:1-3 2:1-2 3:1-2"]);
    expect(commit.waitingRecords).toBe(0);
  });

  test("while one is under way the next waits for the group delay", async () => {
    const { commit, clock, queues, now } = withQueues(2);
    commit.enqueue(queues[0], scores(1, 1));
    await clock.settle();
    commit.enqueue(queues[1], scores(1, 1));
    await clock.advance(1);
    expect(now()).toHaveLength(1);
    await clock.advance(1);
    expect(now()).toEqual(["1:1-1", "2:1-1"]);
  });

  test("enough records do not wait", async () => {
    const { commit, clock, queues, now } = withQueues(2);
    commit.enqueue(queues[0], scores(1, 1));
    await clock.settle();
    commit.enqueue(queues[1], scores(1, 1_024));
    await clock.settle();
    expect(now()).toEqual(["1:1-1", "2:1-1024"]);
  });

  test("a transaction has at most so many streams, the others follow", async () => {
    const fixture = new Fixture(1);
    for (let key = 1; key <= GROUP_STREAMS_MAX + 3; key++) fixture.commit.enqueue(fixture.queue(key), scores(1, 1));
    await fixture.clock.settle();
    expect(fixture.transaction().runs).toHaveLength(GROUP_STREAMS_MAX);
    fixture.transaction().commit();
    await fixture.clock.settle();
    expect(fixture.transaction().runs).toHaveLength(3);
  });
});

test("gaps and rejected records count among the entries of a transaction", async () => {
  const fixture = new Fixture(1);
  const queue = fixture.queue(1);
  const gaps = (first: number) =>
    batchOf(
      first,
      Array.from({ length: 4_096 }, () => gapEntry(1)),
    );
  for (let at = 0; at < 3; at++) fixture.commit.enqueue(queue, gaps(1 + at * 4_096));
  await fixture.clock.settle();
  expect(fixture.underWay).toEqual(["1:1-8192"]);
});

describe("order", () => {
  test("a stream is in one transaction at a time, whatever lanes are free", async () => {
    const { commit, clock, queues, now, transaction, heard } = withQueues(2);
    commit.enqueue(queues[0], scores(1, 1));
    await clock.settle();
    commit.enqueue(queues[0], scores(2, 2_000));
    commit.enqueue(queues[1], scores(1, 1));
    await clock.advance(10);
    expect(now()).toEqual(["1:1-1", "2:1-1"]);
    transaction(1).commit();
    await clock.advance(10);
    expect(now()).toEqual(["1:1-1"]);
    transaction().commit();
    await clock.settle();
    expect(now()).toEqual(["1:2-2001"]);
    transaction().commit();
    await clock.settle();
    expect(heard).toEqual(["2 committed 1-1", "1 committed 1-1", "1 committed 2-2001"]);
  });

  test("two calls of one stream never have a transaction each", async () => {
    const { commit, clock, now, transaction, queue } = withQueues(0);
    commit.enqueue(queue(1), scores(1, 1));
    await clock.settle();
    commit.enqueue(queue(1), scores(2, 2_000));
    await clock.advance(10);
    expect(now()).toEqual(["1:1-1"]);
    transaction().commit();
    await clock.settle();
    expect(now()).toEqual(["1:2-2001"]);
  });
});

describe("failures", () => {
  test("a passing one is repeated until it is decided, later and later, and nobody hears of it", async () => {
    const { commit, clock, queues, now, transaction, heard } = withQueues(1);
    commit.enqueue(queues[0], scores(1, 3));
    await clock.settle();
    const waitedMs: number[] = [];
    for (let attempt = 1; attempt <= 10; attempt++) {
      transaction().fail(unavailable);
      await clock.settle();
      let ms = 0;
      while (now().length === 0) {
        await clock.advance(1);
        ms++;
      }
      waitedMs.push(ms);
    }
    const doubling = [10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 5_120];
    expect(waitedMs).toEqual(doubling.map((most) => Math.min(most, RETRY_DELAY_MS_MAX / 2)));
    transaction().commit();
    await clock.settle();
    expect(heard.slice(-2)).toEqual(["recovered", "1 committed 1-3"]);
    expect(heard).toHaveLength(12);
  });

  test("an unknown outcome that was committed is told once, with what the store refused then", async () => {
    const { commit, clock, queues, store, transaction, heard } = withQueues(1);
    store.poison.add(2);
    const bad = recordEntry(score(1, 2 ** 53));
    commit.enqueue(queues[0], batchOf(1, [recordEntry(score(1)), recordEntry(score(2)), bad, gapEntry(2)]));
    await clock.settle();
    transaction().commitUnanswered(unknownOutcome);
    await clock.advance(20);
    transaction().commit();
    await clock.settle();
    expect(heard).toEqual(["retry 1 unknownOutcome", "recovered", "1 committed 1-5 -2 -3"]);
    expect(store.stored.get(1n)).toEqual([1]);
    expect(store.streams.get(1n)).toMatchObject({ committedSeq: 5, rejected: 2, gapped: 2 });
  });

  test("after a lock wait halves are tried, and the streams beside the locked one go on without it", async () => {
    const { commit, clock, queues, store, heard } = withQueues(8);
    for (const queue of queues) commit.enqueue(queue, scores(1, 1));
    const locked = 3n;
    const answer = async () => {
      for (const transaction of store.pending.slice()) {
        if (transaction.runs.some((run) => run.key === locked)) transaction.fail(contention);
        else transaction.commit();
      }
      await clock.advance(5);
    };
    for (let round = 0; round < 8; round++) await answer();
    const done = () =>
      heard
        .filter((each) => each.includes("committed"))
        .map((each) => each.split(" ")[0])
        .sort(byName);
    expect(done()).toEqual(["1", "2", "4", "5", "6", "7", "8"]);
    // For hours, if need be.
    for (const queue of queues) commit.enqueue(queue, scores(2, 1));
    for (let round = 0; round < 40; round++) await answer();
    expect(done()).toHaveLength(14);
    expect(store.pending.length).toBeLessThanOrEqual(1);
    for (let round = 0; round < 100 && done().length < 15; round++) {
      for (const transaction of store.pending.slice()) transaction.commit();
      await clock.advance(100);
    }
    expect(store.stored.get(locked)).toEqual([1, 2]);
  });

  test("two locked streams leave the lanes to the others", async () => {
    const { commit, clock, queues, store } = withQueues(6);
    for (let seq = 1; seq <= 20; seq++) {
      for (const queue of queues) commit.enqueue(queue, scores(seq, 1));
      for (let round = 0; round < 10; round++) {
        for (const transaction of store.pending.slice()) {
          if (transaction.runs.some((run) => run.key <= 2n)) transaction.fail(contention);
          else transaction.commit();
        }
        await clock.advance(10);
      }
    }
    expect([...store.stored.keys()].sort(byName)).toEqual([3n, 4n, 5n, 6n]);
    expect(store.stored.get(6n)).toHaveLength(20);
  });

  test("a stream that the store refuses for ever is found and waits without a lane; the others go on", async () => {
    const { commit, clock, queues, store, heard } = withQueues(8);
    for (const queue of queues) commit.enqueue(queue, scores(1, 1));
    const answer = async () => {
      for (const transaction of store.pending.slice()) {
        if (transaction.runs.some((run) => run.key === 3n)) transaction.fail(refused);
        else transaction.commit();
      }
      await clock.advance(100);
    };
    await clock.settle();
    for (let tried = 1; tried <= 3; tried++) {
      expect(store.pending.map(({ runs }) => runs.length)).toEqual([8]);
      await answer();
    }
    for (let round = 0; round < 30; round++) await answer();
    const done = () =>
      heard
        .filter((each) => each.includes("committed"))
        .map((each) => each.split(" ")[0])
        .sort(byName);
    expect(done()).toEqual(["1", "2", "4", "5", "6", "7", "8"]);
    for (let seq = 2; seq <= 20; seq++) {
      for (const queue of queues) commit.enqueue(queue, scores(seq, 1));
      await answer();
      await answer();
    }
    expect(store.stored.get(8n)).toHaveLength(20);
    // The operator mends it.
    for (let round = 0; round < 40; round++) {
      for (const transaction of store.pending.slice()) transaction.commit();
      await clock.advance(100);
    }
    expect(store.stored.get(3n)).toHaveLength(20);
    expect(heard).toContain("recovered");
    await commit.drained();
  });

  test("a row that exists already stops its stream, alone", async () => {
    const { commit, clock, queues, store, heard } = withQueues(4);
    for (const queue of queues) commit.enqueue(queue, scores(1, 1));
    for (let round = 0; round < 6; round++) {
      await clock.advance(5);
      for (const transaction of store.pending.slice()) {
        if (transaction.runs.some((run) => run.key === 2n)) transaction.fail(duplicate);
        else transaction.commit();
      }
    }
    await clock.settle();
    // The cause is for the log; the stream's owner hears only that it is over.
    expect(heard.indexOf("broken: row exists")).toBeLessThan(heard.indexOf("2 broken"));
    const ends = ["1 committed 1-1", "2 broken", "3 committed 1-1", "4 committed 1-1", "broken: row exists"];
    expect(heard.sort(byName)).toEqual(ends);
    expect(() => commit.enqueue(queues[1], scores(2, 1))).toThrow("closed stream");
    await commit.drained();
  });

  test.each([
    ["fenced", { writerId: "other" }],
    ["superseded", { epoch: 9 }],
    ["hole", { committedSeq: -5 }],
  ])("a stream that is %s ends, with what waits behind it", async (kind, change) => {
    const { commit, clock, queues, store, heard, transaction } = withQueues(2);
    for (const queue of queues) commit.enqueue(queue, scores(1, 1));
    await clock.settle();
    Object.assign(store.streams.get(2n) as object, change);
    commit.enqueue(queues[1], scores(2, 1));
    transaction().commit();
    await clock.advance(10);
    expect(heard).toEqual(["1 committed 1-1", `2 ${kind}`]);
    expect(commit.waitingRecords).toBe(0);
    await commit.drained();
  });

  test("a listener that throws ends its own stream", async () => {
    const fixture = new Fixture();
    const good = fixture.queue(1);
    const bad = fixture.queue(2);
    const { listener } = bad;
    listener.committed = () => {
      throw new Error("assertion");
    };
    fixture.commit.enqueue(bad, scores(1, 1));
    fixture.commit.enqueue(good, scores(1, 1));
    await fixture.clock.settle();
    fixture.transaction().commit();
    await fixture.clock.settle();
    expect(fixture.heard).toEqual(["broken: Error: assertion", "2 broken", "1 committed 1-1"]);
    await fixture.commit.drained();
  });

  test("a listener that throws whatever it is told neither repeats the transaction nor keeps others from hearing", async () => {
    const fixture = new Fixture();
    const [before, bad, after] = [fixture.queue(1), fixture.queue(2), fixture.queue(3)];
    const refuse = () => {
      throw new Error("assertion");
    };
    Object.assign(bad.listener, { committed: refuse, failed: refuse });
    for (const queue of [before, bad, after]) fixture.commit.enqueue(queue, scores(1, 1));
    await fixture.clock.settle();
    fixture.transaction().commit();
    await fixture.clock.settle();
    expect(fixture.underWay).toEqual([]);
    expect(fixture.heard).toEqual([
      "1 committed 1-1",
      "broken: Error: assertion",
      "broken: its listener threw: Error: assertion",
      "3 committed 1-1",
    ]);
    await fixture.commit.drained();
  });
});

describe("ending", () => {
  test("what waits is dropped, what is under way goes on", async () => {
    const { commit, clock, queues, transaction, heard, store } = withQueues(1);
    const [first, second] = [scores(1, 1), scores(2, 1)];
    commit.enqueue(queues[0], first);
    await clock.settle();
    commit.enqueue(queues[0], second);
    expect(commit.abandon(queues[0])).toEqual([second]);
    expect(commit.waitingRecords).toBe(0);
    const drained = commit.drained();
    transaction().commit();
    await drained;
    expect(heard).toEqual(["1 committed 1-1"]);
    expect(store.stored.get(1n)).toEqual([1]);
  });

  test("a stream whose writer is gone is not tried again", async () => {
    const { commit, clock, queues, transaction, heard, now } = withQueues(2);
    commit.enqueue(queues[0], scores(1, 1));
    await clock.settle();
    commit.enqueue(queues[1], scores(1, 1));
    await clock.advance(5);
    commit.abandon(queues[0]);
    transaction(0).fail(contention);
    transaction(0).fail(contention);
    await clock.settle();
    // Set aside, and given up meanwhile.
    const dropped = commit.abandon(queues[1]);
    expect(dropped).toHaveLength(1);
    await clock.advance(5_000);
    // The first hears of it, because it has what it was charged for to give back.
    expect(heard.filter((each) => !each.startsWith("retry"))).toEqual(["1 superseded"]);
    expect(now()).toEqual([]);
    expect(commit.waitingRecords).toBe(0);
    await commit.drained();
  });

  test("drained waits for what waits, what is under way and what is to be repeated", async () => {
    const { commit, clock, queues, store, transaction } = withQueues(2);
    let isDrained = false;
    for (const queue of queues) commit.enqueue(queue, scores(1, 1));
    void commit.drained().then(() => {
      isDrained = true;
    });
    await clock.settle();
    for (let failures = 0; failures < 3; failures++) {
      transaction().fail(contention);
      await clock.settle();
      expect(isDrained).toBe(false);
    }
    for (let round = 0; round < 20 && !isDrained; round++) {
      await clock.advance(50);
      for (const each of store.pending.slice()) each.commit();
    }
    await clock.advance(50);
    expect(isDrained).toBe(true);
  });

  test("stop ends the waiting between attempts", async () => {
    const { commit, clock, queues, transaction, now } = withQueues(1);
    commit.enqueue(queues[0], scores(1, 1));
    await clock.settle();
    transaction().fail(unavailable);
    await clock.settle();
    commit.stop();
    await clock.advance(5_000);
    expect(now()).toEqual([]);
    await commit.drained();
  });
});

type Queues = [ReturnType<Fixture["queue"]>, ReturnType<Fixture["queue"]>, ...ReturnType<Fixture["queue"]>[]];

function withQueues(count: number) {
  const fixture = new Fixture();
  const queues = Array.from({ length: count }, (_, index) => fixture.queue(index + 1)) as Queues;
  return {
    commit: fixture.commit,
    clock: fixture.clock,
    store: fixture.store,
    heard: fixture.heard,
    queues,
    now: () => fixture.underWay,
    queue: (key: number) => fixture.queue(key),
    transaction: (index?: number) => fixture.transaction(index),
  };
}

import { type Record as WireRecord, Record as WireRecordMessage } from "@tailkeep/proto";
import type { Run } from "@tailkeep/server/dist/store/store.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { asStored, validRecord } from "../support/records/arbitrary.js";
import { batchOf, gapEntry, recordEntry, score, scores } from "../support/records/batches.js";
import { everyStore } from "./support/stores.js";
import { opened, unique, Writer } from "./support/writer.js";

const RECEIVED_US = 1_700_000_000_000_000;

function sessionRecord(change: object): WireRecord {
  const none = {
    status: undefined,
    durationSeconds: undefined,
    actionsTaken: undefined,
    score: undefined,
    win: undefined,
    metadataJson: undefined,
  };
  return { eventTimeUs: 5n, kind: { $case: "sessionHistory", value: { gameId: "g", ...none, ...change } } };
}

everyStore((fixture) => {
  describe("what is stored", () => {
    test("any records of all six types come back as they were", async () => {
      const { store } = fixture();
      await fc.assert(
        fc.asyncProperty(fc.array(validRecord, { minLength: 1, maxLength: 25 }), async (records) => {
          const writer = await Writer.open(store);
          await writer.commit(batchOf(1, records.map(recordEntry), RECEIVED_US));
          expect(await writer.stored()).toEqual(
            records.map((record, index) => [index + 1, asStored(record, BigInt(RECEIVED_US))]),
          );
        }),
        { numRuns: 40 },
      );
    });

    test("null is not zero, false not absent, empty not missing, and what is not finite comes back", async () => {
      const writer = await Writer.open(fixture().store);
      const records = [
        sessionRecord({}),
        sessionRecord({ score: 0, durationSeconds: 0, actionsTaken: 0n, win: false, status: "" }),
        sessionRecord({ score: Number.NaN, durationSeconds: Number.NEGATIVE_INFINITY, actionsTaken: -1n, win: true }),
        sessionRecord({ score: Number.POSITIVE_INFINITY, actionsTaken: BigInt(Number.MAX_SAFE_INTEGER) }),
        sessionRecord({
          score: 5e-324,
          durationSeconds: 1.7976931348623157e308,
          actionsTaken: BigInt(Number.MIN_SAFE_INTEGER),
        }),
        sessionRecord({ score: 0.1 + 0.2, durationSeconds: 9_007_199_254_740_994 }),
      ];
      await writer.commit(batchOf(1, records.map(recordEntry)));
      expect(await writer.stored()).toEqual(records.map((record, index) => [index + 1, record]));
    });

    test("JSON comes back to the character, the largest too", async () => {
      const writer = await Writer.open(fixture().store);
      const texts = [
        '{"quote":"\\"","backslash":"\\\\","control":"\\u0000\\u001f\\n","astral":"😀\\ud83d\\ude00"}',
        " [ 1,\r\n\t2 ] ",
        '{"b":1,"a":2,"b":3}',
        "1e400",
        '"%_\'`;--"',
        `"${"語".repeat(87_380)}"`,
        JSON.stringify({ x: "\\'\"".repeat(40_000) }).slice(0, 262_144),
      ].filter((text) => {
        try {
          JSON.parse(text);
          return Buffer.byteLength(text) <= 262_144;
        } catch {
          return false;
        }
      });
      expect(texts.length).toBeGreaterThanOrEqual(6);
      await writer.commit(
        batchOf(
          1,
          texts.map((metadataJson) => recordEntry(sessionRecord({ metadataJson }))),
        ),
      );
      const stored = await writer.stored();
      expect(stored.map(([, { kind }]) => (kind?.$case === "sessionHistory" ? kind.value.metadataJson : ""))).toEqual(
        texts,
      );
    });

    test("nothing of a text is code", async () => {
      const { store, sql } = fixture();
      const evil = "'; DROP TABLE streams; -- \\' \" ` /* */ $x ? :a @b \\";
      const writer = await Writer.open(store, {
        sessionId: `${unique()} ${evil}`.slice(0, 100).trim(),
        streamId: evil,
        writerId: evil,
      });
      const record = sessionRecord({ status: evil, metadataJson: JSON.stringify({ [evil]: evil }) });
      await writer.commit(batchOf(1, [recordEntry(record)]));
      expect(await writer.stored()).toEqual([[1, record]]);
      expect((await sql("SELECT COUNT(*) AS n FROM streams"))[0]).toBeDefined();
    });
  });

  describe("sequence", () => {
    test("a run that is partly committed is cut down to what is new", async () => {
      const writer = await Writer.open(fixture().store);
      await writer.commit(scores(1, 5));
      expect(await writer.commit(scores(3, 5))).toMatchObject({
        committedSeq: 7,
        alreadyUpTo: 5,
        counts: { stored: 7 },
      });
      expect(await writer.commit(scores(1, 7))).toMatchObject({
        committedSeq: 7,
        alreadyUpTo: 7,
        counts: { stored: 7 },
      });
      expect(await writer.storedSeqs()).toEqual([1, 2, 3, 4, 5, 6, 7]);
    });

    test("an overlap inside a gap keeps the rest of the gap, and refusals are not stored twice", async () => {
      const { store } = fixture();
      const writer = await Writer.open(store);
      const bad = recordEntry(score(1, 2 ** 53));
      await writer.commit(batchOf(1, [bad, gapEntry(3)]));
      // As a writer that declares its losses anew after a reconnect: longer, because it lost more.
      const outcome = await writer.commit(batchOf(1, [bad, gapEntry(9), recordEntry(score(1)), bad]));
      expect(outcome).toMatchObject({ committedSeq: 12, counts: { stored: 1, rejected: 2, gapped: 9 } });
      const gaps = await store.reads.listGaps("default", writer.request.sessionId, undefined, 10);
      expect(gaps.map(({ firstSeq, lastSeq }) => [firstSeq, lastSeq])).toEqual([
        [2, 4],
        [5, 10],
      ]);
      const letters = await store.reads.listDeadLetters("default", writer.request.sessionId, undefined, 10);
      expect(letters.map(({ seq }) => seq)).toEqual([1, 12]);
    });

    test("a hole is refused with the number that is expected", async () => {
      const writer = await Writer.open(fixture().store);
      expect(await writer.outcome(scores(2, 1))).toEqual({ kind: "hole", expectedSeq: 1 });
      await writer.commit(scores(1, 3));
      expect(await writer.outcome(scores(5, 1))).toEqual({ kind: "hole", expectedSeq: 4 });
      expect(await writer.storedSeqs()).toEqual([1, 2, 3]);
    });

    test("several batches are one run, in order", async () => {
      const writer = await Writer.open(fixture().store);
      const mixed = batchOf(4, [gapEntry(2), recordEntry(sessionRecord({ status: "x" })), recordEntry(score(7))]);
      expect(await writer.commit(scores(1, 3), mixed, scores(8, 2))).toMatchObject({
        committedSeq: 9,
        counts: { stored: 7, gapped: 2, rejected: 0 },
      });
      expect(await writer.storedSeqs()).toEqual([1, 2, 3, 6, 7, 8, 9]);
    });

    test("a large run of all types keeps its order", async () => {
      const writer = await Writer.open(fixture().store);
      const records = fc.sample(validRecord, { numRuns: 2_500, seed: 1 });
      const parts = [records.slice(0, 1_000), records.slice(1_000)];
      await writer.commit(
        batchOf(1, parts[0]?.map(recordEntry) ?? [], 1),
        batchOf(1_001, parts[1]?.map(recordEntry) ?? [], 1),
      );
      expect(await writer.stored()).toEqual(records.map((record, index) => [index + 1, asStored(record, 1n)]));
    });

    test("the last numbers that there are", async () => {
      const { store } = fixture();
      const last = Number.MAX_SAFE_INTEGER;
      const writer = await Writer.open(store, { ackedSeq: last - 2 });
      expect(writer.opened).toMatchObject({ committedSeq: last - 2, regressed: { firstSeq: 1, lastSeq: last - 2 } });
      expect(await writer.commit(scores(last - 1, 2, () => 7))).toMatchObject({ committedSeq: last });
      expect(await writer.storedSeqs()).toEqual([last - 1, last]);
      expect(await store.reads.sessionTotals("default", writer.request.sessionId)).toMatchObject({
        counts: { stored: 2, gapped: last - 2 },
      });
    });
  });

  describe("several streams in one transaction", () => {
    test("each is decided for itself, in the order that was asked", async () => {
      const { store } = fixture();
      const good = await Writer.open(store);
      const fenced = await Writer.open(store);
      await Writer.open(store, { ...fenced.request, writerId: "heir", takeover: true });
      const superseded = await Writer.open(store);
      await opened(store, superseded.request);
      const holed = await Writer.open(store);
      const also = await Writer.open(store, { namespace: "other" });
      const runs: Run[] = [
        holed.run(scores(9, 1)),
        good.run(scores(1, 2)),
        fenced.run(scores(1, 1)),
        also.run(batchOf(1, [gapEntry(4, { type: 5, cause: 1 })])),
        superseded.run(scores(1, 1)),
      ];
      expect(await store.commit(runs)).toEqual([
        { kind: "hole", expectedSeq: 1 },
        expect.objectContaining({ kind: "committed", committedSeq: 2 }),
        { kind: "fenced", writerId: "heir" },
        expect.objectContaining({ kind: "committed", committedSeq: 4, counts: { stored: 0, rejected: 0, gapped: 4 } }),
        { kind: "superseded" },
      ]);
      expect(await good.storedSeqs()).toEqual([1, 2]);
      expect(await holed.storedSeqs()).toEqual([]);
      expect(await fenced.storedSeqs()).toEqual([]);
    });

    test("five hundred of them", async () => {
      const { store } = fixture();
      const sessionId = unique();
      const writers: Writer[] = [];
      for (let at = 0; at < 500; at += 50) {
        writers.push(...(await Promise.all(Array.from({ length: 50 }, () => Writer.open(store, { sessionId })))));
      }
      const outcomes = await store.commit(writers.map((writer, index) => writer.run(scores(1, 1 + (index % 3)))));
      expect(outcomes.every(({ kind }) => kind === "committed")).toBe(true);
      const streams = await store.reads.streamsOf("default", [sessionId], 1_000);
      expect(streams.reduce((sum, { committedSeq }) => sum + committedSeq, 0)).toBe(167 + 167 * 2 + 166 * 3);
    });

    test("at the same moment, and none waits for ever", async () => {
      const { store } = fixture();
      const writers = await Promise.all(Array.from({ length: 12 }, () => Writer.open(store)));
      const half = writers.length / 2;
      for (let round = 0; round < 5; round++) {
        const batch = scores(round * 3 + 1, 3);
        await Promise.all([
          store.commit(writers.slice(0, half).map((writer) => writer.run(batch))),
          store.commit(
            writers
              .slice(half)
              .reverse()
              .map((writer) => writer.run(batch)),
          ),
          opened(store, { ...(writers[0] as Writer).request, mode: "attach" }),
        ]);
      }
      for (const writer of writers) expect(await writer.storedSeqs()).toHaveLength(15);
    });
  });

  describe("what cannot be stored", () => {
    test("is kept with its reason, and its neighbours are stored", async () => {
      const { store } = fixture();
      const writer = await Writer.open(store);
      const bad = score(3, 2 ** 53);
      const outcome = await writer.commit(batchOf(1, [recordEntry(score(1)), recordEntry(bad), recordEntry(score(2))]));
      expect(outcome).toMatchObject({ committedSeq: 3, counts: { stored: 2, rejected: 1, gapped: 0 } });
      expect(outcome.rejected).toMatchObject([{ seq: 2, reason: 3, field: "record.event_time_us" }]);
      const [letter] = await store.reads.listDeadLetters("default", writer.request.sessionId, undefined, 10);
      expect(letter).toMatchObject({ seq: 2, type: 5, reason: 3, streamId: writer.request.streamId });
      expect(WireRecordMessage.decode(letter?.body as Uint8Array)).toEqual(bad);
    });

    test("a row that only the database refuses becomes a dead letter, alone", async () => {
      const { store, sql, dialect } = fixture();
      await sql(
        dialect === "sqlite"
          ? `CREATE TRIGGER poison BEFORE INSERT ON score_history_rows WHEN NEW.score = 666.5
             BEGIN SELECT RAISE(ABORT, 'poisoned'); END`
          : `CREATE TRIGGER poison BEFORE INSERT ON score_history_rows FOR EACH ROW
             BEGIN IF NEW.score = 666.5 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'poisoned'; END IF; END`,
      );
      try {
        const writer = await Writer.open(store);
        const poison = score(666.5, 77, "a game of 'its' own");
        const entries = Array.from({ length: 500 }, (_, index) =>
          recordEntry(index === 321 ? poison : score(index, index)),
        );
        const outcome = await writer.commit(batchOf(1, entries));
        expect(outcome).toMatchObject({ committedSeq: 500, counts: { stored: 499, rejected: 1, gapped: 0 } });
        expect(outcome.rejected).toMatchObject([{ seq: 322, type: 5, reason: 4, field: "score_history" }]);
        expect(outcome.rejected[0]?.message).toContain("poisoned");
        const seqs = await writer.storedSeqs();
        expect(seqs).toHaveLength(499);
        expect(seqs).not.toContain(322);
        const [letter] = await store.reads.listDeadLetters("default", writer.request.sessionId, undefined, 10);
        expect(WireRecordMessage.decode(letter?.body as Uint8Array)).toEqual(poison);
        // Sent again it is known already.
        expect(await writer.commit(batchOf(1, entries))).toMatchObject({
          alreadyUpTo: 500,
          counts: { stored: 499, rejected: 1 },
        });
      } finally {
        await sql("DROP TRIGGER poison");
      }
    });

    test("bodies are kept within the namespace's quota, the reasons always", async () => {
      const { another } = fixture();
      const namespace = unique("n");
      const store = another({ deadLetterBytesMax: 250 });
      await store.start().catch((error: { code?: string }) => {
        // A second server on one SQLite file is refused: there the quota is tested on a file of its own.
        if (error.code !== "SECOND_SERVER") throw error;
      });
      const usable = await store.ping().then(
        () => store,
        async () => {
          const { store: own } = await fixture().onEmptyDatabase({ deadLetterBytesMax: 250 });
          await own.start();
          return own;
        },
      );
      const writer = await Writer.open(usable, { namespace });
      const long = score(1, 2 ** 53, "x".repeat(90));
      await writer.commit(batchOf(1, [long, long, long].map(recordEntry)));
      await writer.commit(batchOf(4, [long].map(recordEntry)));
      const letters = await usable.reads.listDeadLetters(namespace, writer.request.sessionId, undefined, 10);
      expect(letters.map(({ body }) => body !== null)).toEqual([true, true, false, false]);
      expect(letters.map(({ reason }) => reason)).toEqual([3, 3, 3, 3]);
    });
  });

  test("a row above the watermark that exists already stops everything, and nothing of it is stored", async () => {
    const { store, sql } = fixture();
    const [broken, innocent] = [await Writer.open(store), await Writer.open(store)];
    await broken.commit(scores(1, 5));
    await sql(`UPDATE streams SET committed_seq = 3, stored_score_history = 3 WHERE stream = ${broken.key}`);
    await expect(store.commit([broken.run(scores(4, 3)), innocent.run(scores(1, 1))])).rejects.toMatchObject({
      name: "StoreError",
      kind: "duplicate",
      retryable: false,
    });
    expect(await innocent.storedSeqs()).toEqual([]);
    expect(await broken.storedSeqs()).toEqual([1, 2, 3, 4, 5]);
    await innocent.commit(scores(1, 1));
  });

  test("counts that do not add up stop the stream", async () => {
    const { store, sql } = fixture();
    const writer = await Writer.open(store);
    await writer.commit(scores(1, 2));
    await sql(`UPDATE streams SET gapped = 1 WHERE stream = ${writer.key}`);
    await expect(writer.outcome(scores(3, 1))).rejects.toMatchObject({ kind: "broken", retryable: false });
    expect(await writer.storedSeqs()).toEqual([1, 2]);
  });
});

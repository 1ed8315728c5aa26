// Listings against the plainest model there is: all records in one array, filtered and sorted.
import type { Record as WireRecord } from "@tailkeep/proto";
import { PAGE_BYTES_MAX } from "@tailkeep/server/dist/limits.js";
import { rowBytes } from "@tailkeep/server/dist/record/stored-row.js";
import type { RecordQuery } from "@tailkeep/server/dist/store/reads/records.js";
import type { Store } from "@tailkeep/server/dist/store/store.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { batchOf, gapEntry, recordEntry, score, scores } from "../support/records/batches.js";
import { everyStore } from "./support/stores.js";
import { ALL_TABLES, unique, Writer } from "./support/writer.js";

interface Modelled {
  session: string;
  game: string;
  table: number;
  timeUs: number;
  stream: bigint;
  seq: number;
}

const KINDS: ((gameId: string) => WireRecord["kind"])[] = [
  (gameId) => ({
    $case: "performanceHistory",
    value: { gameId, score: 1, winRate: undefined, learningEfficiency: undefined, metadataJson: undefined },
  }),
  (gameId) => ({
    $case: "sessionHistory",
    value: {
      gameId,
      status: undefined,
      durationSeconds: undefined,
      actionsTaken: 1n,
      score: undefined,
      win: undefined,
      metadataJson: undefined,
    },
  }),
  (gameId) => ({
    $case: "actionTracking",
    value: { gameId, actionType: "a", actionSequenceJson: undefined, effectiveness: undefined, contextJson: undefined },
  }),
  (gameId) => ({ $case: "scoreHistory", value: { gameId, score: 1, scoreType: undefined } }),
  (gameId) => ({
    $case: "coordinateTracking",
    value: {
      gameId,
      coordinateX: 1,
      coordinateY: 2,
      actionType: undefined,
      success: undefined,
      contextJson: undefined,
    },
  }),
  (gameId) => ({
    $case: "frameTracking",
    value: { gameId, frameHash: "h", frameAnalysisJson: undefined, stagnationDetected: undefined },
  }),
];

const BASE_US = 1_700_000_000_000_000;
// Few times, so that there are many ties; odd ones, as trainers with a broken clock write them.
const offsetUs = fc.oneof(fc.nat({ max: 6 }), fc.constantFrom(-BASE_US, -BASE_US - 1, 7_000_000_000_000_000));
const timeUs = offsetUs.map((offset) => BASE_US + offset);

const written = fc.array(
  fc.record({ stream: fc.nat({ max: 3 }), table: fc.nat({ max: 5 }), game: fc.nat({ max: 1 }), timeUs }),
  { minLength: 1, maxLength: 60 },
);
const question = fc.record({
  bySession: fc.option(fc.nat({ max: 1 }), { nil: undefined }),
  byGame: fc.option(fc.nat({ max: 1 }), { nil: undefined }),
  tables: fc.oneof(
    fc.constant(ALL_TABLES),
    fc.uniqueArray(fc.nat({ max: 5 }), { minLength: 1 }).map((all) => all.sort((a, b) => a - b)),
  ),
  sinceUs: fc.option(timeUs, { nil: undefined, freq: 2 }),
  untilUs: fc.option(timeUs, { nil: undefined, freq: 2 }),
  newestFirst: fc.boolean(),
  limit: fc.integer({ min: 1, max: 25 }),
});

/** Streams 0 and 1 are in session 0, 2 and 3 in session 1; the games are shared by both. */
async function write(
  store: Store,
  namespace: string,
  list: { stream: number; table: number; game: number; timeUs: number }[],
) {
  const sessions = [unique(), unique()];
  const model: Modelled[] = [];
  for (let stream = 0; stream < 4; stream++) {
    const own = list.filter((each) => each.stream === stream);
    if (own.length === 0) continue;
    const sessionId = sessions[stream >> 1] as string;
    const writer = await Writer.open(store, { namespace, sessionId });
    const records = own.map(
      ({ table, game, timeUs: us }): WireRecord => ({ eventTimeUs: BigInt(us), kind: KINDS[table]?.(`game-${game}`) }),
    );
    await writer.commit(batchOf(1, records.map(recordEntry)));
    own.forEach(({ table, game, timeUs: us }, index) => {
      model.push({ session: sessionId, game: `game-${game}`, table, timeUs: us, stream: writer.key, seq: index + 1 });
    });
  }
  return { sessions, model };
}

function position({ timeUs: us, stream, seq }: { timeUs: number; stream: bigint; seq: number }): string {
  return `${us} ${stream} ${seq}`;
}

function expected(model: readonly Modelled[], query: RecordQuery): string[] {
  const found = model
    .filter(({ session }) => query.sessionId === undefined || session === query.sessionId)
    .filter(({ game }) => query.gameId === undefined || game === query.gameId)
    .filter(({ table }) => query.tables.includes(table))
    .filter(({ timeUs: us }) => query.sinceUs === undefined || us >= query.sinceUs)
    .filter(({ timeUs: us }) => query.untilUs === undefined || us < query.untilUs)
    .sort((a, b) => a.timeUs - b.timeUs || (a.stream < b.stream ? -1 : a.stream > b.stream ? 1 : a.seq - b.seq));
  if (query.newestFirst) found.reverse();
  return found.map(position);
}

async function allPages(store: Store, query: RecordQuery): Promise<{ found: string[]; pages: number[] }> {
  const found: string[] = [];
  const pages: number[] = [];
  let { after } = query;
  for (;;) {
    const { rows, next } = await store.reads.listRecords({ ...query, after });
    found.push(...rows.map(position));
    pages.push(rows.length);
    if (next === undefined) return { found, pages };
    after = next;
  }
}

everyStore((fixture) => {
  describe("records", () => {
    test("any question in any pages is what the model says, without repeat or hole", async () => {
      const { store } = fixture();
      await fc.assert(
        fc.asyncProperty(written, fc.array(question, { minLength: 4, maxLength: 8 }), async (list, questions) => {
          const namespace = unique("n");
          const { sessions, model } = await write(store, namespace, list);
          for (const { bySession, byGame, ...rest } of questions) {
            const query: RecordQuery = {
              ...rest,
              namespace,
              sessionId: bySession === undefined && byGame === undefined ? sessions[0] : sessions[bySession ?? 9],
              gameId: byGame === undefined ? undefined : `game-${byGame}`,
              key: undefined,
              after: undefined,
            };
            const { found, pages } = await allPages(store, query);
            expect(found).toEqual(expected(model, query));
            expect(pages.slice(0, -1).every((size) => size === query.limit)).toBe(true);
          }
        }),
        { numRuns: 25 },
      );
    });

    test("a page ends where it would be too large, and the next goes on there", async () => {
      const { store } = fixture();
      const writer = await Writer.open(store);
      const large = (timeUs: number): WireRecord => ({
        eventTimeUs: BigInt(timeUs),
        kind: {
          $case: "frameTracking",
          value: {
            gameId: "g",
            frameHash: "h",
            frameAnalysisJson: `"${"x".repeat(200_000)}"`,
            stagnationDetected: true,
          },
        },
      });
      for (let seq = 1; seq <= 24; seq += 4) {
        await writer.commit(
          batchOf(
            seq,
            [0, 1, 2, 3].map((index) => recordEntry(large(seq + index))),
          ),
        );
      }
      const query = {
        namespace: "default",
        sessionId: writer.request.sessionId,
        gameId: undefined,
        tables: ALL_TABLES,
        key: undefined,
        sinceUs: undefined,
        untilUs: undefined,
        newestFirst: true,
        limit: 1_000,
        after: undefined,
      };
      const first = await store.reads.listRecords(query);
      expect(first.rows.reduce((sum, row) => sum + rowBytes(row), 0)).toBeLessThanOrEqual(PAGE_BYTES_MAX);
      const { found, pages } = await allPages(store, query);
      expect(pages).toEqual([10, 10, 4]);
      expect(new Set(found).size).toBe(24);
    });

    test("a page goes on where it was while records are added and a stream's row is gone", async () => {
      const { store } = fixture();
      const writer = await Writer.open(store);
      await writer.commit(scores(1, 10));
      const query = {
        namespace: "default",
        sessionId: writer.request.sessionId,
        gameId: undefined,
        tables: [3],
        key: undefined,
        sinceUs: undefined,
        untilUs: undefined,
        newestFirst: true,
        limit: 4,
        after: undefined,
      };
      const { next } = await store.reads.listRecords(query);
      await writer.commit(scores(11, 5));
      const rest = await allPages(store, { ...query, after: next });
      expect(rest.found.map((each) => Number(each.split(" ")[2]))).toEqual([6, 5, 4, 3, 2, 1]);
    });

    test("a range of a stream, of some types, cut where asked", async () => {
      const { store } = fixture();
      const writer = await Writer.open(store);
      const entries = Array.from({ length: 60 }, (_, index) =>
        recordEntry({ eventTimeUs: BigInt(60 - index), kind: KINDS[index % 6]?.("g") }),
      );
      await writer.commit(batchOf(1, entries));
      const seqs = async (...range: [number, number, readonly number[], number]) =>
        (await store.reads.listStreamRange(writer.key, ...range)).map(({ seq }) => seq);
      expect(await seqs(5, 9, ALL_TABLES, 100)).toEqual([5, 6, 7, 8, 9]);
      expect(await seqs(1, 60, ALL_TABLES, 7)).toEqual([1, 2, 3, 4, 5, 6, 7]);
      expect(await seqs(1, 60, [0, 5], 5)).toEqual([1, 6, 7, 12, 13]);
      expect(await seqs(61, 99, ALL_TABLES, 7)).toEqual([]);
    });
  });

  describe("gaps, dead letters, ledger, counts", () => {
    /** Three streams, each with records, gaps and refusals in turn. */
    async function prepare(store: Store, namespace: string) {
      const sessionId = unique();
      const bad = recordEntry(score(1, 2 ** 53));
      const writers: Writer[] = [];
      for (let stream = 0; stream < 3; stream++) {
        const writer = await Writer.open(store, { namespace, sessionId, streamId: `t${stream}` });
        for (let round = 0; round < 4; round++) {
          const gap = gapEntry(2 + stream, { type: 5, cause: 1 });
          await writer.commit(
            batchOf(round * (5 + stream) + 1, [recordEntry(score(1)), gap, bad, recordEntry(score(2))]),
          );
        }
        writers.push(writer);
      }
      return { sessionId, writers };
    }

    test("gaps and dead letters are paged by stream and number", async () => {
      const { store } = fixture();
      const namespace = unique("n");
      const { sessionId, writers } = await prepare(store, namespace);
      await prepare(store, namespace);
      const order = [...writers].sort((a, b) => (a.key < b.key ? -1 : 1));
      const gaps: [bigint, number, number][] = [];
      for (let after: { stream: bigint; seq: number } | undefined; ; ) {
        const page = await store.reads.listGaps(namespace, sessionId, after, 5);
        gaps.push(
          ...page.map(({ stream, firstSeq, lastSeq }): [bigint, number, number] => [stream, firstSeq, lastSeq]),
        );
        const last = page.at(-1);
        if (last === undefined) break;
        after = { stream: last.stream, seq: last.firstSeq };
      }
      expect(gaps).toEqual(
        order.flatMap(({ key, request }) => {
          const extra = Number(request.streamId[1]);
          return [0, 1, 2, 3].map((round) => [key, round * (5 + extra) + 2, round * (5 + extra) + 3 + extra]);
        }),
      );
      const letters: [bigint, number][] = [];
      for (let after: { stream: bigint; seq: number } | undefined; ; ) {
        const page = await store.reads.listDeadLetters(namespace, sessionId, after, 5);
        letters.push(...page.map(({ stream, seq }): [bigint, number] => [stream, seq]));
        const last = page.at(-1);
        if (last === undefined) break;
        after = { stream: last.stream, seq: last.seq };
      }
      expect(letters).toEqual(
        order.flatMap(({ key, request }) => {
          const extra = Number(request.streamId[1]);
          return [0, 1, 2, 3].map((round) => [key, round * (5 + extra) + 4 + extra]);
        }),
      );
      expect(await store.reads.listGaps(namespace, undefined, undefined, 100)).toHaveLength(24);
      expect(await store.reads.listDeadLetters(namespace, undefined, undefined, 100)).toHaveLength(24);
    });

    test("a gap is found by every number in it", async () => {
      const { store } = fixture();
      const writer = await Writer.open(store);
      await writer.commit(batchOf(1, [recordEntry(score(1)), gapEntry(10), recordEntry(score(2)), gapEntry(1)]));
      const between = async (from: number, to: number) =>
        (await store.reads.gapsBetween(writer.key, from, to, 10)).map(({ firstSeq }) => firstSeq);
      expect(await between(1, 1)).toEqual([]);
      expect(await between(5, 6)).toEqual([2]);
      expect(await between(11, 13)).toEqual([2, 13]);
      expect(await between(12, 12)).toEqual([]);
    });

    test("the ledger, the totals and the statistics say the same", async () => {
      const { store } = fixture();
      const namespace = unique("n");
      const { sessionId } = await prepare(store, namespace);
      const first = await store.reads.ledger(namespace, sessionId, "", 2);
      const ledger = [...first, ...(await store.reads.ledger(namespace, sessionId, first.at(-1)?.streamId ?? "", 2))];
      expect(ledger.map(({ streamId }) => streamId)).toEqual(["t0", "t1", "t2"]);
      expect(ledger.map(({ committedSeq }) => committedSeq)).toEqual([20, 24, 28]);
      expect(ledger.map(({ counts }) => counts)).toEqual([
        { stored: 8, rejected: 4, gapped: 8 },
        { stored: 8, rejected: 4, gapped: 12 },
        { stored: 8, rejected: 4, gapped: 16 },
      ]);
      expect(ledger.every(({ writerId, epoch }) => writerId === "writer" && epoch === 1)).toBe(true);
      const counts = { stored: 24, rejected: 12, gapped: 36 };
      expect(await store.reads.sessionTotals(namespace, sessionId)).toEqual({ counts, streams: 3 });
      expect(await store.reads.statistics(namespace, undefined)).toEqual({
        storedByTable: [0, 0, 0, 24, 0, 0],
        counts,
        sessions: 1,
        streams: 3,
      });
      expect(await store.reads.statistics(namespace, "no such session")).toEqual({
        storedByTable: [0, 0, 0, 0, 0, 0],
        counts: { stored: 0, rejected: 0, gapped: 0 },
        sessions: 0,
        streams: 0,
      });
    });

    test("of running sessions it is known how far they are, those seen last first", async () => {
      const { store } = fixture();
      const namespace = unique("n");
      const [one, two, three] = [unique(), unique(), unique()];
      await (await Writer.open(store, { namespace, sessionId: one })).commit(scores(1, 3));
      await (await Writer.open(store, { namespace, sessionId: one, streamId: "second" })).commit(scores(1, 4));
      await Writer.open(store, { namespace, sessionId: two });
      await Writer.open(store, { namespace, sessionId: three });
      await store.updateSession(namespace, three, { state: "finished" });
      const running = (await store.reads.runningCounts(10_000)).filter((each) => each.namespace === namespace);
      expect(running.sort((a, b) => a.counts.stored - b.counts.stored)).toEqual([
        { namespace, sessionId: two, counts: { stored: 0, rejected: 0, gapped: 0 } },
        { namespace, sessionId: one, counts: { stored: 7, rejected: 0, gapped: 0 } },
      ]);
      expect(await store.reads.runningCounts(1)).toHaveLength(1);
    });

    test("the version of a session changes with every open and every commit, and only then", async () => {
      const { store } = fixture();
      const sessionId = unique();
      const seen = new Set<string>();
      const version = () => store.reads.sessionVersion("default", sessionId);
      seen.add(await version());
      const writer = await Writer.open(store, { sessionId });
      seen.add(await version());
      await writer.commit(scores(1, 1));
      seen.add(await version());
      await writer.commit(scores(1, 1));
      seen.add(await version());
      await Writer.open(store, writer.request);
      seen.add(await version());
      await Writer.open(store, { sessionId });
      seen.add(await version());
      expect(seen.size).toBe(5);
    });
  });
});

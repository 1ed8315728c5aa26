// Records of one key: what a dictionary asks for whose entry has left memory.
import type { Record as WireRecord } from "@tailkeep/proto";
import { PAGE_SIZE_MAX } from "@tailkeep/server/dist/limits.js";
import type { Value } from "@tailkeep/server/dist/record/tables.js";
import type { RecordQuery } from "@tailkeep/server/dist/store/reads/records.js";
import type { Store } from "@tailkeep/server/dist/store/store.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { batchOf, recordEntry } from "../support/records/batches.js";
import { everyStore } from "./support/stores.js";
import { unique, Writer } from "./support/writer.js";

/** A record of each table that has a key; undefined: a record without one. */
const KEYED: ((key: string | undefined) => WireRecord["kind"])[] = [
  (key = "") => ({
    $case: "performanceHistory",
    value: { gameId: key, score: 1, winRate: undefined, learningEfficiency: undefined, metadataJson: undefined },
  }),
  (key = "") => ({
    $case: "sessionHistory",
    value: {
      gameId: key,
      status: undefined,
      durationSeconds: undefined,
      actionsTaken: 1n,
      score: undefined,
      win: undefined,
      metadataJson: undefined,
    },
  }),
  (actionType) => ({
    $case: "actionTracking",
    value: { gameId: "g", actionType, actionSequenceJson: undefined, effectiveness: 1, contextJson: undefined },
  }),
  (scoreType) => ({ $case: "scoreHistory", value: { gameId: "g", score: 1, scoreType } }),
  (key) => ({
    $case: "coordinateTracking",
    value: {
      gameId: "g",
      coordinateX: key === undefined ? undefined : Number(key.split(",")[0]),
      coordinateY: key === undefined ? undefined : Number(key.split(",")[1]),
      actionType: undefined,
      success: undefined,
      contextJson: undefined,
    },
  }),
  (frameHash) => ({
    $case: "frameTracking",
    value: { gameId: "g", frameHash, frameAnalysisJson: undefined, stagnationDetected: true },
  }),
];

const TEXT_KEYS = ["a", "b", "A", "ab", "語", "%"];
const COORDINATES = ["0,0", "1,0", "0,1", "-1,1", "2147483647,-2147483648"];
const keysOf = (table: number) => (table === 4 ? COORDINATES : TEXT_KEYS);

function valuesOf(table: number, key: string): Value[] {
  return table === 4 ? key.split(",").map(Number) : [key];
}

function query(sessionId: string, table: number, key: string, change: Partial<RecordQuery> = {}): RecordQuery {
  return {
    namespace: "default",
    sessionId,
    gameId: undefined,
    tables: [table],
    key: valuesOf(table, key),
    sinceUs: undefined,
    untilUs: undefined,
    newestFirst: true,
    limit: 100,
    after: undefined,
    ...change,
  };
}

async function positions(store: Store, asked: RecordQuery): Promise<string[]> {
  const found: string[] = [];
  for (let { after } = asked; ; ) {
    const { rows, next } = await store.reads.listRecords({ ...asked, after });
    expect(rows.length).toBeLessThanOrEqual(asked.limit);
    found.push(...rows.map(({ timeUs, stream, seq }) => `${timeUs} ${stream} ${seq}`));
    if (next === undefined) return found;
    after = next;
  }
}

const written = fc.array(
  fc.record({
    stream: fc.nat({ max: 2 }),
    key: fc.option(fc.nat({ max: 4 }), { nil: undefined, freq: 8 }),
    // Few times, so that there are many ties, and in no order.
    timeUs: fc.nat({ max: 9 }),
  }),
  { minLength: 1, maxLength: 60 },
);
const question = fc.record({
  session: fc.nat({ max: 1 }),
  key: fc.nat({ max: 5 }),
  sinceUs: fc.option(fc.nat({ max: 9 }), { nil: undefined, freq: 2 }),
  untilUs: fc.option(fc.nat({ max: 9 }), { nil: undefined, freq: 2 }),
  newestFirst: fc.boolean(),
  limit: fc.integer({ min: 1, max: 8 }),
});

everyStore((fixture) => {
  describe("records of one key", () => {
    test("of any table, in any pages, are what a filtered list says", async () => {
      const { store } = fixture();
      await fc.assert(
        fc.asyncProperty(
          fc.nat({ max: 5 }),
          written,
          fc.array(question, { minLength: 3, maxLength: 6 }),
          async (table, list, questions) => {
            const sessions = [unique(), unique()];
            const model: { session: number; key: string | undefined; timeUs: number; stream: bigint; seq: number }[] =
              [];
            for (let stream = 0; stream < 3; stream++) {
              const own = list.filter((each) => each.stream === stream);
              if (own.length === 0) continue;
              const session = stream >> 1;
              const writer = await Writer.open(store, { sessionId: sessions[session] as string });
              const records = own.map(({ key, timeUs }): WireRecord => {
                const text = key === undefined ? undefined : keysOf(table)[key];
                return { eventTimeUs: BigInt(timeUs), kind: KEYED[table]?.(text) };
              });
              // In two transactions, as a trainer's batches come.
              const middle = Math.ceil(own.length / 2);
              await writer.commit(batchOf(1, records.slice(0, middle).map(recordEntry)));
              if (middle < own.length) await writer.commit(batchOf(middle + 1, records.slice(middle).map(recordEntry)));
              own.forEach(({ key, timeUs }, index) => {
                const text = key === undefined ? undefined : keysOf(table)[key];
                model.push({ session, key: text, timeUs, stream: writer.key, seq: index + 1 });
              });
            }
            for (const { session, key, ...rest } of questions) {
              const asked = keysOf(table)[key] ?? COORDINATES[0] ?? "";
              const expected = model
                .filter((each) => each.session === session && each.key === asked)
                .filter(({ timeUs }) => rest.sinceUs === undefined || timeUs >= rest.sinceUs)
                .filter(({ timeUs }) => rest.untilUs === undefined || timeUs < rest.untilUs)
                .sort(
                  (a, b) => a.timeUs - b.timeUs || (a.stream < b.stream ? -1 : a.stream > b.stream ? 1 : a.seq - b.seq),
                )
                .map(({ timeUs, stream, seq }) => `${timeUs} ${stream} ${seq}`);
              if (rest.newestFirst) expected.reverse();
              expect(await positions(store, query(sessions[session] as string, table, asked, rest))).toEqual(expected);
            }
          },
        ),
        { numRuns: 40 },
      );
    });

    test("a blank at the end makes another key, as on every store", async () => {
      const { store } = fixture();
      const writer = await Writer.open(store);
      const records = ["x", "x ", "x", "x "].map(
        (key, at): WireRecord => ({ eventTimeUs: BigInt(at), kind: KEYED[2]?.(key) }),
      );
      await writer.commit(batchOf(1, records.map(recordEntry)));
      const seqs = async (key: string) => {
        const { rows } = await store.reads.listRecords(query(writer.request.sessionId, 2, key));
        return rows.map(({ seq }) => seq);
      };
      expect(await seqs("x")).toEqual([3, 1]);
      expect(await seqs("x ")).toEqual([4, 2]);
    });

    test("of another session, or another namespace, stay its own", async () => {
      const { store } = fixture();
      const sessionId = unique();
      const streams = [
        { sessionId, namespace: "default" },
        { sessionId, namespace: "other" },
        { sessionId: unique(), namespace: "default" },
      ];
      const record = (): WireRecord => ({ eventTimeUs: 1n, kind: KEYED[5]?.("same") });
      for (const each of streams) {
        const writer = await Writer.open(store, each);
        await writer.commit(batchOf(1, [recordEntry(record())]));
      }
      for (const { sessionId: session, namespace } of streams) {
        const { rows } = await store.reads.listRecords(query(session, 5, "same", { namespace, limit: PAGE_SIZE_MAX }));
        expect(rows).toHaveLength(1);
      }
    });
  });
});

// How records are read one by one for their series: bounded in bytes and in rows, whatever is stored.
import { RecordType, type Record as WireRecord } from "@tailkeep/proto";
import { systemClock } from "@tailkeep/server/dist/base/clock.js";
import { SERIES_BYTES_PER_READ, SERIES_SUMMARY_BYTES_PER_READ } from "@tailkeep/server/dist/limits.js";
import { Roller, StoreSeriesReader } from "@tailkeep/server/dist/series/index.js";
import type { Reads } from "@tailkeep/server/dist/store/reads/reads.js";
import { expect, test } from "vitest";
import { batchOf, recordEntry } from "../../support/records/batches.js";
import { request } from "../support/series-model.js";
import { everyStore } from "../support/stores.js";
import { Writer } from "../support/writer.js";

const NOBODY = { wanted: () => undefined };

interface Read {
  rows: number;
  bytes: number;
}

/** Reads that tell what each of them brought of records. */
function watched(reads: Reads): { reads: Reads; seen: Read[]; summaryBytes: number[] } {
  const seen: Read[] = [];
  const summaryBytes: number[] = [];
  const proxy = new Proxy(reads, {
    get: (target, name) => {
      if (name === "rollupStreams") {
        return async (...args: Parameters<Reads["rollupStreams"]>) => {
          const page = await target.rollupStreams(...args);
          summaryBytes.push(page.rows.reduce((sum, { summary }) => sum + summary.length, 0));
          return page;
        };
      }
      if (name !== "seriesRows") {
        const own = (target as unknown as Record<string | symbol, unknown>)[name];
        return typeof own === "function" ? (own.bind(target) as unknown) : own;
      }
      return async (...args: Parameters<Reads["seriesRows"]>) => {
        const page = await target.seriesRows(...args);
        const bytes = page.rows.reduce(
          (sum, { values }) => sum + values.reduce<number>((own, value) => own + String(value).length, 0),
          0,
        );
        seen.push({ rows: page.rows.length, bytes });
        return page;
      };
    },
  });
  return { reads: proxy, seen, summaryBytes };
}

function step(n: number, bytes: number, gameId = "ls20"): WireRecord {
  const metadata = { loss: n / 7, step: n, rest: "x".repeat(bytes) };
  return {
    eventTimeUs: BigInt(n),
    kind: {
      $case: "performanceHistory",
      value: {
        gameId,
        score: n,
        winRate: undefined,
        learningEfficiency: undefined,
        metadataJson: JSON.stringify(metadata),
      },
    },
  };
}

everyStore((fixture) => {
  const roller = () =>
    new Roller(fixture().store, systemClock, {
      failed: (error) => {
        throw error;
      },
      written: () => undefined,
    });

  /** Writes records of these sizes, some at a time, and sums them up where that is wanted. */
  async function written(sizes: readonly number[], isSummedUp: boolean, game?: (n: number) => string): Promise<Writer> {
    const writer = await Writer.open(fixture().store);
    const rolls = roller();
    const owner = { key: writer.key, namespace: "default", sessionId: writer.request.sessionId };
    for (let from = 0; from < sizes.length; ) {
      const first = from;
      const entries = [];
      for (let bytes = 0; from < sizes.length && bytes < 500_000 && entries.length < 4_000; from++) {
        const size = sizes[from] as number;
        entries.push(recordEntry(step(from + 1, size, game?.(from + 1))));
        bytes += size + 100;
      }
      const batch = batchOf(first + 1, entries);
      const { committedSeq } = await writer.commit(batch);
      rolls.committed(owner, [batch], committedSeq);
    }
    if (isSummedUp) await rolls.flush();
    return writer;
  }

  test.each([
    ["one by one", false],
    ["from their sums down", true],
  ])("records with long metadata are read in small pieces: %s", async (_, isSummedUp) => {
    const sizes = Array.from({ length: 200 }, (_size, at) => (at < 100 ? 100_000 : at % 9 === 0 ? 200_000 : 10));
    const writer = await written(sizes, isSummedUp);
    const { sessionId } = writer.request;
    const { reads, seen } = watched(fixture().store.reads);
    const reader = new StoreSeriesReader(reads, NOBODY);
    for (const x of ["time", "metadata.step"]) {
      seen.length = 0;
      const found = await reader.get(
        "default",
        request({ sessionId, type: RecordType.PERFORMANCE_HISTORY, column: "metadata.loss", x, points: 1_000 }),
      );
      expect(found.complete, x).toBe(true);
      expect(found.max, x).toEqual(sizes.map((_size, at) => (at + 1) / 7));
      expect(Math.max(...seen.map(({ bytes }) => bytes)), x).toBeLessThan(
        SERIES_BYTES_PER_READ * (x === "time" ? 1.01 : 2.02),
      );
      expect(seen.length, x).toBeLessThan(60);
    }
    seen.length = 0;
    const { series } = await reader.list("default", sessionId);
    expect(series.map(({ column, count }) => [column, Number(count)])).toContainEqual(["metadata.loss", 200]);
    for (const { bytes } of seen) expect(bytes).toBeLessThan(SERIES_BYTES_PER_READ * 1.01);
  });

  test("short metadata is read in few pieces", async () => {
    const writer = await written(
      Array.from({ length: 8_000 }, () => 10),
      false,
    );
    const { sessionId } = writer.request;
    const { reads, seen } = watched(fixture().store.reads);
    const found = await new StoreSeriesReader(reads, NOBODY).get(
      "default",
      request({ sessionId, type: RecordType.PERFORMANCE_HISTORY, column: "metadata.loss" }),
    );
    expect(found.count.reduce((sum, each) => sum + Number(each), 0)).toBe(8_000);
    expect(seen.map(({ rows }) => rows)).toEqual([512, 2_048, 5_440]);
  });

  test("games that take turns are read once, and one of them without the others", async () => {
    const sizes = Array.from({ length: 10_000 }, () => 10);
    const writer = await written(sizes, true, (n) => `g${n % 50}`);
    const { sessionId } = writer.request;
    const { reads, seen } = watched(fixture().store.reads);
    const reader = new StoreSeriesReader(reads, NOBODY);
    const ask = async (gameId: string) => {
      seen.length = 0;
      const question = request({ sessionId, type: RecordType.PERFORMANCE_HISTORY, gameId });
      const found = await reader.get("default", question);
      expect(found).toMatchObject({ complete: true, wideBuckets: 0 });
      return {
        count: found.count.reduce((sum, each) => sum + Number(each), 0),
        read: seen.reduce((sum, { rows }) => sum + rows, 0),
      };
    };
    expect(await ask("g7")).toEqual({ count: 200, read: 200 });
    const all = await ask("");
    expect(all.count).toBe(10_000);
    expect(all.read).toBeLessThanOrEqual(10_000);
  });

  test("a game that seldom has its turn takes no more than the budget", async () => {
    const sizes = Array.from({ length: 40_000 }, () => 10);
    const writer = await written(sizes, true, (n) => (n % 1_000 === 0 ? "seldom" : "often"));
    const { sessionId } = writer.request;
    const { reads, seen } = watched(fixture().store.reads);
    const budget = 65_536;
    for (const gameId of ["seldom", ""]) {
      seen.length = 0;
      const question = request({ sessionId, type: RecordType.PERFORMANCE_HISTORY, gameId, points: 4_000 });
      const found = await new StoreSeriesReader(reads, NOBODY).get("default", question);
      expect(found.complete).toBe(true);
      expect(found.count.reduce((sum, each) => sum + Number(each), 0)).toBe(gameId === "" ? 40_000 : 40);
      expect(seen.reduce((sum, { rows }) => sum + rows, 0)).toBeLessThanOrEqual(gameId === "" ? budget : 40);
    }
  });

  test("long summaries of many streams are read some at a time", async () => {
    const { store } = fixture();
    const first = await written([10], true);
    const { sessionId } = first.request;
    const keys = Object.fromEntries(Array.from({ length: 60 }, (_, key) => [`k${key}`, key + 0.123456789]));
    const rolls = roller();
    for (let at = 0; at < 8; at++) {
      const writer = await Writer.open(store, { sessionId });
      const entries = Array.from({ length: 64 }, (_, game) => {
        const record = step(game + 1, 0, `g${game}`);
        if (record.kind?.$case === "performanceHistory") record.kind.value.metadataJson = JSON.stringify(keys);
        return recordEntry(record);
      });
      const batch = batchOf(1, entries);
      const { committedSeq } = await writer.commit(batch);
      rolls.committed({ key: writer.key, namespace: "default", sessionId }, [batch], committedSeq);
      // One of them is not summed up to its end.
      await rolls.flush();
      if (at === 7) await writer.commit(batchOf(65, [recordEntry(step(65, 0, "g1"))]));
    }
    const { reads, summaryBytes } = watched(store.reads);
    const reader = new StoreSeriesReader(reads, NOBODY);
    const question = request({ sessionId, type: RecordType.PERFORMANCE_HISTORY, column: "metadata.k3", points: 10 });
    const found = await reader.get("default", question);
    expect(found.complete).toBe(true);
    expect(found.count.reduce((sum, each) => sum + Number(each), 0)).toBe(8 * 64);
    expect(summaryBytes.reduce((sum, each) => sum + each, 0)).toBeGreaterThan(SERIES_SUMMARY_BYTES_PER_READ);
    expect(Math.max(...summaryBytes)).toBeLessThan(SERIES_SUMMARY_BYTES_PER_READ);
    expect(summaryBytes.length).toBeLessThan(6);
    const { series } = await reader.list("default", sessionId);
    const of = (column: string) => series.filter((each) => each.column === column);
    expect(of("metadata.k3").map(({ count }) => Number(count))).toEqual(Array.from({ length: 64 }, () => 8));
    expect(of("score").reduce((sum, { count }) => sum + Number(count), 0)).toBe(8 * 64 + 2);
  });
});

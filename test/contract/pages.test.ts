// Pages are bounded in bytes as they are sent, and sums hold whatever numbers writers claim.
import { MESSAGE_BYTES_MAX, PAGE_BYTES_MAX } from "@tailkeep/server/dist/limits.js";
import { encodeRecords } from "@tailkeep/server/dist/record/stored-row.js";
import { expect, test } from "vitest";
import { batchOf, recordEntry, scores } from "../support/records/batches.js";
import { everyStore } from "./support/stores.js";
import { ALL_TABLES, opened, openRequest, unique, Writer } from "./support/writer.js";

const frame = (json: string) => ({
  eventTimeUs: 1_000n,
  kind: {
    $case: "frameTracking" as const,
    value: { gameId: "g", frameHash: "h", frameAnalysisJson: json, stagnationDetected: true },
  },
});

everyStore((fixture) => {
  test("a page of Chinese text fits a message", async () => {
    const { store } = fixture();
    const writer = await Writer.open(store);
    const text = JSON.stringify("帧".repeat(60_000));
    for (let seq = 1; seq <= 30; seq += 5) {
      await writer.commit(
        batchOf(
          seq,
          Array.from({ length: 5 }, () => recordEntry(frame(text))),
        ),
      );
    }
    const { rows, next } = await store.reads.listRecords({
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
    });
    expect(rows.length).toBeGreaterThan(5);
    expect(next).toBeDefined();
    expect(encodeRecords(rows).length).toBeLessThan(MESSAGE_BYTES_MAX);
  });

  test("a stream is read in pages that end at a size, a number of rows, or the end, and leave nothing out", async () => {
    const { store } = fixture();
    const writer = await Writer.open(store);
    const text = JSON.stringify("x".repeat(200_000));
    for (let seq = 1; seq <= 12; seq += 4) {
      await writer.commit(
        batchOf(
          seq,
          Array.from({ length: 4 }, () => recordEntry(frame(text))),
        ),
      );
    }
    await writer.commit(scores(13, 900));
    const pages: [number, number][] = [];
    for (let from = 1; from <= 1_000; ) {
      const { rows, upTo } = await store.reads.listStreamPage(writer.key, from, 1_000, ALL_TABLES, 500);
      expect(rows.map((row) => row.seq)).toEqual(Array.from({ length: rows.length }, (_, at) => from + at));
      pages.push([rows.length, upTo]);
      from = upTo + 1;
    }
    expect(pages).toEqual([
      [10, 10],
      [500, 510],
      [402, 1_000],
    ]);
    expect(await writer.storedSeqs()).toHaveLength(912);
  });

  test("a page of sessions ends at a size", async () => {
    const { store } = fixture();
    const namespace = unique("n");
    const configJson = JSON.stringify("x".repeat(250_000));
    for (let at = 0; at < 12; at++) {
      await Writer.open(store, { namespace, sessionId: `s${at}` });
      await store.updateSession(namespace, `s${at}`, { configJson });
    }
    const first = await store.reads.listSessionPage(namespace, undefined, undefined, 100);
    expect(first.more).toBe(true);
    expect(first.rows).toHaveLength(Math.floor(PAGE_BYTES_MAX / (configJson.length + 2)));
    const { startedAtUs, sessionId } = first.rows.at(-1) as (typeof first.rows)[number];
    const second = await store.reads.listSessionPage(namespace, undefined, { startedAtUs, sessionId }, 100);
    expect(second.more).toBe(false);
    const names = [...first.rows, ...second.rows].map((row) => row.sessionId);
    expect(new Set(names).size).toBe(12);
    expect(names).toHaveLength(12);
    expect(await store.reads.listSessionPage(namespace, "lost", undefined, 100)).toEqual({ rows: [], more: false });
  });

  test("sums hold however far writers claim to be", { timeout: 60_000 }, async () => {
    const { store } = fixture();
    const namespace = unique("n");
    const claimed = Number.MAX_SAFE_INTEGER - 1;
    const requests = Array.from({ length: 1_030 }, (_, at) =>
      openRequest({ namespace, sessionId: "s", streamId: `t${at}`, ackedSeq: claimed }),
    );
    let keys = 0n;
    for (let from = 0; from < requests.length; from += 64) {
      const outcomes = await Promise.all(requests.slice(from, from + 64).map((request) => opened(store, request)));
      for (const { key } of outcomes) keys += key;
    }
    const gapped = Number(BigInt(claimed) * 1_030n);
    expect(await store.reads.statistics(namespace, undefined)).toMatchObject({
      counts: { stored: 0, rejected: 0, gapped },
      sessions: 1,
      streams: 1_030,
    });
    expect(await store.reads.sessionTotals(namespace, "s")).toMatchObject({ counts: { gapped }, streams: 1_030 });
    const startedAtUs = (await store.reads.session(namespace, "s"))?.startedAtUs;
    expect(startedAtUs).toBeGreaterThan(0);
    const sums = `1030:${keys}:1030:${BigInt(claimed) * 1_030n}`;
    expect(await store.reads.sessionVersion(namespace, "s")).toBe(`${startedAtUs}:${sums}`);
  });
});

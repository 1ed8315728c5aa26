// What becomes of rollups: they go with their session, expire in their own time, and are nobody else's.
import { RecordType, type Record as WireRecord } from "@tailkeep/proto";
import { systemClock } from "@tailkeep/server/dist/base/clock.js";
import type { Batch } from "@tailkeep/server/dist/record/batch.js";
import { dayOfMs, dayText } from "@tailkeep/server/dist/record/time.js";
import { Roller, StoreSeriesReader } from "@tailkeep/server/dist/series/index.js";
import { StoreError } from "@tailkeep/server/dist/store/errors.js";
import { expect, test } from "vitest";
import { batchOf, recordEntry, score, scores } from "../../support/records/batches.js";
import { request } from "../support/series-model.js";
import { everyStore } from "../support/stores.js";
import { Writer } from "../support/writer.js";

const NOBODY = { wanted: () => undefined };

const scoresAbove = (base: number, firstSeq: number, count: number) =>
  batchOf(
    firstSeq,
    Array.from({ length: count }, (_, at) => recordEntry(score(base + firstSeq + at, firstSeq + at))),
  );

everyStore((fixture) => {
  const failures: unknown[] = [];
  const rollerOf = (store = fixture().store) =>
    new Roller(store, systemClock, { failed: (error) => failures.push(error), written: () => undefined });
  const reader = () => new StoreSeriesReader(fixture().store.reads, NOBODY);

  const ownerOf = (writer: Writer) => ({
    key: writer.key,
    namespace: writer.request.namespace,
    sessionId: writer.request.sessionId,
  });
  const write = async (writer: Writer, roller: Roller, batch: Batch) => {
    const { committedSeq } = await writer.commit(batch);
    roller.committed(ownerOf(writer), [batch], committedSeq);
  };
  const rowsOf = async (table: string, writer: Writer) => {
    const [row] = await fixture().sql(`SELECT COUNT(*) AS n FROM ${table} WHERE stream = ${writer.key}`);
    return Number(row?.["n"]);
  };
  const drawn = async (writer: Writer, change: Parameters<typeof request>[0] = {}) => {
    const { namespace, sessionId } = writer.request;
    const answer = await reader().get(namespace, request({ sessionId, ...change }));
    return { ...answer, total: answer.count.reduce((sum, each) => sum + Number(each), 0) };
  };

  test("a deleted session takes its rollups along, and one of the same name begins anew", async () => {
    const { store } = fixture();
    const roller = rollerOf();
    const writer = await Writer.open(store);
    await write(writer, roller, scores(1, 2_000));
    await roller.flush();
    expect([await rowsOf("rollup_streams", writer), await rowsOf("rollup_nodes", writer)]).toEqual([1, 2]);
    await write(writer, roller, scores(2_001, 10));
    expect(await store.deleteSession("default", writer.request.sessionId)).toBe(2_010);
    // What was in memory belongs to a stream that is no more.
    await roller.flush();
    expect([await rowsOf("rollup_streams", writer), await rowsOf("rollup_nodes", writer)]).toEqual([0, 0]);
    const again = await Writer.open(store, writer.request);
    roller.opened(ownerOf(again), again.opened);
    await write(again, roller, scores(1, 5));
    await roller.flush();
    expect((await drawn(again)).total).toBe(5);
  });

  test("sums of a session that another server deleted do not come into those of the next, whose numbers are the same", async () => {
    const { store, sql } = fixture();
    const [here, there] = [rollerOf(), rollerOf()];
    const writer = await Writer.open(store);
    here.opened(ownerOf(writer), writer.opened);
    await write(writer, here, scores(1, 500));
    await here.flush();
    await store.deleteSession("default", writer.request.sessionId);
    const again = await Writer.open(store, writer.request);
    expect(again.opened.sessionStartedAtUs).toBeGreaterThan(writer.opened.sessionStartedAtUs);
    there.opened(ownerOf(again), again.opened);
    await write(again, there, scoresAbove(10_000, 1, 500));
    await there.flush();
    // Now the writer comes to the server that has the sums of the deleted run in memory.
    const resumed = await Writer.open(store, writer.request);
    expect(resumed.opened.sessionStartedAtUs).toBe(again.opened.sessionStartedAtUs);
    here.opened(ownerOf(resumed), resumed.opened);
    await write(resumed, here, scoresAbove(10_000, 501, 10));
    await here.flush();
    // Only the sums are left to be read.
    await sql(`DELETE FROM score_history_rows WHERE stream = ${resumed.key}`);
    const found = await drawn(resumed);
    expect(found.total).toBe(510);
    expect(Math.min(...found.min)).toBe(10_001);
  });

  test("what was never stored of a session does not come after its deletion", async () => {
    const { store } = fixture();
    const roller = rollerOf();
    const writer = await Writer.open(store);
    await write(writer, roller, scores(1, 10));
    // The first flush reads what is there, and so must have been before.
    await store.deleteSession("default", writer.request.sessionId);
    await roller.flush();
    expect([await rowsOf("rollup_streams", writer), await rowsOf("rollup_nodes", writer)]).toEqual([0, 0]);
  });

  test("a server that has fallen behind does not put back what another one summed up of records that are gone", async () => {
    const { sql, store } = fixture();
    const writer = await Writer.open(store);
    const [ahead, behind] = [rollerOf(), rollerOf()];
    const [first, second, third] = [scores(1, 500), scores(501, 500), scores(1_001, 500)];
    for (const [batch, rollers] of [
      [first, [ahead, behind]],
      [second, [ahead, behind]],
      [third, [ahead]],
    ] as const) {
      const { committedSeq } = await writer.commit(batch);
      for (const roller of rollers) roller.committed(ownerOf(writer), [batch], committedSeq);
      if (batch === first) await ahead.flush();
      // Both have read the first now, and one has the second in memory only.
      if (batch === first) await behind.flush();
    }
    await ahead.flush();
    await sql(`DELETE FROM score_history_rows WHERE stream = ${writer.key}`);
    await behind.flush();
    expect((await drawn(writer)).total).toBe(1_500);
  });

  test("rollups stay when the records have gone, go in their own time, and are counted before", async () => {
    const { store, sql } = fixture();
    const roller = rollerOf();
    const writer = await Writer.open(store);
    await write(writer, roller, scores(1, 3_000));
    await roller.flush();
    await sql(`DELETE FROM score_history_rows WHERE stream = ${writer.key}`);
    const found = await drawn(writer, { points: 4_000 });
    expect(found).toMatchObject({ total: 3_000, complete: true, xMin: 1, xMax: 3_000 });
    expect(Math.max(...found.max)).toBe(3_000);
    const inYears = dayText(dayOfMs(Date.now()) + 365);
    const [row] = await sql(`SELECT expires_on AS day FROM rollup_streams WHERE stream = ${writer.key}`);
    expect(String(row?.["day"]).slice(0, 10)).toBe(inYears);

    const past = dayText(dayOfMs(Date.now()) - 1);
    for (const table of ["rollup_streams", "rollup_nodes"]) {
      await sql(`UPDATE ${table} SET expires_on = '${past}' WHERE stream = ${writer.key}`);
    }
    const dry = await store.expire({ dryRun: true });
    expect(dry?.tables).toEqual([
      { table: "rollup_streams", rows: 1 },
      { table: "rollup_nodes", rows: 3 },
    ]);
    await store.expire({ dryRun: false });
    expect((await drawn(writer)).total).toBe(0);
  });

  test("another tenant has no such session", async () => {
    const writer = await Writer.open(fixture().store);
    await write(writer, rollerOf(), scores(1, 5));
    const { sessionId } = writer.request;
    await expect(reader().get("other", request({ sessionId }))).rejects.toThrow(`there is no session ${sessionId}`);
    await expect(reader().list("other", sessionId)).rejects.toThrow(`there is no session ${sessionId}`);
  });

  test("of two servers that sum up a stream one writes it, and the other reads what was written", async () => {
    const writer = await Writer.open(fixture().store);
    const [a, b] = [rollerOf(), rollerOf(fixture().store)];
    for (let first = 1; first < 30_000; first += 1_000) {
      const batch = scores(first, 1_000);
      const { committedSeq } = await writer.commit(batch);
      for (const roller of [a, b]) roller.committed(ownerOf(writer), [batch], committedSeq);
      await Promise.all([a.flush(), b.flush()]);
    }
    const found = await drawn(writer);
    expect(found).toMatchObject({ total: 30_000, complete: true, wideBuckets: 0 });
    expect(found.sum.reduce((sum, each) => sum + each, 0)).toBe((30_000 * 30_001) / 2);
  });

  test("a session has 64 keys, and a type of a stream 64 games; the others are named, or are together", async () => {
    const writer = await Writer.open(fixture().store);
    const roller = rollerOf();
    const record = (n: number): WireRecord => ({
      eventTimeUs: BigInt(n),
      kind: {
        $case: "performanceHistory",
        value: {
          gameId: `g${n % 70}`,
          score: n,
          winRate: undefined,
          learningEfficiency: undefined,
          metadataJson: JSON.stringify({ [`k${n % 80}`]: n, "a.b": 1 }),
        },
      },
    });
    const entries = Array.from({ length: 560 }, (_, n) => recordEntry(record(n)));
    await write(writer, roller, batchOf(1, entries));
    const sessionId = writer.request.sessionId;
    for (const when of ["before it is summed up", "after"]) {
      const { series, keysLeftOut } = await reader().list("default", sessionId);
      const keys = new Set(series.filter(({ column }) => column.startsWith("metadata.")).map(({ column }) => column));
      expect(keys.size, when).toBe(64);
      expect(keysLeftOut, when).toHaveLength(17);
      if (when !== "after") await roller.flush();
    }
    const { series } = await reader().list("default", sessionId);
    const games = new Set(series.map(({ gameId }) => gameId));
    expect([games.size, games.has("")]).toEqual([65, true]);
    const performance = { type: RecordType.PERFORMANCE_HISTORY } as const;
    expect(await drawn(writer, { ...performance })).toMatchObject({ total: 560, complete: true });
    expect(await drawn(writer, { ...performance, gameId: "g3" })).toMatchObject({ total: 8, complete: true });
    expect(await drawn(writer, { ...performance, gameId: "g69" })).toMatchObject({ total: 0, complete: false });
    expect(await drawn(writer, { ...performance, column: "metadata.a.b" })).toMatchObject({ total: 560 });
  });

  test("a store that refuses sums holds up nothing, is complained of once, and gets all of it later", async () => {
    const { store } = fixture();
    let refuses = true;
    const refusing = {
      reads: store.reads,
      rollups: {
        write: (...args: Parameters<typeof store.rollups.write>) =>
          refuses
            ? Promise.reject(new StoreError("refused", "the disk is full", "DISK_FULL"))
            : store.rollups.write(...args),
      },
    };
    failures.length = 0;
    const roller = rollerOf(refusing as typeof store);
    const stop = new AbortController();
    const kept = roller.keep(stop.signal, () => true);
    const writer = await Writer.open(store);
    for (let first = 1; first < 40_000; first += 4_000) await write(writer, roller, scores(first, 4_000));
    const until = async (holds: () => boolean | Promise<boolean>) => {
      for (const giveUpAt = performance.now() + 20_000; !(await holds()); ) {
        if (performance.now() > giveUpAt) throw new Error("waited for too long");
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    await until(() => failures.length > 0);
    expect((await drawn(writer)).total).toBe(40_000);
    refuses = false;
    await until(async () => (await rowsOf("rollup_streams", writer)) === 1);
    await roller.flush();
    stop.abort();
    await kept;
    expect(failures).toHaveLength(1);
    expect(await rowsOf("rollup_nodes", writer)).toBe(39 + 2 + 1);
    expect((await drawn(writer)).total).toBe(40_000);
  });

  test("what is refused of one stream does not keep the others from being stored", async () => {
    const { store } = fixture();
    const [refused, fine] = [await Writer.open(store), await Writer.open(store)];
    const refusing = {
      reads: store.reads,
      rollups: {
        write: (checkpoints: Parameters<typeof store.rollups.write>[0]) =>
          checkpoints.some(({ key }) => key === refused.key)
            ? Promise.reject(new StoreError("poison", "the packet is too large", "TOO_LARGE"))
            : store.rollups.write(checkpoints),
      },
    };
    const roller = rollerOf(refusing as typeof store);
    for (const writer of [refused, fine]) await write(writer, roller, scores(1, 4_000));
    await expect(roller.flush()).rejects.toThrow("too large");
    expect([await rowsOf("rollup_streams", refused), await rowsOf("rollup_streams", fine)]).toEqual([0, 1]);
    expect((await drawn(refused)).total).toBe(4_000);
  });

  test("silent streams that are not summed up are found, in pages of all streams", async () => {
    const { store, sql } = fixture();
    const roller = rollerOf();
    const [behind, summedUp, empty] = [await Writer.open(store), await Writer.open(store), await Writer.open(store)];
    await behind.commit(scores(1, 7));
    await write(summedUp, roller, scores(1, 5));
    await roller.flush();
    const find = async (seenBeforeUs: number) => {
      const found = new Map<bigint, number>();
      let looks = 0;
      for (let after: bigint | undefined = -1n; after !== undefined; looks++) {
        const page: Awaited<ReturnType<typeof store.reads.laggingStreams>> = await store.reads.laggingStreams(
          after,
          seenBeforeUs,
          2,
        );
        for (const { key, sessionId, committedSeq } of page.streams) {
          if (key === behind.key) expect(sessionId).toBe(behind.request.sessionId);
          found.set(key, committedSeq);
        }
        after = page.upTo;
      }
      return { found, looks };
    };
    const [row] = await sql("SELECT COUNT(*) AS n FROM streams");
    const { found, looks } = await find((Date.now() + 60_000) * 1_000);
    expect(looks).toBe(Math.floor(Number(row?.["n"]) / 2) + 1);
    expect([found.get(behind.key), found.get(summedUp.key), found.get(empty.key)]).toEqual([7, undefined, undefined]);
    expect((await find(1)).found.size).toBe(0);
  });

  test("values that are not numbers are not values", async () => {
    const writer = await Writer.open(fixture().store);
    const roller = rollerOf();
    const values = [Number.NaN, 1, Number.POSITIVE_INFINITY, undefined, -2];
    await write(
      writer,
      roller,
      batchOf(
        1,
        values.map((value, at) => recordEntry(score(value, at))),
      ),
    );
    for (const when of ["before it is summed up", "after"]) {
      expect(await drawn(writer), when).toMatchObject({ min: [1, -2], xFirst: [1, 4], xMin: 1, xMax: 4 });
      await roller.flush();
    }
  });
});

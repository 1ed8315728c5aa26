// Expiry: what has had its days goes, and nothing else; what it leaves is as if the rows were still there.
import { dayOfMs, dayText } from "@tailkeep/server/dist/record/time.js";
import { afterEach, describe, expect, test } from "vitest";
import { batchOf, gapEntry, scores } from "../support/records/batches.js";
import { everyStore } from "./support/stores.js";
import { Writer } from "./support/writer.js";

const today = () => dayOfMs(Date.now());

everyStore((fixture) => {
  const setStoringDay = async (day: number) => {
    await fixture().sql(`UPDATE storing_day SET day = '${dayText(day)}' WHERE id = 1`);
    await fixture().store.maintain();
  };
  const expireOn = (table: string, stream: bigint | undefined, day: number, where = "1 = 1") =>
    fixture().sql(`UPDATE ${table} SET expires_on = '${dayText(day)}' WHERE stream = ${stream} AND ${where}`);
  const run = () => fixture().store.expire({ dryRun: false });
  const rowsOf = (report: Awaited<ReturnType<typeof run>>) =>
    Object.fromEntries((report?.tables ?? []).map(({ table, rows }) => [table, rows]));

  const daysOf = async (writer: Writer) => {
    const rows = await fixture().sql(
      `SELECT DISTINCT expires_on AS day FROM score_history_rows WHERE stream = ${writer.key}`,
    );
    return rows.map((row) => String(row["day"]).slice(0, 10));
  };

  afterEach(() => setStoringDay(today()));

  // One test, as MySQL has one partition for the day that may go by the clock.
  test("rows whose last day has passed go; numbers, counts and other rows stay", async () => {
    const { dialect, store, sql } = fixture();
    const writer = await Writer.open(store);
    await writer.commit(scores(1, 3_000));
    await expireOn("score_history_rows", writer.key, today(), "seq <= 2500");
    // The database's own estimate of a partition is made anew from time to time only.
    if (dialect === "mysql") await sql("ANALYZE TABLE score_history_rows");
    await run();
    expect(await writer.storedSeqs(), "today is a day to be kept").toHaveLength(3_000);

    await setStoringDay(today() + 2);
    expect((await run())?.heldBecause, "clocks days apart").toContain(dayText(today() + 2));
    expect(await writer.storedSeqs()).toHaveLength(3_000);

    await setStoringDay(today() + 1);
    const dry = await store.expire({ dryRun: true });
    expect(rowsOf(dry)["score_history_rows"]).toBeGreaterThan(dialect === "mysql" ? 2_000 : 2_499);
    expect(await writer.storedSeqs(), "a dry run removes nothing").toHaveLength(3_000);

    expect(await run()).toMatchObject({ storingDay: dayText(today() + 1), heldBecause: undefined });
    expect(await writer.storedSeqs()).toEqual(Array.from({ length: 500 }, (_, index) => 2_501 + index));
    const [counts] = await sql(
      `SELECT committed_seq AS seq, stored_score_history AS n FROM streams WHERE stream = ${writer.key}`,
    );
    expect([Number(counts?.["seq"]), Number(counts?.["n"])]).toEqual([3_000, 3_000]);
    expect((await run())?.tables).toEqual([]);
    // Sent again, and then on: what has expired is not taken for missing.
    await writer.commit(scores(2_401, 600));
    await writer.commit(scores(3_001, 2));
    expect((await writer.storedSeqs()).slice(-3)).toEqual([3_000, 3_001, 3_002]);
    expect(await writer.storedSeqs()).toHaveLength(502);
  });

  test("takes gaps and dead letters too, and is remembered", async () => {
    const { store, sql } = fixture();
    const writer = await Writer.open(store);
    await sql(
      `INSERT INTO gaps (stream, first_seq, last_seq, namespace_id, session_id, type, cause, created_at_us, expires_on)
         VALUES (${writer.key}, 1, 2, 'default', 's', 0, 1, 0, '${dayText(today())}'), (${writer.key}, 3, 3, 'default', 's', 0, 1, 0, '9999-12-31')`,
    );
    await sql(
      `INSERT INTO dead_letters (stream, seq, namespace_id, session_id, type, reason, field, message, body, created_at_us, expires_on)
         VALUES (${writer.key}, 4, 'default', 's', 1, 1, 'f', 'm', NULL, 0, '${dayText(today())}')`,
    );
    await setStoringDay(today() + 1);
    expect(rowsOf(await store.expire({ dryRun: true }))).toMatchObject({ gaps: 1, dead_letters: 1 });
    expect(rowsOf(await run())).toMatchObject({ gaps: 1, dead_letters: 1 });
    expect(await sql(`SELECT first_seq AS n FROM gaps WHERE stream = ${writer.key}`)).toHaveLength(1);
    expect(await sql(`SELECT seq FROM dead_letters WHERE stream = ${writer.key}`)).toEqual([]);
    const [last] = await sql("SELECT report FROM expiry_runs ORDER BY ended_at_us DESC LIMIT 1");
    expect(JSON.parse(String(last?.["report"]))).toMatchObject({ storingDay: dayText(today() + 1) });
    await sql(`DELETE FROM gaps WHERE stream = ${writer.key}`);
  });

  test("of several servers one does it", async (context) => {
    const { another, dialect, store, sql } = fixture();
    if (dialect === "sqlite") context.skip("a second server is refused on SQLite");
    const other = another();
    await other.start();
    await sql("DELETE FROM leases WHERE name = 'maintenance'");
    expect(await other.expire({ dryRun: false })).toBeDefined();
    expect(await store.expire({ dryRun: false })).toBeUndefined();
    expect(await store.expire({ dryRun: true })).toBeDefined();
    await sql("DELETE FROM leases WHERE name = 'maintenance'");
  });

  describe("a pinned session", () => {
    test("keeps what expiry would come to soon, and what is not pinned goes", async () => {
      const { store, sql } = fixture();
      const [pinned, other] = [await Writer.open(store), await Writer.open(store)];
      for (const writer of [pinned, other]) {
        await writer.commit(scores(1, 600));
        await expireOn("score_history_rows", writer.key, today() + 1);
      }
      const { namespace, sessionId } = pinned.request;
      expect(await store.updateSession(namespace, sessionId, { pinned: true })).toBe(true);
      expect(await store.reads.session(namespace, sessionId)).toMatchObject({ pinned: true });
      await run();
      expect(await daysOf(pinned)).toEqual(["9999-12-31"]);
      expect(await daysOf(other)).toEqual([dayText(today() + 1)]);

      expect(await store.updateSession(namespace, sessionId, { pinned: false })).toBe(true);
      expect(await store.reads.session(namespace, sessionId)).toMatchObject({ pinned: false });
      await run();
      expect(await daysOf(pinned)).toEqual([dayText(today() + 30)]);
      expect((await store.reads.pins()).filter((pin) => pin.sessionId === sessionId)).toEqual([]);
      expect(await pinned.storedSeqs()).toHaveLength(600);
      await sql(`DELETE FROM score_history_rows WHERE stream IN (${pinned.key}, ${other.key})`);
    });

    test("that is pinned again before its rows have another day stays pinned", async () => {
      const { store } = fixture();
      const writer = await Writer.open(store);
      await writer.commit(scores(1, 3));
      await expireOn("score_history_rows", writer.key, today() + 1);
      const { namespace, sessionId } = writer.request;
      for (const pinned of [true, false, true]) await store.updateSession(namespace, sessionId, { pinned });
      await run();
      expect(await daysOf(writer)).toEqual(["9999-12-31"]);
      await store.updateSession(namespace, sessionId, { pinned: false });
      await run();
    });
  });

  describe("days of a namespace", () => {
    const expiryOf = async (table: string, writer: Writer) => {
      const rows = await fixture().sql(`SELECT expires_on AS day FROM ${table} WHERE stream = ${writer.key}`);
      return rows.map((row) => String(row["day"]).slice(0, 10));
    };
    const inDays = (days: number) => [dayText(today() + days)];

    test.each([
      ["of all types", "kept-5", { score: 5, gap: 5 }],
      ["of some types, else the server's", "kept-some", { score: 3, gap: 30 }],
      ["that it has not are the server's", "kept", { score: 30, gap: 30 }],
      ["are not what an object has by itself", "constructor", { score: 30, gap: 30 }],
    ])("%s; gaps stay as long as any record", async (_what, namespace, days) => {
      const writer = await Writer.open(fixture().store, { namespace });
      await writer.commit(scores(1, 1), batchOf(2, [gapEntry(3)]));
      expect(await expiryOf("score_history_rows", writer)).toEqual(inDays(days.score));
      expect(await expiryOf("gaps", writer)).toEqual(inDays(days.gap));
    });

    test("in one transaction with others, and once more when a session is unpinned", async () => {
      const { store } = fixture();
      const writers = [await Writer.open(store, { namespace: "kept-5" }), await Writer.open(store)] as const;
      await store.commit(writers.map((writer) => writer.run(scores(1, 1))));
      const days = () => Promise.all(writers.map((writer) => expiryOf("score_history_rows", writer)));
      expect(await days()).toEqual([inDays(5), inDays(30)]);
      const { namespace, sessionId } = writers[0].request;
      await expireOn("score_history_rows", writers[0].key, today() + 1);
      for (const pinned of [true, false]) {
        await store.updateSession(namespace, sessionId, { pinned });
        await run();
        expect(await days()).toEqual([pinned ? ["9999-12-31"] : inDays(5), inDays(30)]);
      }
    });
  });

  test("each type has its own days where they are set", async (context) => {
    if (fixture().dialect === "sqlite") context.skip("a second store is refused on SQLite");
    const store = fixture().another({ retentionDaysOf: { scoreHistory: 7 } });
    await store.start();
    const writer = await Writer.open(store);
    await writer.commit(scores(1, 1));
    expect(await daysOf(writer)).toEqual([dayText(today() + 7)]);
  });
});

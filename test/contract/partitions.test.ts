// Retention: the day that rows are stored on, the day they expire on, and the partitions that wait for them.
import { PARTITIONS_AHEAD_DAYS } from "@tailkeep/server/dist/limits.js";
import { TABLES } from "@tailkeep/server/dist/record/tables.js";
import { dayNumber, dayOfMs, dayText } from "@tailkeep/server/dist/record/time.js";
import type { Store } from "@tailkeep/server/dist/store/store.js";
import { describe, expect, test } from "vitest";
import { scores } from "../support/records/batches.js";
import { everyStore, type Row } from "./support/stores.js";
import { Writer } from "./support/writer.js";

const today = () => dayOfMs(Date.now());

everyStore((fixture) => {
  const storingDay = async () => {
    const [row] = await fixture().sql("SELECT day FROM storing_day WHERE id = 1");
    return dayNumber(String(row?.["day"]));
  };
  const setStoringDay = (day: number) => fixture().sql(`UPDATE storing_day SET day = '${dayText(day)}' WHERE id = 1`);
  const expiryOf = async (writer: Writer) => {
    const rows = await fixture().sql(
      `SELECT DISTINCT expires_on AS day FROM score_history_rows WHERE stream = ${writer.key}`,
    );
    return rows.map((row) => dayNumber(String(row["day"])));
  };
  const storedNow = async (store: Store) => {
    const writer = await Writer.open(store);
    await writer.commit(scores(1, 2));
    return expiryOf(writer);
  };

  describe("the storing day", () => {
    test("is today, and rows expire a retention later", async () => {
      expect(await storingDay()).toBe(today());
      expect(await storedNow(fixture().store)).toEqual([today() + 30]);
    });

    test("moves forward one day a run, and never back", async () => {
      const { store } = fixture();
      try {
        await setStoringDay(today() - 3);
        for (const behind of [2, 1, 0, 0]) {
          await store.maintain();
          expect(await storingDay()).toBe(today() - behind);
          expect(await storedNow(store), "counted from today, or it would have its days too soon").toEqual([
            today() + 30,
          ]);
        }
        await setStoringDay(today() + 2);
        await store.maintain();
        expect(await storingDay()).toBe(today() + 2);
        expect(await storedNow(store)).toEqual([today() + 32]);
      } finally {
        await setStoringDay(today());
        await store.maintain();
      }
    });
  });

  describe("a storing day that is weeks behind", () => {
    test("waits for an operator, and what is stored meanwhile has all its days", async () => {
      const { store } = fixture();
      try {
        await setStoringDay(today() - 40);
        for (let run = 0; run < 3; run++) await store.maintain();
        expect(await storingDay()).toBe(today() - 40);
        expect((await store.expire({ dryRun: false }))?.heldBecause).toContain("--confirm-day");
        expect(await storedNow(store)).toEqual([today() + 30]);

        expect(await store.confirmStoringDay(today() - 2)).toMatchObject({ storing: today() - 40 });
        expect(await storingDay(), "two days from the clock is not today").toBe(today() - 40);
        expect(await store.confirmStoringDay(today())).toMatchObject({ storing: today() });
        expect(await store.expire({ dryRun: true })).toMatchObject({ heldBecause: undefined });
        expect(await storedNow(store)).toEqual([today() + 30]);
      } finally {
        await setStoringDay(today());
        await store.maintain();
      }
    });

    test("and one that is ahead is set back", async () => {
      const { store } = fixture();
      await setStoringDay(today() + 5);
      await store.confirmStoringDay(today());
      expect(await storingDay()).toBe(today());
      expect(await storedNow(store)).toEqual([today() + 30]);
    });
  });

  describe("partitions", () => {
    const partitionsOf = async (table: string): Promise<Row[]> =>
      fixture().sql(
        `SELECT PARTITION_NAME AS name, PARTITION_DESCRIPTION AS below, TABLE_ROWS AS n FROM information_schema.PARTITIONS
         WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '${table}' ORDER BY PARTITION_ORDINAL_POSITION`,
      );

    test("exist for every day that a row may expire on, then `ahead` and `never`", async (context) => {
      if (fixture().dialect === "sqlite") context.skip("SQLite has no partitions");
      for (const { name } of TABLES) {
        const names = (await partitionsOf(`${name}_rows`)).map((row) => String(row["name"]));
        expect(names.slice(-2)).toEqual(["ahead", "never"]);
        const days = names.slice(0, -2);
        expect(days).toEqual([...days].sort());
        for (let ahead = 30; ahead <= 30 + PARTITIONS_AHEAD_DAYS; ahead++) {
          expect(days).toContain(`p${dayText(today() + ahead).replaceAll("-", "")}`);
        }
      }
    });

    test("are added by maintenance before their day comes, and rows go into them", async (context) => {
      const { dialect, store, another, sql } = fixture();
      if (dialect === "sqlite") context.skip("SQLite has no partitions");
      await setStoringDay(today() + 5);
      // Only the holder of the lease adds them, and that is the one that asked last.
      expect(await store.maintain()).toBe(true);
      const names = async () => (await partitionsOf("score_history_rows")).map((row) => String(row["name"]));
      expect(await names()).toContain(`p${dayText(today() + 5 + 30 + PARTITIONS_AHEAD_DAYS).replaceAll("-", "")}`);
      expect(await storedNow(store)).toEqual([today() + 35]);
      const [row] = await sql(
        `SELECT COUNT(*) AS n FROM score_history_rows PARTITION (p${dayText(today() + 35).replaceAll("-", "")})`,
      );
      expect(Number(row?.["n"])).toBe(2);
      const longer = another({ retentionDays: 50 });
      await longer.start();
      await sql("DELETE FROM leases WHERE name = 'maintenance'");
      expect(await longer.maintain()).toBe(true);
      expect(await names()).toContain(`p${dayText(today() + 5 + 50 + PARTITIONS_AHEAD_DAYS).replaceAll("-", "")}`);
      expect((await names()).slice(-2)).toEqual(["ahead", "never"]);
      expect(await storedNow(longer)).toEqual([today() + 55]);
      expect(await store.maintain()).toBe(false);
      const before = await names();
      expect(await longer.maintain()).toBe(true);
      expect(await names()).toEqual(before);
    });

    test("a missed week and odd retentions still have one: `ahead`", async (context) => {
      const { dialect, store, sql } = fixture();
      if (dialect === "sqlite") context.skip("SQLite has no partitions");
      const writer = await Writer.open(store);
      await writer.commit(scores(1, 1));
      for (const day of [today() + 4_000, today() - 4_000]) {
        await sql(`UPDATE score_history_rows SET expires_on = '${dayText(day)}' WHERE stream = ${writer.key}`);
        expect(await expiryOf(writer)).toEqual([day]);
        expect(await writer.storedSeqs()).toEqual([1]);
      }
    });
  });
});

// What a MySQL store does when reading is held up, and when somebody's long query keeps a table from being altered.

import { parseMysqlUrl } from "@tailkeep/server/dist/base/mysql-url.js";
import { READ_CONNECTIONS_MAX, READ_QUEUE_MAX } from "@tailkeep/server/dist/limits.js";
import { dayOfMs, dayText } from "@tailkeep/server/dist/record/time.js";
import { ReadPool } from "@tailkeep/server/dist/store/mysql/connection.js";
import { Lane } from "@tailkeep/server/dist/store/mysql/lane.js";
import mysql from "mysql2/promise";
import { expect, test } from "vitest";
import { scores } from "../support/records/batches.js";
import { everyStore } from "./support/stores.js";
import { Writer } from "./support/writer.js";

everyStore((fixture) => {
  test("closing does not wait for a query that is under way", async (context) => {
    if (fixture().dialect === "sqlite") context.skip("its reader has no pool");
    const pool = new ReadPool(parseMysqlUrl(fixture().url));
    await pool.query("SELECT 1", []);
    const slow = pool.query("SELECT SLEEP(30)", []);
    const queued = Array.from({ length: READ_CONNECTIONS_MAX }, () => pool.query("SELECT SLEEP(30)", []));
    const beganMs = performance.now();
    pool.close();
    for (const each of [slow, ...queued])
      await expect(each).rejects.toMatchObject({ code: "CLOSED", kind: "unavailable" });
    await expect(pool.query("SELECT 1", [])).rejects.toMatchObject({ code: "CLOSED" });
    expect(performance.now() - beganMs).toBeLessThan(2_000);
  });

  test("a lane that is closed while it connects leaves no connection behind", async (context) => {
    if (fixture().dialect === "sqlite") context.skip("it has no connections");
    const lane = new Lane(parseMysqlUrl(fixture().url));
    const mark = `mark_${Date.now()}`;
    const work = lane.direct((session) => session.query(`SELECT '${mark}', SLEEP(30)`));
    lane.close();
    await expect(work).rejects.toMatchObject({ code: "CLOSED", kind: "unavailable" });
    await expect(lane.transaction(() => Promise.resolve())).rejects.toMatchObject({ code: "CLOSED" });
    const running = await fixture().sql(
      `SELECT id FROM information_schema.PROCESSLIST WHERE info LIKE '%${mark}%' AND id <> CONNECTION_ID()`,
    );
    expect(running).toEqual([]);
  });

  test("more reads than may wait are refused as a full queue", async (context) => {
    if (fixture().dialect === "sqlite") context.skip("its reader has no pool");
    const pool = new ReadPool(parseMysqlUrl(fixture().url));
    try {
      const reads = Array.from({ length: READ_CONNECTIONS_MAX + READ_QUEUE_MAX + 3 }, () =>
        pool.query("SELECT SLEEP(0.01)", []).then(
          () => "read",
          (error: unknown) => (error as { code: string }).code,
        ),
      );
      const outcomes = await Promise.all(reads);
      expect(outcomes.filter((each) => each === "READ_QUEUE_FULL")).toHaveLength(3);
      expect(outcomes.filter((each) => each === "read")).toHaveLength(READ_CONNECTIONS_MAX + READ_QUEUE_MAX);
      const [row] = await pool.query("SELECT @@SESSION.time_zone AS zone, @@SESSION.autocommit AS auto", []);
      expect(row).toMatchObject({ zone: "+00:00", auto: "1" });
    } finally {
      pool.close();
    }
  });

  test("a long query on a table holds up its partitions, and neither the start nor anything else", async (context) => {
    if (fixture().dialect === "sqlite") context.skip("SQLite has no partitions");
    const today = dayOfMs(Date.now());
    const researcher = await mysql.createConnection(fixture().url);
    await researcher.query("START TRANSACTION");
    await researcher.query("SELECT COUNT(*) FROM performance_history");
    await fixture().sql("DELETE FROM leases");
    const store = fixture().another({ retentionDays: 60 });
    await store.start();
    const writer = await Writer.open(store);
    await writer.commit(scores(1, 3));
    await expect(store.maintain()).rejects.toMatchObject({ kind: "contention" });
    const partitioned = async (table: string) => {
      const name = `p${dayText(today + 60).replaceAll("-", "")}`;
      const rows = await fixture().sql(
        `SELECT PARTITION_NAME AS name FROM information_schema.PARTITIONS WHERE TABLE_SCHEMA = DATABASE()
         AND TABLE_NAME = '${table}' AND PARTITION_NAME = '${name}'`,
      );
      return rows.length === 1;
    };
    expect(await partitioned("performance_history_rows")).toBe(false);
    expect(await partitioned("score_history_rows")).toBe(true);
    researcher.destroy();
    await expect.poll(() => store.maintain().catch(() => false)).toBe(true);
    expect(await partitioned("performance_history_rows")).toBe(true);
    expect(await writer.storedSeqs()).toEqual([1, 2, 3]);
  });
});

// What a store does before it serves: migrations, one server a file, the audit.
import { MIGRATIONS, SCHEMA_VERSION } from "@tailkeep/server/dist/store/schema.js";
import { expect, test } from "vitest";
import { scores } from "../support/records/batches.js";
import { everyStore } from "./support/stores.js";
import { Writer } from "./support/writer.js";

everyStore((fixture) => {
  test("several servers may start on an empty database at once", async () => {
    const { dialect, onEmptyDatabase, another } = fixture();
    if (dialect === "sqlite") return;
    const { store, url } = await onEmptyDatabase();
    const stores = [store, another({ store: url }), another({ store: url })];
    await Promise.all(stores.map((each) => each.start()));
    const writers = await Promise.all(stores.map((each) => Writer.open(each)));
    await Promise.all(writers.map((writer) => writer.commit(scores(1, 1))));
  });

  test("a second server on one file is refused, and let in when the first is gone", async () => {
    const { dialect, onEmptyDatabase, another } = fixture();
    if (dialect === "mysql") return;
    const { store, url } = await onEmptyDatabase();
    await store.start();
    const second = another({ store: url });
    await expect(second.start()).rejects.toMatchObject({
      kind: "misconfigured",
      code: "SECOND_SERVER",
      message: expect.stringMatching(
        /another server has .*; end it, or give this one its own file with TAILKEEP_STORE/,
      ),
    });
    const writer = await Writer.open(store);
    await writer.commit(scores(1, 3));
    await store.close();
    await second.start();
    expect(await (await Writer.open(second, writer.request)).storedSeqs()).toEqual([1, 2, 3]);
  });

  test("starting again changes nothing that is stored", async () => {
    const { onEmptyDatabase, another } = fixture();
    const { store, url } = await onEmptyDatabase();
    await store.start();
    const writer = await Writer.open(store);
    await writer.commit(scores(1, 3));
    await store.close();
    const again = another({ store: url });
    await again.start();
    expect((await Writer.open(again, writer.request)).opened).toMatchObject({ epoch: 2, committedSeq: 3 });
  });

  test("every migration is noted once", async () => {
    const rows = await fixture().sql("SELECT version, name FROM schema_migrations ORDER BY version");
    expect(rows.map((row) => ({ ...row, version: Number(row["version"]) }))).toEqual(
      MIGRATIONS.map(({ version, name }) => ({ version, name })),
    );
    expect(SCHEMA_VERSION).toBe(MIGRATIONS.length);
  });

  test("a database of a newer server is left alone", async () => {
    const { sql, store, dialect, another } = fixture();
    if (dialect === "sqlite") await store.close();
    await sql(`INSERT INTO schema_migrations (version, name, applied_at) VALUES (99, 'future', '2030-01-01 00:00:00')`);
    try {
      const older = another();
      await expect(older.start()).rejects.toMatchObject({
        kind: "misconfigured",
        code: "NEWER_SCHEMA",
        message: expect.stringMatching(/has schema 99, this server knows \d+; run a newer Tailkeep/),
      });
    } finally {
      await sql("DELETE FROM schema_migrations WHERE version = 99");
    }
  });

  test("the audit finds the settings durable, and names the engine", async () => {
    const { store } = await fixture().onEmptyDatabase();
    const audit = await store.start();
    expect(audit.engine).toMatch(/^(SQLite|MariaDB|MySQL) \d+\.\d+/);
    expect(audit.durable).toBe(true);
    expect(audit.findings.filter(({ level }) => level === "error")).toEqual([]);
    for (const { level, advice } of audit.findings) expect(advice === "").toBe(level === "ok");
  });
});

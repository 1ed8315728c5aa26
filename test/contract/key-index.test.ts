// The index by which the records of a key are found: that it is used, and that it finds all of them however many there are.
import { DatabaseSync } from "node:sqlite";
import type { Record as WireRecord } from "@tailkeep/proto";
import { TABLES } from "@tailkeep/server/dist/record/tables.js";
import { KEY_BLOCK_BITS } from "@tailkeep/server/dist/store/key-index.js";
import { type Execute, queryBuilder } from "@tailkeep/server/dist/store/reads/database.js";
import { Reads } from "@tailkeep/server/dist/store/reads/reads.js";
import type { RecordQuery } from "@tailkeep/server/dist/store/reads/records.js";
import { MIGRATIONS } from "@tailkeep/server/dist/store/schema.js";
import mysql from "mysql2/promise";
import { describe, expect, test } from "vitest";
import { batchOf, recordEntry } from "../support/records/batches.js";
import { everyStore, type StoreFixture } from "./support/stores.js";
import { Writer } from "./support/writer.js";

const ACTIONS = 2;
const COORDINATES = 4;
const BATCH = 4_096;

function action(actionType: string | undefined, timeUs: number): WireRecord {
  const value = {
    gameId: "g",
    actionType,
    actionSequenceJson: undefined,
    effectiveness: undefined,
    contextJson: undefined,
  };
  return { eventTimeUs: BigInt(timeUs), kind: { $case: "actionTracking", value } };
}

function coordinate(x: number, y: number, timeUs: number): WireRecord {
  const value = {
    gameId: "g",
    coordinateX: x,
    coordinateY: y,
    actionType: undefined,
    success: undefined,
    contextJson: undefined,
  };
  return { eventTimeUs: BigInt(timeUs), kind: { $case: "coordinateTracking", value } };
}

function query(sessionId: string, change: Partial<RecordQuery>): RecordQuery {
  return {
    namespace: "default",
    sessionId,
    gameId: undefined,
    tables: [ACTIONS],
    key: undefined,
    sinceUs: undefined,
    untilUs: undefined,
    newestFirst: true,
    limit: 1_000,
    after: undefined,
    ...change,
  };
}

/** Commits records in batches, and gives each the number it got. */
async function commitAll(writer: Writer, records: readonly WireRecord[]): Promise<void> {
  for (let from = 0; from < records.length; from += BATCH) {
    await writer.commit(batchOf(from + 1, records.slice(from, from + BATCH).map(recordEntry)));
  }
}

async function seqsOf({ store }: StoreFixture, asked: RecordQuery): Promise<number[]> {
  const found: number[] = [];
  for (let { after } = asked; ; ) {
    const { rows, next } = await store.reads.listRecords({ ...asked, after });
    for (const row of rows) found.push(row.seq);
    if (next === undefined) return found;
    after = next;
  }
}

/** What each statement of a question looked at: index entries on MySQL, the plan on SQLite. */
async function looksOf({ dialect, url }: StoreFixture, asked: RecordQuery) {
  const plans: string[] = [];
  let reads = 0;
  if (dialect === "sqlite") {
    const db = new DatabaseSync(url.slice("sqlite:".length), { readOnly: true });
    const execute: Execute = (text, values) => {
      for (const row of db.prepare(`EXPLAIN QUERY PLAN ${text}`).all(...(values as never[]))) {
        plans.push(String(row["detail"]));
      }
      return Promise.resolve(db.prepare(text).all(...(values as never[])));
    };
    const traits = { hintsIndexes: false, keyBlocks: true };
    const { rows } = await new Reads(queryBuilder("sqlite"), execute, traits).listRecords(asked);
    db.close();
    return { rows, plans, reads };
  }
  const connection = await mysql.createConnection({ uri: url, dateStrings: true, supportBigNumbers: true });
  const handlerReads = async () => {
    const [found] = await connection.query<mysql.RowDataPacket[]>("SHOW SESSION STATUS LIKE 'Handler_read%'");
    return found.reduce((sum, row) => sum + Number(row["Value"]), 0);
  };
  const execute: Execute = async (text, values) => {
    const [plan] = await connection.query<mysql.RowDataPacket[]>(`EXPLAIN FORMAT=TRADITIONAL ${text}`, [...values]);
    for (const row of plan) plans.push(`${row["table"]} ${row["type"]} ${row["key"]}`);
    const before = await handlerReads();
    const [rows] = await connection.query<mysql.RowDataPacket[]>(text, [...values]);
    reads += (await handlerReads()) - before;
    return rows;
  };
  const traits = { hintsIndexes: true, keyBlocks: false };
  const { rows } = await new Reads(queryBuilder("mysql"), execute, traits).listRecords(asked);
  await connection.end();
  return { rows, plans, reads };
}

everyStore((fixture) => {
  describe("the key index", () => {
    test("finds all of a key over many blocks, in order, on any page, whatever their times are", async () => {
      const numbers = 2.5 * 2 ** KEY_BLOCK_BITS;
      const keys = ["often", "odd", "seldom"];
      const keyOf = (seq: number) => (seq % 9_973 === 5 ? 2 : seq % 101 === 0 ? 1 : 0);
      // In order first; then a second run over the same hour, and a stretch where time stands still.
      const timeOf = (seq: number) => (seq < 20_000 ? seq : seq < 30_000 ? (seq - 20_000) * 2 + (seq % 7) : 1_000_000);
      const records = Array.from({ length: numbers }, (_, at) => action(keys[keyOf(at + 1)], timeOf(at + 1)));
      const writer = await Writer.open(fixture().store);
      await commitAll(writer, records);
      const { sessionId } = writer.request;
      const ordered = (key: number) =>
        records
          .map((_, at) => at + 1)
          .filter((seq) => keyOf(seq) === key)
          .sort((a, b) => timeOf(a) - timeOf(b) || a - b);
      for (const [key, name] of keys.entries()) {
        const expected = ordered(key);
        expect(await seqsOf(fixture(), query(sessionId, { key: [name], newestFirst: false }))).toEqual(expected);
        expect(await seqsOf(fixture(), query(sessionId, { key: [name] }))).toEqual(expected.reverse());
        const bounds = { sinceUs: 9_000, untilUs: 15_001 };
        const within = expected.filter((seq) => timeOf(seq) >= 9_000 && timeOf(seq) <= 15_000);
        expect(await seqsOf(fixture(), query(sessionId, { key: [name], ...bounds }))).toEqual(within);
      }
      expect(await seqsOf(fixture(), query(sessionId, { key: ["never"] }))).toEqual([]);
    });

    test("looks at a few entries for a key that came once, before thirty thousand others", async () => {
      const { store } = fixture();
      const writer = await Writer.open(store);
      const { sessionId } = writer.request;
      await commitAll(
        writer,
        Array.from({ length: 30_000 }, (_, at) => action(at === 7 ? "once" : `a${at % 5}`, at)),
      );
      // Many others of the same key, in sessions of their own.
      const other = await Writer.open(store);
      await commitAll(
        other,
        Array.from({ length: 10_000 }, (_, at) => action("once", at)),
      );
      for (const key of ["once", "a3", "never"]) {
        const { rows, plans, reads } = await looksOf(fixture(), query(sessionId, { key: [key], limit: 1 }));
        expect(rows.map((row) => row.seq)).toEqual(key === "once" ? [8] : key === "a3" ? [29_999] : []);
        if (fixture().dialect === "sqlite") {
          expect(plans.filter((plan) => /SCAN (r|s|action_tracking_rows|streams)\b/.test(plan))).toEqual([]);
          const looks = plans.filter((plan) => /SEARCH (r|action_tracking_rows)\b/.test(plan));
          expect(looks.length).toBeGreaterThan(3);
          expect(looks.filter((plan) => !/ INDEX action_tracking_rows_by_(key|seq) |rowid=/.test(plan))).toEqual([]);
        } else {
          const looks = plans.filter((plan) => plan.startsWith("r "));
          expect(looks).toEqual([expect.stringMatching(/action_tracking_rows_by_key$/)]);
          // A look into each of the partitions, and the record itself.
          expect(reads).toBeLessThan(400);
        }
      }
    });

    test("of coordinates is ordered by both", async () => {
      const writer = await Writer.open(fixture().store);
      const records = Array.from({ length: 6_000 }, (_, at) => coordinate(at % 64, Math.floor(at / 64) % 32, at));
      await commitAll(writer, records);
      const asked = query(writer.request.sessionId, { tables: [COORDINATES], key: [5, 3] });
      const expected = records.flatMap((_, at) => (at % 64 === 5 && Math.floor(at / 64) % 32 === 3 ? [at + 1] : []));
      expect(await seqsOf(fixture(), asked)).toEqual(expected.reverse());
      const { plans } = await looksOf(fixture(), { ...asked, limit: 1 });
      expect(plans.join("\n")).toMatch(/coordinate_tracking_rows_by_key/);
    });

    test("comes to a database that was made without it, with all that is stored", { timeout: 120_000 }, async () => {
      const { dialect, onEmptyDatabase, another } = fixture();
      const { store, url } = await onEmptyDatabase();
      await store.start();
      const writer = await Writer.open(store);
      const keyOf = (at: number) => (at === 3 ? "rare" : "common");
      await commitAll(
        writer,
        Array.from({ length: 500 }, (_, at) => action(keyOf(at), at)),
      );
      await store.close();
      await downgrade(dialect, url);
      const upgraded = another({ store: url });
      await upgraded.start();
      const resumed = await Writer.open(upgraded, writer.request);
      await resumed.commit(batchOf(501, [recordEntry(action("rare", 999))]));
      const asked = query(writer.request.sessionId, { key: ["rare"] });
      const { rows } = await upgraded.reads.listRecords(asked);
      expect(rows.map((row) => row.seq)).toEqual([501, 4]);
      const common = await upgraded.reads.listRecords({ ...asked, key: ["common"], limit: 1_000 });
      expect(common.rows).toHaveLength(499);
    });

    test("a refused record takes none of its neighbours out of the index", async () => {
      const { sql, dialect, store } = fixture();
      await sql(
        dialect === "sqlite"
          ? `CREATE TRIGGER refuse BEFORE INSERT ON action_tracking_rows WHEN NEW.effectiveness = 666
             BEGIN SELECT RAISE(ABORT, 'refused'); END`
          : `CREATE TRIGGER refuse BEFORE INSERT ON action_tracking_rows FOR EACH ROW
             BEGIN IF NEW.effectiveness = 666 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'refused'; END IF; END`,
      );
      try {
        const writer = await Writer.open(store);
        const records = Array.from({ length: 200 }, (_, at): WireRecord => {
          const record = action("k", at);
          if (at % 64 === 63 && record.kind?.$case === "actionTracking") record.kind.value.effectiveness = 666;
          return record;
        });
        const { rejected } = await writer.commit(batchOf(1, records.map(recordEntry)));
        expect(rejected.map(({ seq }) => seq)).toEqual([64, 128, 192]);
        const seqs = await seqsOf(fixture(), query(writer.request.sessionId, { key: ["k"] }));
        expect(seqs).toHaveLength(197);
      } finally {
        await sql("DROP TRIGGER refuse");
      }
    });
  });
});

/** Takes the key index away, as if the database were of a server that did not have it. */
async function downgrade(dialect: "sqlite" | "mysql", url: string): Promise<void> {
  const version = MIGRATIONS.find(({ name }) => name === "key index")?.version;
  const tables = TABLES.map(({ name }) => `${name}_rows`);
  const forget = `DELETE FROM schema_migrations WHERE version >= ${version}`;
  if (dialect === "sqlite") {
    const db = new DatabaseSync(url.slice("sqlite:".length));
    for (const table of tables) {
      db.exec(`DROP INDEX ${table}_by_key; ALTER TABLE ${table} DROP COLUMN between_keys`);
    }
    db.exec(forget);
    db.close();
    return;
  }
  const connection = await mysql.createConnection({ uri: url });
  for (const table of tables) await connection.query(`DROP INDEX ${table}_by_key ON ${table}`);
  await connection.query(forget);
  await connection.end();
}

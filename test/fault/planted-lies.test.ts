// A harness that cannot fail proves nothing: each of these lies must be found, and called by its name.
import { copyFile, rm } from "node:fs/promises";
import { connect, type IngestStream, type TailkeepClient } from "@tailkeep/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isSkipped } from "../support/databases/index.js";
import { hashOfRecord } from "./harness/content.js";
import { HastyProxy } from "./harness/hasty-proxy.js";
import { StreamJournal } from "./harness/journal.js";
import { judge, type Violation } from "./harness/oracle.js";
import { plainSqlite } from "./harness/plain-sql.js";
import { planRound } from "./harness/plan.js";
import { runRound } from "./harness/round.js";
import { judgeSeries } from "./harness/series-oracle.js";
import { type SystemUnderTest, startSystem } from "./harness/system.js";

let system: SystemUnderTest;
let client: TailkeepClient;

beforeAll(async () => {
  const started = await startSystem("sqlite");
  if (isSkipped(started)) throw new Error(started.skipped);
  system = started;
  client = connect({ server: system.server.grpcAddress });
});

afterAll(async () => {
  await client.close({ timeoutMs: 1_000 }).catch(() => {});
  await system.stop();
});

const kindsOf = (violations: readonly Violation[]) => new Set(violations.map((violation) => violation.invariant));

describe("a round without a fault", () => {
  let journals: readonly StreamJournal[];
  let key: string;

  beforeAll(async () => {
    const result = await runRound({ ...planRound("lies", 1), kills: [] }, "server", system, client);
    expect(result.violations).toEqual([]);
    ({ journals } = result);
    key = (await system.store.streams(at(journals, 0).sessionId))[0]?.key ?? "";
  });

  const lies: readonly (readonly [lie: string, invariant: Violation["invariant"], sql: (key: string) => string])[] = [
    [
      "an acked record that is gone",
      "I1",
      (key) => `DELETE FROM score_history_rows WHERE id = ${anyRow("score_history", key)}`,
    ],
    [
      "a number that two tables have",
      "I2",
      (key) => `UPDATE score_history_rows SET seq = (SELECT MAX(seq) FROM frame_tracking_rows WHERE stream = ${key})
                WHERE id = ${anyRow("score_history", key)}`,
    ],
    [
      "another value",
      "I3",
      (key) => `UPDATE score_history_rows SET score = 0.5 WHERE id = ${anyRow("score_history", key)}`,
    ],
    [
      "another time",
      "I3",
      (key) =>
        `UPDATE frame_tracking_rows SET timestamp = '2020-01-01 00:00:00.000000' WHERE id = ${anyRow("frame_tracking", key)}`,
    ],
    [
      "two records in each other's place",
      "I3",
      (key) => `UPDATE action_tracking_rows SET seq = -seq WHERE stream = ${key};
                UPDATE action_tracking_rows SET seq =
                  (SELECT MIN(-seq) + MAX(-seq) FROM action_tracking_rows WHERE stream = ${key}) + seq WHERE stream = ${key}`,
    ],
    [
      "a row that was inserted late",
      "I4",
      (key) => `UPDATE score_history_rows SET id = (SELECT MAX(id) + 1 FROM score_history_rows)
                WHERE id = (SELECT MIN(id) FROM score_history_rows WHERE stream = ${key})`,
    ],
    [
      "a record that nobody sent",
      "I5",
      (key) => `UPDATE score_history_rows SET seq = 1000000 WHERE id = ${anyRow("score_history", key)}`,
    ],
    [
      "a gap that nobody declared",
      "I5",
      (key) => `INSERT INTO gaps SELECT stream, 900000, 900001, namespace_id, session_id, 0, 1, 0, '2099-01-01'
                FROM streams WHERE stream = ${key}`,
    ],
    ["a count that is wrong", "LEDGER", (key) => `UPDATE streams SET rejected = rejected + 1 WHERE stream = ${key}`],
    ["a watermark that went back", "LEDGER", (key) => `UPDATE streams SET committed_seq = 1 WHERE stream = ${key}`],
    [
      "a store that forgot",
      "REGRESSED",
      (key) => `INSERT INTO gaps SELECT stream, 900000, 900001, namespace_id, session_id, 0, 5, 0, '2099-01-01'
                FROM streams WHERE stream = ${key}`,
    ],
    ["a stream of nobody", "I5", (key) => `UPDATE streams SET stream_id = 'stranger' WHERE stream = ${key}`],
  ];

  test.each(lies)("%s is %s", async (_lie, invariant, sql) => {
    await system.store.execute("BEGIN");
    try {
      await system.store.execute(sql(key));
      expect(kindsOf(await judge(journals, system.store))).toContain(invariant);
    } finally {
      await system.store.execute("ROLLBACK");
    }
    expect(await judge(journals, system.store)).toEqual([]);
  });

  test("rows that the charts do not know of are SERIES", async () => {
    const { sessionId } = at(journals, 0);
    expect(await judgeSeries(client, system.store, sessionId)).toEqual([]);
    await system.store.execute("BEGIN");
    try {
      await system.store.execute(`DELETE FROM score_history_rows WHERE stream = ${key}`);
      expect(kindsOf(await judgeSeries(client, system.store, sessionId))).toEqual(new Set(["SERIES"]));
    } finally {
      await system.store.execute("ROLLBACK");
    }
  });

  test("an ack that the server never gave is I1", async () => {
    const journal = copyOf(at(journals, 0));
    journal.recordSent(journal.sentSeq + 1, { type: "score_history", hash: 1, isTimeless: true, isBad: false });
    journal.acked(journal.sentSeq);
    expect(kindsOf(await judge([journal, ...journals.slice(1)], system.store))).toEqual(new Set(["I1"]));
  });

  test("an ack that goes back is I6", async () => {
    const journal = copyOf(at(journals, 0));
    journal.acked(1);
    expect(kindsOf(await judge([journal, ...journals.slice(1)], system.store))).toEqual(new Set(["I6"]));
  });

  test("a good record that was refused is I5", async () => {
    const journal = copyOf(at(journals, 0));
    journal.rejected(journal.sent.findIndex((sent) => sent?.isBad === false));
    expect(kindsOf(await judge([journal, ...journals.slice(1)], system.store))).toEqual(new Set(["I5"]));
  });
});

test("acks before the commit are found as soon as a server is killed", async () => {
  const proxy = await HastyProxy.start(system.server.grpcAddress);
  const deceived = connect({ server: proxy.address });
  try {
    const { journal, append, stream } = journaled(deceived, "hasty");
    append(500);
    await stream.flush();
    // What comes now is acked by the proxy and waits for a database that is locked when its server dies.
    await system.store.execute("BEGIN IMMEDIATE");
    append(500);
    await stream.flush();
    await system.kill("server");
    await system.store.execute("ROLLBACK");
    await system.restart("server");
    append(1);
    await stream.flush().catch(() => {});
    expect(journal.ackedSeq).toBeGreaterThanOrEqual(1_000);
    const found = kindsOf(await judge([journal], system.store));
    expect(found).toContain("I1");
    stream.abort();
  } finally {
    await deceived.close({ timeoutMs: 1_000 }).catch(() => {});
    proxy.stop();
  }
});

test("a database that is restored from an older copy is found", async () => {
  const forgetful = await startSystem("sqlite");
  if (isSkipped(forgetful) || !("file" in forgetful.location)) throw new Error("SQLite needs nothing");
  const { file } = forgetful.location;
  const writer = connect({ server: forgetful.server.grpcAddress });
  try {
    const { journal, append, stream } = journaled(writer, "restored");
    append(100);
    await stream.flush();
    await forgetful.server.stop();
    await forgetful.store.execute("PRAGMA wal_checkpoint(TRUNCATE)");
    await copyFile(file, `${file}-copy`);
    await forgetful.server.start();
    append(100);
    await stream.flush();
    await forgetful.server.stop();
    await forgetful.store.close();
    for (const suffix of ["-wal", "-shm"]) await rm(file + suffix, { force: true });
    await copyFile(`${file}-copy`, file);
    await forgetful.server.start();
    append(100);
    await stream.close();
    const store = plainSqlite(file);
    const found = kindsOf(await judge([journal], store));
    await store.close();
    expect(found).toContain("I1");
    expect(found).toContain("REGRESSED");
    expect(journal.ackedSeq).toBe(300);
    expect((await forgetful.server.metrics()).get("tailkeep_stream_regressions_total")).toBe(1);
  } finally {
    await writer.close({ timeoutMs: 1_000 }).catch(() => {});
    await forgetful.server.stop();
  }
});

/** A stream whose records are journaled, without a plan. */
function journaled(from: TailkeepClient, sessionId: string) {
  const stream: IngestStream = from.openStream({ sessionId, streamId: "only" });
  const journal = new StreamJournal(sessionId, "only");
  stream.onAck((seq) => journal.acked(seq));
  const append = (count: number) => {
    for (let at = 0; at < count; at++) {
      const record = { type: "score_history", score: journal.sentSeq, eventTimeUs: journal.sentSeq } as const;
      const result = stream.append(record);
      if (result.outcome !== "queued") throw new Error(result.outcome);
      const hash = hashOfRecord(record, record.eventTimeUs);
      journal.recordSent(result.seq, { type: record.type, hash, isTimeless: false, isBad: false });
    }
  };
  return { stream, journal, append };
}

function copyOf(journal: StreamJournal): StreamJournal {
  const copy = new StreamJournal(journal.sessionId, journal.streamId);
  copy.sent.push(...journal.sent.slice(1));
  copy.acked(journal.ackedSeq);
  return copy;
}

function anyRow(table: string, key: string): string {
  return `(SELECT MAX(id) FROM ${table}_rows WHERE stream = ${key} AND seq > 1)`;
}

function at<Item>(items: readonly Item[], index: number): Item {
  return items[index] as Item;
}

/** Plain SQL over SQLite's file and over MySQL: one set of statements, two ways to run them. */
import { DatabaseSync } from "node:sqlite";
import type { RecordTypeName } from "@tailkeep/client";
import type mysql from "mysql2/promise";
import { CONTENT_COLUMNS, TYPES } from "./content.js";
import { connectPatiently } from "./patient-connection.js";
import { type PlainStore, STORE_REGRESSED, timeUsOf } from "./plain-store.js";

type SqlRow = Readonly<Record<string, unknown>>;

interface Runner {
  /** In the order of insertion, where rows have one. */
  readonly insertionOrder: string;
  all(sql: string): Promise<SqlRow[]>;
  execute(sql: string): Promise<void>;
  close(): Promise<void>;
}

export function plainSqlite(file: string): PlainStore {
  const database = new DatabaseSync(file, { timeout: 10_000 });
  return plainStore({
    insertionOrder: "id",
    all: async (sql) => database.prepare(sql).all() as SqlRow[],
    execute: async (sql) => database.exec(sql),
    close: async () => database.close(),
  });
}

/** A connection for each statement: the database is killed between them. */
export function plainMysql(url: string): PlainStore {
  const connected = async <Result>(use: (connection: mysql.Connection) => Promise<Result>): Promise<Result> => {
    const connection = await connectPatiently({
      uri: url,
      dateStrings: true,
      supportBigNumbers: true,
      // As text: the driver's own reading of doubles is not exact.
      typeCast: (field, next) => (field.type === "DOUBLE" ? field.string() : next()),
    });
    try {
      return await use(connection);
    } finally {
      connection.destroy();
    }
  };
  return plainStore({
    insertionOrder: "seq",
    all: (sql) => connected(async (connection) => (await connection.query<mysql.RowDataPacket[]>(sql))[0]),
    execute: (sql) => connected(async (connection) => void (await connection.query(sql))),
    close: async () => {},
  });
}

const STORED_SUM = TYPES.map((type) => `stored_${type}`).join(" + ");

function plainStore(runner: Runner): PlainStore {
  const numberOf = async (sql: string): Promise<number> => Number((await runner.all(sql))[0]?.["n"] ?? 0);
  return {
    streams: async (sessionId) => {
      const rows = await runner.all(
        `SELECT CAST(stream AS CHAR) AS stream_key, session_id, stream_id, committed_seq, ${STORED_SUM} AS stored,
           rejected, gapped FROM streams WHERE session_id = '${sessionId}'`,
      );
      return rows.map((row) => ({
        key: String(row["stream_key"]),
        sessionId: String(row["session_id"]),
        streamId: String(row["stream_id"]),
        committedSeq: Number(row["committed_seq"]),
        stored: Number(row["stored"]),
        rejected: Number(row["rejected"]),
        gapped: Number(row["gapped"]),
      }));
    },
    rows: async (key, type) => {
      const names = columnsOf(type);
      const rows = await runner.all(
        `SELECT seq, timestamp, created_at, nonfinite, ${names} FROM ${type}_rows
         WHERE stream = ${key} ORDER BY ${runner.insertionOrder}`,
      );
      return rows.map((row) => ({
        type,
        seq: Number(row["seq"]),
        timeUs: timeUsOf(String(row["timestamp"])),
        createdAt: String(row["created_at"]),
        columns: row,
      }));
    },
    gaps: async (key) =>
      (await runner.all(`SELECT first_seq, last_seq, cause FROM gaps WHERE stream = ${key} ORDER BY first_seq`)).map(
        (row) => ({
          firstSeq: Number(row["first_seq"]),
          lastSeq: Number(row["last_seq"]),
          cause: Number(row["cause"]),
        }),
      ),
    deadLetterSeqs: async (key) =>
      (await runner.all(`SELECT seq FROM dead_letters WHERE stream = ${key} ORDER BY seq`)).map((row) =>
        Number(row["seq"]),
      ),
    totals: async () => {
      let rows = 0;
      for (const type of TYPES) rows += await numberOf(`SELECT COUNT(*) AS n FROM ${type}_rows`);
      return {
        rows,
        gapped: await numberOf("SELECT COALESCE(SUM(last_seq - first_seq + 1), 0) AS n FROM gaps"),
        deadLetters: await numberOf("SELECT COUNT(*) AS n FROM dead_letters"),
        committed: await numberOf("SELECT COALESCE(SUM(committed_seq), 0) AS n FROM streams"),
        regressions: await numberOf(`SELECT COUNT(*) AS n FROM gaps WHERE cause = ${STORE_REGRESSED}`),
      };
    },
    execute: (sql) => runner.execute(sql),
    close: () => runner.close(),
  };
}

function columnsOf(type: RecordTypeName): string {
  return CONTENT_COLUMNS[type].map(({ name }) => name).join(", ");
}

/**
 * The yardstick on MySQL and MariaDB: mysql2, multi-row INSERT as text, the same rows into the same tables with the same
 * durability. Run as a child: `node bare-mysql.ts URL ROWS ROWS_PER_STATEMENT CONNECTIONS`; prints rows a second.
 */
import mysql from "mysql2/promise";
import { columnsOf, fullRow, TABLES, type TableName } from "./rows.js";

const [url = "", rowsText = "", perStatementText = "", connectionsText = ""] = process.argv.slice(2);
const rows = Number(rowsText);
const perStatement = Number(perStatementText);
const connections = Number(connectionsText);
/** Statements of all six tables in one transaction. */
const ROWS_PER_TRANSACTION = perStatement * TABLES.length;

async function fill(connection: mysql.Connection, lane: number): Promise<void> {
  await connection.query("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
  const share = rows / connections;
  for (let n = 0; n < share; ) {
    const waiting = Object.fromEntries(TABLES.map((table) => [table, [] as unknown[][]])) as Record<
      TableName,
      unknown[][]
    >;
    for (let at = 0; at < ROWS_PER_TRANSACTION && n < share; at++, n++) {
      const stream = BigInt(7_000_000_000 + lane * 4 + (n % 4));
      const { table, values } = fullRow(n, stream, Math.floor(n / 4) + 1, `bare-session-${lane}-${n % 4}`);
      waiting[table].push(values);
    }
    await connection.query("BEGIN");
    for (const table of TABLES) {
      if (waiting[table].length === 0) continue;
      await connection.query(`INSERT INTO ${table}_rows (${columnsOf(table).join(",")}) VALUES ?`, [waiting[table]]);
    }
    await connection.query("COMMIT");
  }
}

const pool = await Promise.all(
  Array.from({ length: connections }, () => mysql.createConnection({ uri: url, charset: "UTF8MB4_BIN" })),
);
const startedMs = performance.now();
await Promise.all(pool.map(fill));
console.log(JSON.stringify({ perSecond: rows / ((performance.now() - startedMs) / 1_000) }));
await Promise.all(pool.map((connection) => connection.end()));

/** A connection to MySQL for the harness itself, which waits where a fault has just filled the house. */
import { setTimeout as sleep } from "node:timers/promises";
import mysql from "mysql2/promise";

const PATIENCE_MS = 5_000;
const PAUSE_MS = 50;

export async function connectPatiently(options: mysql.ConnectionOptions): Promise<mysql.Connection> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await mysql.createConnection(options);
    } catch (error) {
      const isFull = (error as { code?: string }).code === "ER_CON_COUNT_ERROR";
      if (!isFull || performance.now() > giveUpAt) throw error;
      await sleep(PAUSE_MS);
    }
  }
}

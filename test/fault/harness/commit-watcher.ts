/**
 * A thread that kills a process at the very moment a commit becomes visible in the database: between the commit and the
 * ack that tells of it, which no delay would hit. It polls without a pause, as it shares no event loop with the trainers.
 *
 * Runs as it is in a worker, where nothing but packages may be imported.
 */
import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import mysql from "mysql2/promise";

export interface CommitWatch {
  readonly file?: string;
  readonly url?: string;
  readonly pid: number;
  /** Kills then all the same. */
  readonly timeoutMs: number;
}

/** Whether a commit was seen. */
export interface CommitWatchResult {
  readonly sawCommit: boolean;
}

/** Sees how far the streams have come. */
interface Look {
  progress(): unknown;
  close(): void;
}

async function watch({ file, url, pid, timeoutMs }: CommitWatch): Promise<CommitWatchResult> {
  const look = file === undefined ? await lookAtMysql(url ?? "") : lookAtSqlite(file);
  const giveUpAt = performance.now() + timeoutMs;
  const before = await look.progress();
  let sawCommit = false;
  while (!sawCommit && performance.now() < giveUpAt) sawCommit = (await look.progress()) !== before;
  process.kill(pid, "SIGKILL");
  look.close();
  return { sawCommit };
}

const PROGRESS = "SELECT COALESCE(SUM(committed_seq), 0) AS progress FROM streams";

function lookAtSqlite(file: string): Look {
  const database = new DatabaseSync(file, { readOnly: true, timeout: 1_000 });
  const statement = database.prepare(PROGRESS);
  return { progress: () => statement.get()?.["progress"], close: () => database.close() };
}

async function lookAtMysql(url: string): Promise<Look> {
  const connection = await mysql.createConnection({ uri: url });
  connection.on("error", () => {});
  return {
    progress: async () => {
      const [rows] = await connection.query<mysql.RowDataPacket[]>(PROGRESS);
      return String(rows[0]?.["progress"]);
    },
    close: () => connection.destroy(),
  };
}

// Not followed by process.exit, which may overtake the message.
if (parentPort !== null) parentPort.postMessage(await watch(workerData as CommitWatch));

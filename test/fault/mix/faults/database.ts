/** What goes on between the server and its database. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import mysql from "mysql2/promise";
import { connectPatiently } from "../../harness/patient-connection.js";
import { SeededRandom } from "../../harness/random.js";
import { duration, type FaultKind, MYSQL, numberOf, SQLITE } from "../fault.js";
import { CUT_MOMENTS, type CutMoment } from "../rig/commit-cutter.js";
import type { Rig } from "../rig/rig.js";

/** Beyond a lock wait of the server's (one second), so that it gives way and comes again. */
const LOCK_MS_USUAL = 1_300;
const LOCK_MS_MAX = 4_000;
/** Beyond SQLite's busy timeout of five seconds. */
const FILE_LOCK_MS_MAX = 7_000;
const CUT_WAIT_MS_MAX = 700;
/** The least that MariaDB accepts. */
const CONNECTIONS_MAX = 10;

export const commitAnswerLost: FaultKind = {
  number: 5,
  name: "COMMIT's answer lost",
  reach: "everybody",
  stores: MYSQL,
  choose: (random) => ({ moment: random.pick(CUT_MOMENTS), count: random.whole(1, 4) }),
  inject: async (choice, { rig: { cutter } }) => {
    if (cutter === undefined) throw new Error("there is nothing between server and database");
    const before = cutter.cuts;
    cutter.arm(choice["moment"] as CutMoment, numberOf(choice, "count"));
    const giveUpAt = performance.now() + CUT_WAIT_MS_MAX;
    while (cutter.cuts - before < numberOf(choice, "count") && performance.now() < giveUpAt) await sleep(5);
    cutter.disarm();
  },
};

export const rowsLocked: FaultKind = {
  number: 6,
  name: "deadlock, lock wait",
  reach: "everybody",
  stores: MYSQL,
  choose: (random) => ({
    what: random.pick(["stream rows", "one stream after the other, backwards", "a table"]),
    forMs: duration(random, 50, LOCK_MS_USUAL, LOCK_MS_MAX),
  }),
  inject: async (choice, round) => {
    const forMs = numberOf(choice, "forMs");
    await asAdmin(round.rig, async (connection) => {
      await connection.query("SET SESSION innodb_lock_wait_timeout = 5");
      const where = `session_id IN (${round.sessionIds.map((id) => mysql.escape(id)).join(", ")})`;
      if (choice["what"] === "a table") {
        await connection.query("LOCK TABLES score_history_rows WRITE");
        await sleep(forMs);
        await connection.query("UNLOCK TABLES");
        return;
      }
      const isStepwise = choice["what"] !== "stream rows";
      const [rows] = await connection.query<mysql.RowDataPacket[]>(
        `SELECT CAST(stream AS CHAR) AS stream FROM streams WHERE ${where} ORDER BY stream DESC`,
      );
      const steps = isStepwise ? rows.map((row) => [row]) : [rows];
      const giveUpAt = performance.now() + forMs;
      do {
        await connection.query("START TRANSACTION");
        try {
          for (const step of steps) {
            if (step.length === 0) continue;
            const keys = step.map((row) => String(row["stream"])).join(", ");
            await connection.query(`SELECT stream FROM streams WHERE stream IN (${keys}) FOR UPDATE`);
            await sleep(isStepwise ? 10 : forMs);
          }
        } catch (error) {
          // The deadlock chose us.
          if (!/deadlock|lock wait/i.test(String(error))) throw error;
        }
        await connection.query("ROLLBACK");
      } while (isStepwise && performance.now() < giveUpAt);
    });
  },
};

export const connectionsKilled: FaultKind = {
  number: 7,
  name: "connections killed",
  reach: "everybody",
  stores: MYSQL,
  choose: (random) => ({ times: random.whole(1, 6), pauseMs: random.whole(5, 120), seed: random.whole(1, 1e9) }),
  inject: async (choice, { rig }) =>
    await asAdmin(rig, async (connection) => {
      const random = new SeededRandom(String(choice["seed"]));
      for (let time = 0; time < numberOf(choice, "times"); time++) {
        for (const id of await connectionsOfServer(connection)) {
          if (random.chance(0.7)) await connection.query(`KILL ${id}`).catch(() => undefined);
        }
        await sleep(numberOf(choice, "pauseMs"));
      }
    }),
};

export const readOnly: FaultKind = {
  number: 7,
  name: "database read-only",
  reach: "everybody",
  stores: MYSQL,
  choose: (random) => ({ forMs: random.whole(100, 900) }),
  inject: async (choice, { rig }) =>
    await rig.exclusively(
      "store",
      async () =>
        await asAdmin(rig, async (connection) => {
          await connection.query("SET GLOBAL read_only = 1");
          await sleep(numberOf(choice, "forMs"));
          await connection.query("SET GLOBAL read_only = 0");
        }),
    ),
};

export const tooManyConnections: FaultKind = {
  number: 7,
  name: "too many connections",
  reach: "everybody",
  stores: MYSQL,
  choose: (random) => ({ forMs: random.whole(100, 900) }),
  inject: async (choice, { rig }) =>
    await rig.exclusively(
      "store",
      async () =>
        await asAdmin(rig, async (connection) => {
          const [rows] = await connection.query<mysql.RowDataPacket[]>("SELECT @@max_connections AS n");
          await connection.query(`SET GLOBAL max_connections = ${CONNECTIONS_MAX}`);
          for (const id of await connectionsOfServer(connection)) await connection.query(`KILL ${id}`).catch(() => {});
          const crowd = await Promise.all(Array.from({ length: CONNECTIONS_MAX }, () => intruder(rig)));
          await sleep(numberOf(choice, "forMs"));
          for (const each of crowd) each?.destroy();
          await connection.query(`SET GLOBAL max_connections = ${Number(rows[0]?.["n"])}`);
        }),
    ),
};

/** Another connection to the file holds its write lock. */
export const fileLocked: FaultKind = {
  number: 6,
  name: "lock wait",
  reach: "everybody",
  stores: SQLITE,
  choose: (random) => ({
    mode: random.pick(["IMMEDIATE", "EXCLUSIVE"]),
    times: random.whole(1, 4),
    forMs: random.whole(10, 300),
  }),
  inject: async (choice, { rig }) =>
    await rig.exclusively("store", async () => {
      for (let time = 0; time < numberOf(choice, "times"); time++) {
        const holder = new DatabaseSync(rig.file ?? "", { timeout: 2_000 });
        try {
          holder.exec(`BEGIN ${choice["mode"]}`);
          await sleep(numberOf(choice, "forMs"));
          holder.exec("ROLLBACK");
        } finally {
          holder.close();
        }
      }
    }),
};

/** Another process holds it, now and then for longer than the server waits at once, and dies with it. */
export const fileLockedByProcess: FaultKind = {
  number: 7,
  name: "write lock held by a process",
  reach: "everybody",
  stores: SQLITE,
  choose: (random) => ({ forMs: duration(random, 100, 1_200, FILE_LOCK_MS_MAX) }),
  inject: async (choice, { rig }) =>
    await rig.exclusively("store", async () => {
      const program = `
        const { DatabaseSync } = require("node:sqlite");
        new DatabaseSync(${JSON.stringify(rig.file)}, { timeout: 10_000 }).exec("BEGIN IMMEDIATE");
        console.log("locked");
        setInterval(() => {}, 1_000);
      `;
      const holder = spawn(process.execPath, ["-e", program], {
        cwd: rig.scratchFolder,
        stdio: ["ignore", "pipe", "inherit"],
      });
      const gone = once(holder, "exit");
      await Promise.race([once(holder.stdout, "data"), gone]);
      await sleep(numberOf(choice, "forMs"));
      holder.kill("SIGKILL");
      await gone;
    }),
};

/** What other faults of the round do to a connection of the harness itself: the database is gone, or cannot write. */
const HARMED =
  /Connection lost|ECONNREFUSED|ECONNRESET|EPIPE|closed state|shutdown in progress|Errcode: (5|28) |Got error '(5|28) /;

async function asAdmin(rig: Rig, use: (connection: mysql.Connection) => Promise<void>): Promise<void> {
  let connection: mysql.Connection | undefined;
  try {
    connection = await connectPatiently({ uri: rig.adminUrl ?? "" });
    // A connection that dies tells its next statement.
    connection.on("error", () => {});
    await use(connection);
  } catch (error) {
    // That fault has ended this one.
    if (!HARMED.test(String(error))) throw error;
  } finally {
    connection?.destroy();
  }
}

async function connectionsOfServer(connection: mysql.Connection): Promise<number[]> {
  const [rows] = await connection.query<mysql.RowDataPacket[]>(
    "SELECT id FROM information_schema.processlist WHERE user = 'tailkeep'",
  );
  return rows.map((row) => Number(row["id"]));
}

async function intruder(rig: Rig): Promise<mysql.Connection | undefined> {
  const url = new URL(rig.adminUrl ?? "");
  url.username = "tailkeep";
  url.password = "tailkeep";
  const connection = await mysql.createConnection({ uri: url.href }).catch(() => undefined);
  connection?.on("error", () => {});
  return connection;
}

/** The database loses what it had: it is restored to an older state, or rows of streams are deleted. */

import { execFile } from "node:child_process";
import { copyFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import mysql from "mysql2/promise";
import { TYPES } from "../../harness/content.js";
import { connectPatiently } from "../../harness/patient-connection.js";
import { STORE_REGRESSED } from "../../harness/plain-store.js";
import { BOTH, type FaultKind, numberOf, type RunningRound } from "../fault.js";
import type { Rig } from "../rig/rig.js";
import { run } from "../rig/shell.js";

const TABLES: readonly string[] = [...TYPES.map((type) => `${type}_rows`), "streams", "gaps", "dead_letters"];
/** Until what was on its way when a server died has arrived, or is known to be lost. */
const SETTLE_MS = 60;
/** Nobody listens there. */
const NOWHERE = "127.0.0.1:1";

export const storeRestored: FaultKind = {
  number: 15,
  name: "restored to an older dump",
  reach: "everybody",
  stores: BOTH,
  isAlone: true,
  missing: ({ file, tools }) => (file === undefined ? tools.mariadbDump : undefined),
  choose: (random) => ({ laterMs: random.whole(20, 500) }),
  inject: async (choice, round) =>
    await round.rig.exclusively("store", async () => {
      const { rig } = round;
      const restore = rig.file === undefined ? await dumpMysql(rig, round) : await dumpSqlite(rig, rig.file);
      await sleep(numberOf(choice, "laterMs"));
      await rig.server.kill();
      await sleep(SETTLE_MS);
      noteForgettable(round);
      await restore();
      await rig.server.start();
      await hearFromEverybody(round);
    }),
};

export const streamsPruned: FaultKind = {
  number: 15,
  name: "stream rows pruned",
  reach: "everybody",
  stores: BOTH,
  isAlone: true,
  // Never below a stream that is open, as that has not expired: its writer is away meanwhile, or the whole server.
  choose: (random) => ({ away: random.pick(["writer", "server"]) }),
  inject: async (choice, round) =>
    await round.rig.exclusively("store", async () => {
      const { rig } = round;
      const isDown = choice["away"] === "server";
      if (isDown) await rig.server.kill();
      else rig.link.leadTo(NOWHERE);
      await sleep(SETTLE_MS);
      const sessionId = mysql.escape(round.sessionIds[0]);
      // With their rows, as pruning does; in one transaction.
      const statements = TABLES.map((table) => `DELETE FROM ${table} WHERE session_id = ${sessionId}`);
      await inOneTransaction(rig, statements);
      noteForgettable(round);
      if (isDown) await rig.server.start();
      rig.link.leadTo(rig.server.grpcAddress);
      await hearFromEverybody(round);
    }),
};

/** Only who comes back with more can tell the server what it has forgotten: who was done before cannot. */
async function hearFromEverybody({ trainers }: RunningRound): Promise<void> {
  await Promise.all(trainers.map((trainer) => trainer.appendOne()));
}

function noteForgettable({ trainers, forgettable }: RunningRound): void {
  for (const { journal } of trainers) forgettable.set(journal, journal.ackedSeq);
}

/** Numbers that the database forgot and the server declared are taken note of; what else it says is a violation. */
export async function takeNoteOfForgotten({ forgettable, rig }: RunningRound): Promise<void> {
  for (const [journal, upToSeq] of forgettable) {
    for (const stream of await rig.store.streams(journal.sessionId)) {
      if (stream.streamId !== journal.streamId) continue;
      for (const { firstSeq, lastSeq, cause } of await rig.store.gaps(stream.key)) {
        // What was never acked must not be given up.
        if (cause !== STORE_REGRESSED || lastSeq > upToSeq) continue;
        for (let seq = firstSeq; seq <= lastSeq; seq++) journal.forgottenSeqs.add(seq);
      }
    }
  }
}

async function inOneTransaction(rig: Rig, statements: readonly string[]): Promise<void> {
  if (rig.file !== undefined) {
    const database = new DatabaseSync(rig.file, { timeout: 10_000 });
    database.exec(`BEGIN IMMEDIATE; ${statements.join("; ")}; COMMIT`);
    database.close();
    return;
  }
  const connection = await connectPatiently({ uri: rig.adminUrl ?? "" });
  for (let attempt = 1; ; attempt++) {
    try {
      await connection.query("START TRANSACTION");
      // The stream's row first, as the server does.
      for (const statement of statements.toSorted(
        (a, b) => Number(b.includes(" streams ")) - Number(a.includes(" streams ")),
      ))
        await connection.query(statement);
      await connection.query("COMMIT");
      break;
    } catch (error) {
      if (attempt > 20 || !/deadlock|lock wait/i.test(String(error))) throw error;
      await connection.query("ROLLBACK");
    }
  }
  connection.destroy();
}

async function dumpSqlite(rig: Rig, file: string): Promise<() => Promise<void>> {
  const dump = join(rig.scratchFolder, "dump.db");
  const database = new DatabaseSync(file, { timeout: 10_000 });
  await backup(database, dump, { rate: 100_000 });
  database.close();
  return async () => {
    await rig.lookAway();
    for (const suffix of ["-wal", "-shm"]) await rm(file + suffix, { force: true });
    await copyFile(dump, file);
    await rm(dump);
  };
}

/** Only the rows of the round: an older dump of everything else is the same as what is there. */
async function dumpMysql(rig: Rig, round: RunningRound): Promise<() => Promise<void>> {
  const { port, username, pathname } = new URL(rig.adminUrl ?? "");
  const where = `session_id IN (${round.sessionIds.map((id) => mysql.escape(id)).join(", ")})`;
  const options = ["--no-defaults", "--protocol=tcp", "--host=127.0.0.1", `--port=${port}`, `--user=${username}`];
  const { stdout } = await promisify(execFile)(
    "mariadb-dump",
    [
      ...options,
      "--single-transaction",
      "--no-create-info",
      "--skip-triggers",
      `--where=${where}`,
      pathname.slice(1),
    ].concat(TABLES),
    { maxBuffer: 2 ** 28, encoding: "buffer" },
  );
  const file = join(rig.scratchFolder, "dump.sql");
  await writeFile(file, stdout);
  return async () => {
    await inOneTransaction(
      rig,
      TABLES.map((table) => `DELETE FROM ${table} WHERE ${where}`),
    );
    await run("sh", "-c", `mariadb ${options.join(" ")} ${pathname.slice(1)} < ${file}`);
    await rm(file);
  };
}

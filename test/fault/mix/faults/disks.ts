/** The disk under the database: its power goes, it is full, it cannot sync. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { BOTH, type FaultKind, numberOf } from "../fault.js";
import { pidOf, type Rig } from "../rig/rig.js";
import { run } from "../rig/shell.js";

/** For the checkpoint that SQLite may be in the middle of. */
const LEFT_BYTES_MAX = 400_000;
const TRACER_STARTS_MS = 60;
const TRACER_ENDS_MS_MAX = 2_000;
/** MariaDB writes a long farewell before it dies of a failed write. */
const DYING_MS = 150;
const REVIVE_MS_MAX = 20_000;
const REVIVE_POLL_MS = 50;

export const storePowerLost: FaultKind = {
  number: 9,
  name: "power loss of the store",
  reach: "everybody",
  stores: BOTH,
  missing: ({ tools }) => tools.disks,
  choose: (random) => ({ afterMs: random.whole(0, 60) }),
  inject: async (choice, { rig }) =>
    await rig.exclusively("store", async () => {
      await rig.lookAway();
      if (rig.database !== undefined) await syncPartitionFiles(rig);
      await sleep(numberOf(choice, "afterMs"));
      await rig.storeDisk?.losePower();
      if (rig.database?.pid !== undefined) await rig.database.kill();
      if (rig.file !== undefined) await rig.server.kill();
      await rig.storeDisk?.remount();
      await revive(rig);
    }),
};

export const storeDiskFull: FaultKind = {
  number: 11,
  name: "store's disk full",
  reach: "everybody",
  stores: BOTH,
  missing: ({ tools }) => tools.disks,
  choose: (random) => ({ leftBytes: random.whole(0, LEFT_BYTES_MAX), forMs: random.whole(200, 900) }),
  inject: async (choice, { rig }) =>
    await rig.exclusively("store", async () => {
      try {
        await rig.storeDisk?.fill(numberOf(choice, "leftBytes"));
        await sleep(numberOf(choice, "forMs"));
      } finally {
        await rig.storeDisk?.empty();
      }
      await revive(rig);
    }),
};

/** A database server may die of a failed sync; it must then come back with all that it had said was safe. */
export const storeSyncFails: FaultKind = {
  number: 11,
  name: "store's writes and syncs fail",
  reach: "everybody",
  stores: BOTH,
  missing: ({ tools }) => tools.strace,
  choose: (random) => ({
    call: random.pick(["fdatasync,fsync", "pwrite64"]),
    error: random.pick(["EIO", "ENOSPC"]),
    every: random.whole(1, 5),
    forMs: random.whole(100, 500),
  }),
  inject: async (choice, { rig }) =>
    await rig.exclusively("store", async () => {
      const { call, error, every } = choice;
      const pid = pidOf(rig.database ?? rig.server);
      const tracer = spawn(
        "strace",
        [
          "-f",
          "-o",
          "/dev/null",
          "-e",
          `trace=${call}`,
          "-e",
          `inject=${call}:error=${error}:when=${every}+${every}`,
        ].concat("-p", String(pid)),
        { stdio: "ignore" },
      );
      const ended = once(tracer, "exit");
      await sleep(TRACER_STARTS_MS + numberOf(choice, "forMs"));
      tracer.kill("SIGTERM");
      // One whose process died under it may wait for it for ever.
      const stuck = setTimeout(() => tracer.kill("SIGKILL"), TRACER_ENDS_MS_MAX);
      await ended;
      clearTimeout(stuck);
      if (rig.database !== undefined) await sleep(DYING_MS);
      await revive(rig);
    }),
};

/**
 * A power loss seconds after MariaDB had made a table left the file with the list of its partitions unreadable, and with it
 * the table. That is MariaDB's own; what is asked here is what became of committed rows.
 */
async function syncPartitionFiles({ storeDisk }: Rig): Promise<void> {
  if (storeDisk === undefined) return;
  await run("find", storeDisk.path, "-name", "*.par", "-exec", "sync", "{}", "+");
}

/** Starts what is dead, or is dying; resolves when the database answers. */
async function revive(rig: Rig): Promise<void> {
  const { database, server } = rig;
  if (database !== undefined) {
    const giveUpAt = performance.now() + REVIVE_MS_MAX;
    for (;;) {
      if (database.pid === undefined) {
        // Takes note of a death that nobody asked for.
        await database.kill().catch(() => undefined);
        await database.start();
      }
      const answers = await rig.store.streams("nobody").then(
        () => true,
        () => false,
      );
      if (answers && database.pid !== undefined) break;
      if (performance.now() > giveUpAt) throw new Error("the database server does not answer any more");
      await sleep(REVIVE_POLL_MS);
    }
  }
  if (server.pid === undefined) await server.start();
}

/** The server and its database die or stand still. */
import { setTimeout as sleep } from "node:timers/promises";
import { killAt } from "../../harness/killer.js";
import { BOTH, duration, type FaultKind, MYSQL, numberOf, SQLITE } from "../fault.js";
import { pidOf, type Rig } from "../rig/rig.js";

const KILL_DELAY_MS_MAX = 40;
const DOWN_MS_MAX = 150;

export const serverKilled: FaultKind = {
  number: 1,
  name: "server killed",
  reach: "everybody",
  stores: BOTH,
  choose: (random) => ({
    moment: random.pick(["at a commit", "at any time"]),
    delayMs: random.whole(0, KILL_DELAY_MS_MAX),
    downMs: random.chance(0.5) ? 0 : random.whole(1, DOWN_MS_MAX),
  }),
  inject: async (choice, { rig }) =>
    await rig.exclusively("store", async () => {
      await kill(rig, rig.server, choice);
      await sleep(numberOf(choice, "downMs"));
      await rig.server.start();
    }),
};

export const databaseKilled: FaultKind = {
  number: 3,
  name: "database killed",
  reach: "everybody",
  stores: MYSQL,
  isSlow: true,
  choose: serverKilled.choose,
  inject: async (choice, { rig }) =>
    await rig.exclusively("store", async () => {
      const { database } = rig;
      if (database === undefined) throw new Error("there is no database server");
      await kill(rig, database, choice);
      await sleep(numberOf(choice, "downMs"));
      await database.start();
    }),
};

export const databaseFrozen: FaultKind = {
  number: 4,
  name: "database frozen",
  reach: "everybody",
  stores: MYSQL,
  isSlow: true,
  choose: (random) => ({ forMs: duration(random, 1_000, 1_800, freezeMsMax()) }),
  inject: async (choice, { rig }) =>
    await rig.exclusively("store", async () => {
      rig.database?.pause();
      await sleep(numberOf(choice, "forMs"));
      rig.database?.resume();
    }),
};

export const diskFrozen: FaultKind = {
  number: 4,
  name: "SQLite's disk frozen",
  reach: "everybody",
  stores: SQLITE,
  isSlow: true,
  missing: ({ tools }) => tools.disks,
  choose: databaseFrozen.choose,
  inject: async (choice, { rig }) =>
    await rig.exclusively("store", async () => {
      await rig.lookAway();
      await rig.storeDisk?.freeze();
      await sleep(numberOf(choice, "forMs"));
      await rig.storeDisk?.thaw();
    }),
};

/** The long form goes to minutes: TAILKEEP_FAULT_FREEZE_S=300. */
function freezeMsMax(): number {
  return Number(process.env["TAILKEEP_FAULT_FREEZE_S"] ?? 12) * 1_000;
}

async function kill(
  rig: Rig,
  victim: { readonly pid: number | undefined; kill(): Promise<void> },
  choice: Parameters<FaultKind["inject"]>[0],
): Promise<void> {
  if (choice["moment"] !== "at a commit") {
    await sleep(numberOf(choice, "delayMs"));
    await victim.kill();
    return;
  }
  await killAt(
    { kind: "commit" },
    { location: rig.file === undefined ? { url: rig.adminUrl ?? "" } : { file: rig.file }, pid: pidOf(victim) },
    () => victim.kill(),
  );
}

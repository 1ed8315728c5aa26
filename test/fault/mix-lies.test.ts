// Mixed faults prove nothing unless they find what is wrong: disks that lie, rows that vanish, writers that are not fenced.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import mysql from "mysql2/promise";
import { afterAll, describe, expect, test } from "vitest";
import { isSkipped, type Skipped } from "../support/databases/index.js";
import { TYPES } from "./harness/content.js";
import type { Violation } from "./harness/oracle.js";
import { SeededRandom } from "./harness/random.js";
import type { StoreKind } from "./harness/system.js";
import { judgeTotals } from "./mix/campaign.js";
import { BOTH, type FaultKind } from "./mix/fault.js";
import { storePowerLost } from "./mix/faults/disks.js";
import { serverKilled } from "./mix/faults/processes.js";
import { zombieWriter } from "./mix/faults/writers.js";
import { judgeLives } from "./mix/recorder/judge-lives.js";
import { RecorderLife } from "./mix/recorder/life.js";
import { FaultProxy } from "./mix/rig/fault-proxy.js";
import { pidOf, type Rig, startRig } from "./mix/rig/rig.js";
import { runRound } from "./mix/round.js";
import { scheduleWith } from "./mix/schedule.js";

const rigs = new Map<StoreKind, Promise<Rig | Skipped>>();
async function rigOn(kind: StoreKind): Promise<Rig | Skipped> {
  const rig = rigs.get(kind) ?? startRig(kind);
  rigs.set(kind, rig);
  return await rig;
}
afterAll(async () => {
  for (const starting of rigs.values()) {
    const rig = await starting;
    if (!isSkipped(rig)) await rig.stop();
  }
});

let rounds = 0;
async function foundBy(kinds: readonly FaultKind[], rig: Rig): Promise<Set<Violation["invariant"]>> {
  const { violations } = await runRound(scheduleWith(kinds, new SeededRandom("lies"), "lies", ++rounds), rig);
  return new Set(violations.map(({ invariant }) => invariant));
}

/** Another fault at heart, with something wrong about it. */
function lie(like: FaultKind, change: Partial<FaultKind>): FaultKind {
  return { ...like, ...change };
}

describe("on SQLite", () => {
  test("a disk that only says it syncs is I1, once its power is gone", async (context) => {
    const rig = await rigOn("sqlite");
    if (isSkipped(rig)) return context.skip(rig.skipped);
    const missing = rig.tools.disks ?? rig.tools.strace;
    if (missing !== undefined) return context.skip(missing);
    const lying = lie(storePowerLost, {
      inject: async (choice, round) => {
        const calls = "fsync,fdatasync";
        const tracer = spawn(
          "strace",
          [
            "-f",
            "-o",
            "/dev/null",
            "-e",
            `trace=${calls}`,
            "-e",
            `inject=${calls}:retval=0`,
            "-p",
            `${pidOf(rig.server)}`,
          ],
          { stdio: "ignore" },
        );
        const ended = once(tracer, "exit");
        await sleep(800);
        await storePowerLost.inject(choice, round);
        await ended;
      },
    });
    expect(await foundBy([lying], rig)).toContain("I1");
  });

  test("rows that vanish are I1", async (context) => {
    const rig = await rigOn("sqlite");
    if (isSkipped(rig)) return context.skip(rig.skipped);
    const vanishing = lie(serverKilled, {
      inject: async (choice, round) => {
        await serverKilled.inject(choice, round);
        await rig.store.execute("DELETE FROM frame_tracking_rows");
      },
    });
    expect(await foundBy([vanishing], rig)).toContain("I1");
  });

  test("rows of an earlier round that expired are I1", async (context) => {
    const rig = await rigOn("sqlite");
    if (isSkipped(rig)) return context.skip(rig.skipped);
    await runRound(scheduleWith([], new SeededRandom("early"), "early", 1), rig);
    const before = await judgeTotals(rig.store, 0);
    expect(before.committed).toBeGreaterThan(0);
    await rig.store.execute("DELETE FROM score_history_rows");
    expect((await judgeTotals(rig.store, 0)).violations).toHaveLength(1);
    for (const table of ["streams", "gaps", "dead_letters", ...TYPES.map((type) => `${type}_rows`)]) {
      await rig.store.execute(`DELETE FROM ${table}`);
    }
    const { violations } = await judgeTotals(rig.store, before.committed);
    expect(violations).toMatchObject([{ invariant: "I1", detail: expect.stringMatching(/0 are left/) }]);
  });

  test("a writer that is not fenced is I6", async (context) => {
    const rig = await rigOn("sqlite");
    if (isSkipped(rig)) return context.skip(rig.skipped);
    await rig.store.execute(`CREATE TRIGGER lie AFTER INSERT ON score_history_rows WHEN NEW.score_type = 'new'
      BEGIN UPDATE score_history_rows SET score_type = 'old' WHERE id = NEW.id; END`);
    try {
      expect(await foundBy([zombieWriter], rig)).toContain("I6");
    } finally {
      await rig.store.execute("DROP TRIGGER lie");
    }
  });

  test("a fault that should reach some and reaches everybody is I9", async (context) => {
    const rig = await rigOn("sqlite");
    if (isSkipped(rig)) return context.skip(rig.skipped);
    expect(await foundBy([lie(serverKilled, { reach: "some" })], rig)).toEqual(new Set(["I9"]));
  });

  test("a fault that nothing recovers from by itself is I10", async (context) => {
    const rig = await rigOn("sqlite");
    if (isSkipped(rig)) return context.skip(rig.skipped);
    const failing = lie(serverKilled, { inject: () => Promise.reject(new Error("it does not start again")) });
    expect(await foundBy([failing], rig)).toEqual(new Set(["I10"]));
  });

  test("spill that is gone is I1, and a gap of which nobody was told is I5", async (context) => {
    const rig = await rigOn("sqlite");
    if (isSkipped(rig)) return context.skip(rig.skipped);
    const link = await FaultProxy.start(rig.server.grpcAddress);
    const spillFolder = await mkdtemp(join(rig.scratchFolder, "gone-"));
    const common = { server: link.address, sessionId: "gone", spillFolder, recordBytes: 20, burst: 50, pauseMs: 5 };
    const start = (run: string, count: number, endsByItself: boolean) =>
      new RecorderLife({ ...common, run, count, spillAfterMs: 0, syncMs: 5, endsByItself });
    try {
      link.hold("down");
      const first = start("first", 100_000, false);
      await first.until(() => first.safe > 500);
      first.kill();
      await first.ended;
      rmSync(spillFolder, { recursive: true });
      link.heal();
      const second = start("second", 200, true);
      await second.untilEnded();
      const kinds = async () =>
        new Set((await judgeLives(rig.store, "gone", [first, second])).map(({ invariant }) => invariant));
      expect(await kinds()).toEqual(new Set(["I1"]));
      await rig.store.execute(`DELETE FROM performance_history_rows WHERE session_id = 'gone' AND seq = 7`);
      await rig.store.execute(`INSERT INTO gaps SELECT stream, 7, 7, namespace_id, session_id, 0, 1, 0, '2099-01-01'
        FROM streams WHERE session_id = 'gone'`);
      expect(await kinds()).toContain("I5");
    } finally {
      await link.close();
    }
  });
});

test("a MariaDB that does not sync its commits is I1, once its power is gone", async (context) => {
  const rig = await rigOn("mysql");
  if (isSkipped(rig)) return context.skip(rig.skipped);
  if (rig.tools.disks !== undefined) return context.skip(rig.tools.disks);
  const lying = lie(storePowerLost, {
    stores: BOTH,
    inject: async (choice, round) => {
      const connection = await mysql.createConnection({ uri: rig.adminUrl ?? "" });
      await connection.query("SET GLOBAL innodb_flush_log_at_trx_commit = 0");
      connection.destroy();
      await sleep(400);
      await storePowerLost.inject(choice, round);
    },
  });
  expect(await foundBy([lying], rig)).toContain("I1");
});

// Who owns which folder, and who takes it over.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { SpillFolder } from "../../../client/src/spill/index.js";
import { machineOwners } from "../../../client/src/spill/owner.js";
import {
  adopt,
  filesIn,
  leaveBehind,
  logOf,
  makeBatch,
  openSpill,
  plainAll,
  readAll,
  sameBatches,
  streamNamed,
  tempFolder,
  until,
} from "./fixture.js";

const DEAD = "0123456789abcdef";

describe("a folder", () => {
  test("is not made before something is spilled", async () => {
    const folder = join(tempFolder(), "spill");
    const { spill } = openSpill(folder);
    expect(await spill.adopt()).toEqual([]);
    expect(spill.state).toBe("unused");
    expect(existsSync(folder)).toBe(false);
    logOf(spill);
    expect(spill.state).toBe("owned");
    await spill.close();
    expect(filesIn(folder)).toEqual([]);
    expect(spill.log(streamNamed("late"))).toBeUndefined();
    expect(await spill.adopt()).toEqual([]);
  });

  test("that is in use is left alone, whatever the length of its path", async () => {
    for (const folder of [tempFolder(), join(tempFolder(), "x".repeat(50), "y".repeat(50))]) {
      const { spill } = openSpill(folder);
      logOf(spill).append(makeBatch(1, { records: 1, bytes: 10 }));
      await until(() => spill.bytes > 0 && filesIn(folder).some((name) => name.endsWith(".seg")), "it is written");
      const before = filesIn(folder);
      expect(before.some((name) => name.endsWith("owner.sock"))).toBe(true);
      const other = await adopt(folder);
      expect([other.orphans, other.codes(), other.spill.state]).toEqual([[], [], "unused"]);
      expect(filesIn(folder)).toEqual(before);
      await spill.close();
      // And the same folder is found when it is not in use any more.
      expect(await other.spill.adopt()).toHaveLength(1);
    }
  });

  test("whose owner has nothing left is removed by the next one, which makes none itself", async () => {
    const folder = tempFolder();
    mkdirSync(join(folder, DEAD));
    writeFileSync(join(folder, DEAD, "owner.json"), "{");
    const { spill, orphans } = await adopt(folder);
    expect([orphans, spill.state, existsSync(join(folder, DEAD))]).toEqual([[], "unused", false]);
  });

  test("that cannot be made is said once, and spilling is tried again later", async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, "file"), "");
    const { systemClock } = await import("../../../client/src/clock.js");
    let nowMs = 0;
    const { spill, codes } = openSpill(
      join(folder, "file", "spill"),
      {},
      { clock: { ...systemClock, nowMs: () => nowMs } },
    );
    for (let round = 0; round < 3; round++) expect(spill.log(streamNamed("a"))).toBeUndefined();
    expect([spill.state, codes()]).toEqual(["failed", ["SPILL_FOLDER_UNUSABLE"]]);
    rmSync(join(folder, "file"));
    expect(spill.log(streamNamed("a"))).toBeUndefined();
    nowMs = 31_000;
    expect(spill.log(streamNamed("a"))).toBeDefined();
    expect(spill.state).toBe("owned");
  });

  test("is not spoiled by a listener that throws", async () => {
    const spill = new SpillFolder({
      folder: "/dev/null/spill",
      bytesMax: 1,
      freeBytesMin: 0,
      sync: "always",
      onProblem: () => {
        throw new Error("by the test");
      },
    });
    const warnings: Error[] = [];
    const listener = (warning: Error) => warnings.push(warning);
    process.on("warning", listener);
    expect(spill.log(streamNamed("a"))).toBeUndefined();
    await until(() => warnings.length === 1, "it is told");
    process.off("warning", listener);
    expect(warnings[0]?.message).toContain("by the test");
  });
});

describe("what is left", () => {
  test("goes to exactly one of many that want it", async () => {
    const folder = tempFolder();
    const batches = sameBatches(20, 2, 100);
    for (let at = 0; at < 10; at++) await leaveBehind(folder, batches, streamNamed(`stream ${at}`));
    const all = await Promise.all(Array.from({ length: 8 }, () => adopt(folder)));
    const orphans = all.flatMap((each) => each.orphans);
    expect(orphans.map(({ identity }) => identity.streamId).sort()).toEqual(
      Array.from({ length: 10 }, (_, at) => `stream ${at}`).sort(),
    );
    for (const { log } of orphans) expect(plainAll(await readAll(log))).toEqual(plainAll(batches));
    expect(all.flatMap(({ codes }) => codes())).toEqual([]);
  });

  test("passes through any number of successors that die, and never gets deeper", async () => {
    const folder = tempFolder();
    const batches = sameBatches(20, 2, 100);
    await leaveBehind(folder, batches, streamNamed("first"));
    for (let round = 0; round < 5; round++) {
      const { spill, orphans } = await adopt(folder);
      expect(orphans).toHaveLength(round + 1);
      const own = logOf(spill, streamNamed(`round ${round}`));
      for (const batch of batches) own.append(batch);
      await spill.close();
      expect(Math.max(...filesIn(folder).map((name) => name.split("/").length))).toBeLessThanOrEqual(3);
    }
    const { spill, orphans } = await adopt(folder);
    expect(orphans).toHaveLength(6);
    for (const { log } of orphans) {
      expect(plainAll(await readAll(log))).toEqual(plainAll(batches));
      await log.remove();
    }
    await spill.close();
    expect(filesIn(folder)).toEqual([]);
  });

  test("counts for the quota of who took it", async () => {
    const folder = tempFolder();
    await leaveBehind(folder, sameBatches(20, 2, 10_000));
    const { spill, orphans, codes } = await adopt(folder, { bytesMax: 150_000 });
    expect(spill.bytes).toBeGreaterThan(200_000);
    const log = logOf(spill, streamNamed("new"));
    expect(log.append(makeBatch(1, { records: 1, bytes: 10 }))).toBe("full");
    expect(codes()).toEqual(["SPILL_QUOTA_FULL"]);
    await orphans[0]?.log.remove();
    expect(log.append(makeBatch(1, { records: 1, bytes: 10 }))).toBe("taken");
  });

  test("half way through being taken over is found by the next one", async () => {
    const folder = tempFolder();
    const batches = sameBatches(5, 2, 100);
    for (const name of ["a", "b", "c"]) await leaveBehind(folder, batches, streamNamed(name));
    const [one, two, three] = new Set(filesIn(folder).map((name) => name.split("/")[0]));
    // Killed after the rename, and one that was itself killed so.
    renameSync(join(folder, `${one}`), join(folder, `${two}`, `${one}`));
    renameSync(join(folder, `${two}`), join(folder, `${three}`, `${two}`));
    const { orphans } = await adopt(folder);
    expect(orphans.map(({ identity }) => identity.streamId).sort()).toEqual(["a", "b", "c"]);
  });
});

describe("an owner", () => {
  const servers: net.Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  interface Sign {
    readonly record?: object | string;
    readonly socket?: "listens" | "abandoned";
  }

  async function verdict({ record, socket }: Sign): Promise<string> {
    const folder = join(tempFolder(), DEAD);
    mkdirSync(folder);
    if (record !== undefined) {
      writeFileSync(join(folder, "owner.json"), typeof record === "string" ? record : JSON.stringify(record));
    }
    if (socket === "listens") {
      const server = net.createServer().listen(join(folder, "owner.sock"));
      servers.push(server);
    } else if (socket === "abandoned") {
      // A process that is killed leaves its socket.
      const code = `require("net").createServer().listen(${JSON.stringify(join(folder, "owner.sock"))}, () => process.kill(process.pid, "SIGKILL"))`;
      spawnSync(process.execPath, ["-e", code]);
      expect(existsSync(join(folder, "owner.sock"))).toBe(true);
    }
    return (await machineOwners.livenessOf(folder, DEAD)).is;
  }

  const own = machineOwners.make(tempFolder());
  const record = JSON.parse(readFileSync(join(own.path, "owner.json"), "utf8")) as Record<string, unknown>;
  const gone = { ...record, pid: spawnSync(process.execPath, ["-e", ""]).pid };

  test("lives if its socket answers, and is dead if nobody listens on it", async () => {
    expect(await verdict({ record, socket: "listens" })).toBe("alive");
    expect(await verdict({ record: gone, socket: "listens" })).toBe("alive");
    expect(await verdict({ socket: "listens" })).toBe("alive");
    expect(await verdict({ record, socket: "abandoned" })).toBe("dead");
    expect(await verdict({ socket: "abandoned" })).toBe("dead");
  });

  test("without a socket lives if its process does", async () => {
    expect(await verdict({ record })).toBe("alive");
    expect(await verdict({ record: gone })).toBe("dead");
    // Another process that has its number now.
    expect(await verdict({ record: { ...record, started: "1" } })).toBe("dead");
    expect(await verdict({ record: { ...record, pid: 1 } })).toBe("dead");
    expect(await verdict({ record: { ...record, started: undefined } })).toBe("alive");
  });

  test("that released its folder, or whose record was lost with the machine, is dead", async () => {
    expect(await verdict({})).toBe("dead");
    for (const text of ["", "{", "null", "[]", '{"pid":0,"host":"x"}', '{"pid":-1,"host":"x"}', '{"pid":"1"}']) {
      expect(await verdict({ record: text })).toBe("dead");
    }
  });

  test("from an earlier boot is dead on a local disk, and one of another container or machine is nobody's guess", async () => {
    expect(await verdict({ record: { ...record, boot: "earlier" } })).toBe("dead");
    expect(await verdict({ record: { ...record, boot: "earlier" }, socket: "abandoned" })).toBe("dead");
    expect(await verdict({ record: { ...record, pidNamespace: "pid:[1]" } })).toBe("unknown");
    expect(await verdict({ record: { ...record, pidNamespace: "pid:[1]" }, socket: "abandoned" })).toBe("dead");
    expect(await verdict({ record: { ...record, boot: undefined, host: "elsewhere" } })).toBe("unknown");
    expect(await verdict({ record: { ...record, boot: undefined, host: hostname() } })).toBe("alive");
  });

  test("that cannot be judged keeps its folder, and that is said", async () => {
    const folder = tempFolder();
    await leaveBehind(folder, sameBatches(3, 2, 100));
    const owner = filesIn(folder)[0]?.split("/")[0] as string;
    const file = join(folder, owner, "owner.json");
    writeFileSync(file, JSON.stringify({ ...record, boot: undefined, host: "elsewhere" }));
    const { spill, orphans, problems } = await adopt(folder);
    expect(orphans).toEqual([]);
    expect(problems).toEqual([{ code: "SPILL_OWNER_UNKNOWN", message: expect.stringContaining("machine elsewhere") }]);
    rmSync(file);
    expect(await spill.adopt()).toHaveLength(1);
  });

  test("that died while it made its folder leaves something that is cleaned away later", async () => {
    const folder = tempFolder();
    const unfinished = join(folder, `new-${DEAD}`);
    mkdirSync(unfinished);
    writeFileSync(join(unfinished, "owner.json"), "");
    await adopt(folder);
    expect(existsSync(unfinished)).toBe(true);
    const { utimesSync } = await import("node:fs");
    utimesSync(unfinished, 1, 1);
    await adopt(folder);
    expect(existsSync(unfinished)).toBe(false);
  });

  test("has a folder that others may not read", () => {
    const folder = join(tempFolder(), "spill");
    const { spill } = openSpill(folder);
    logOf(spill);
    chmodSync(folder, 0o700);
    const mode = spawnSync("stat", ["-c", "%a", folder, ...filesIn(folder).map((name) => join(folder, name))]);
    expect(mode.stdout.toString().split("\n")[0]).toBe("700");
  });
});

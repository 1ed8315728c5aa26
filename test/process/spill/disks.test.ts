// Disks that are full, read-only or failing, as the system has them. What a machine does not permit is skipped, and said.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { checkLog, succeed, Trainer, tempFolder, until } from "./fixture.js";

const isRoot = process.getuid?.() === 0;
const NOBODY = 65_534;

const mounts: string[] = [];
afterEach(() => {
  for (const mount of mounts.splice(0)) spawnSync("umount", ["-l", mount]);
});

/** A small disk; undefined, and said, if it cannot be had. */
function smallDisk(bytes: number): string | undefined {
  const folder = join(tempFolder(), "disk");
  mkdirSync(folder);
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "tailkeep-test", folder]);
  if (mounted.status !== 0) {
    console.warn("not tried: mounting a small disk takes root");
    return undefined;
  }
  mounts.push(folder);
  return folder;
}

test.each([
  { freeBytesMin: Number.NEGATIVE_INFINITY, problem: /^SPILL_DISK_FULL .*ENOSPC.* free disk space/ },
  { freeBytesMin: 200_000, problem: /^SPILL_DISK_LOW .* 200000 bytes free.* free disk space/ },
])(
  "a full disk ($freeBytesMin are to be free) is said and refused, and nothing that was taken is lost",
  async ({ freeBytesMin, problem }) => {
    const disk = smallDisk(4 * 2 ** 20);
    if (disk === undefined) return;
    const ballast = join(disk, "ballast");
    writeFileSync(ballast, Buffer.alloc(2 * 2 ** 20));
    const trainer = new Trainer(join(disk, "spill"), "full", { freeBytesMin });
    await until(() => trainer.lines.includes("refused"), "the disk is full");
    expect(trainer.said("problem")).toEqual([expect.stringMatching(problem)]);
    const before = trainer.seq("synced");
    rmSync(ballast);
    await until(() => trainer.seq("synced") > before + 1_000, "there is room again");
    await trainer.kill();
    const { orphans, problems, spill } = await succeed(join(disk, "spill"));
    expect(problems).toEqual([]);
    expect(orphans).toHaveLength(1);
    for (const orphan of orphans) {
      expect(await checkLog(orphan)).toMatchObject({ firstSeq: 1 });
      expect(orphan.lastSeq).toBeGreaterThanOrEqual(trainer.seq("synced"));
    }
    await spill.close();
  },
);

test("a folder that may not be written is said, and the trainer goes on", async () => {
  const folder = tempFolder();
  chmodSync(folder, 0o555);
  const trainer = new Trainer(join(folder, "spill"), "read-only", isRoot ? { uid: NOBODY } : {});
  await trainer.end();
  expect(trainer.lines.slice(1)).toEqual([
    expect.stringMatching(/^problem SPILL_FOLDER_UNUSABLE .*EACCES.*make the folder writable/),
    "cannot spill",
  ]);
  expect(trainer.exitCode).toBe(0);
});

test("what belongs to another user is left alone, and said", async (context) => {
  if (!isRoot) context.skip("acting for another user takes root");
  const folder = tempFolder();
  chmodSync(folder, 0o777);
  const trainer = new Trainer(folder, "somebody's");
  await until(() => trainer.seq("synced") > 0, "it spills");
  const other = new Trainer(folder, "other", { mode: "adopt only", uid: NOBODY });
  await until(() => other.lines.includes("adopted all"), "it has looked");
  expect(other.said("problem")).toEqual([expect.stringMatching(/^SPILL_OWNER_UNKNOWN .*another user/)]);
});

const STRACE = "/usr/bin/strace";
const canTrace = existsSync(STRACE) && spawnSync(STRACE, ["-f", "-o", "/dev/null", "true"]).status === 0;

/** The system calls of a trace, in the order they began, each on one line. */
function callsIn(trace: string): string[] {
  const calls: string[] = [];
  const unfinished = new Map<string, number>();
  for (const line of readFileSync(trace, "utf8").split("\n")) {
    const [, pid = "", text = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(text);
    if (resumed === null) {
      if (text.endsWith("<unfinished ...>")) unfinished.set(pid, calls.length);
      calls.push(text.replace(/ *<unfinished \.\.\.>$/, ""));
    } else {
      const at = unfinished.get(pid);
      if (at !== undefined) calls[at] += resumed[1] ?? "";
    }
  }
  return calls;
}

test("a file whose sync failed is never written or synced again", async (context) => {
  if (!canTrace) context.skip("it takes strace, and the right to use it");
  const folder = tempFolder();
  const trace = join(tempFolder(), "trace");
  // The third sync fails, and the one of the file that takes over goes well. Calls are counted by thread.
  const under = [
    STRACE,
    "-f",
    "-E",
    "UV_THREADPOOL_SIZE=1",
    "-o",
    trace,
    "-e",
    "trace=openat,pwritev,fdatasync,fsync,close",
  ];
  const trainer = new Trainer(folder, "fails", { under: [...under, "-e", "inject=fdatasync:error=EIO:when=3"] });
  await until(() => trainer.said("problem").length > 0, "the sync failed");
  const before = trainer.seq("synced");
  await until(() => trainer.seq("synced") > before + 300, "it goes on");
  await trainer.kill();
  expect(trainer.said("problem")).toEqual([expect.stringMatching(/^SPILL_FILE_FAILED .*EIO/)]);

  const calls = callsIn(trace);
  const failedAt = calls.findIndex((call) => call.includes("EIO") && call.includes("INJECTED"));
  const fd = /^fdatasync\((\d+)/.exec(calls[failedAt] ?? "")?.[1];
  expect(fd).toBeDefined();
  const after = calls.slice(failedAt + 1);
  const closedAt = after.findIndex((call) => call.startsWith(`close(${fd})`));
  expect(closedAt).toBeGreaterThanOrEqual(0);
  const meanwhile = after.slice(0, closedAt);
  expect(meanwhile.filter((call) => call.startsWith(`fdatasync(${fd})`))).toEqual([]);
  // One may have been on its way before the trainer heard of the failure.
  expect(meanwhile.filter((call) => call.startsWith(`pwritev(${fd},`)).length).toBeLessThanOrEqual(1);

  const { orphans } = await succeed(folder);
  for (const orphan of orphans) await checkLog(orphan);
  expect(orphans[0]?.lastSeq).toBeGreaterThanOrEqual(trainer.seq("synced"));
});

test("the first sync of a file is followed by one of each folder that is new", async (context) => {
  if (!canTrace) context.skip("it takes strace, and the right to use it");
  const folder = join(tempFolder(), "new", "newer");
  const trace = join(tempFolder(), "trace");
  const under = [STRACE, "-f", "-y", "-o", trace, "-e", "trace=fdatasync,fsync"];
  const trainer = new Trainer(folder, "syncs", { under });
  await until(() => trainer.seq("synced") > 0, "it is synced");
  await trainer.kill();
  const synced = callsIn(trace)
    .map((call) => /^(?:fdatasync|fsync)\(\d+<([^>]*)>/.exec(call)?.[1])
    .filter((path) => path !== undefined);
  const [file, ...folders] = synced as [string, ...string[]];
  expect(file).toMatch(/\.seg$/);
  const parents = [join(file, ".."), folder, join(folder, ".."), join(folder, "..", "..")];
  expect(folders.slice(0, 4)).toEqual(parents);
});

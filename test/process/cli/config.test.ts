// `tailkeep config get`, `set`, `reset`, `rollback`, `history` on a running server, and a trainer in another process that follows.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type InProcessServer, startInProcess, temporaryFolder } from "../../support/in-process-server.js";
import { runCommand } from "../../support/run-command.js";

let folder: { path: string; remove(): Promise<void> };
let server: InProcessServer;

beforeAll(async () => {
  folder = await temporaryFolder();
  server = await startInProcess({ store: `sqlite:${join(folder.path, "t.db")}`, memoryLimits: { frameHistory: 60 } });
});
afterAll(async () => {
  await server.close();
  await folder.remove();
});

const config = (...words: string[]) => runCommand(["config", ...words, "--server", server.grpcAddr]);

interface Trainer {
  readonly output: () => string;
  readonly ended: Promise<{ code: number | null; ms: number; output: string }>;
}

/** Runs a module as a process of its own. */
function trainer(body: string, address = server.grpcAddr): Trainer {
  const source = `import { DatabaseBoundedList } from "@tailkeep/client"; ${body}`;
  const startedMs = performance.now();
  const child = spawn(process.execPath, ["--input-type=module", "-e", source], {
    cwd: import.meta.dirname,
    env: {
      ...process.env,
      TAILKEEP_SERVER: address,
      TAILKEEP_SESSION: "limits",
      TAILKEEP_SPILL_DIR: join(folder.path, `spill-${startedMs}`),
    },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const ended = new Promise<{ code: number | null; ms: number; output: string }>((resolve) => {
    child.on("close", (code) => resolve({ code, ms: performance.now() - startedMs, output }));
  });
  return { output: () => output, ended };
}

describe("the command", () => {
  test("shows every limit with its source", async () => {
    const { code, stdout, stderr } = await config("get");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^memoryLimits\.scoreHistory +100 {2}default$/m);
    expect(stdout).toMatch(/^memoryLimits\.frameHistory +60 {2}server$/m);
    expect(stdout).toMatch(/^version 0, never changed$/m);
    expect(stdout.trim().split("\n")).toHaveLength(16);
    expect(JSON.parse((await config("get", "--json")).stdout)).toMatchObject({
      version: 0,
      actionLimits: { perGame: 2_000 },
    });
  });

  test("changes some, gives them back, and remembers", async () => {
    const words = [
      "memoryLimits.scoreHistory=200",
      "actionLimits.perGame=7",
      "--comment",
      "why not",
      "--author",
      "ann",
    ];
    const set = await config("set", ...words);
    expect(set).toMatchObject({ code: 0, stderr: "" });
    expect(set.stdout).toMatch(/^memoryLimits\.scoreHistory +200 {2}database\nactionLimits\.perGame +7 {2}database\n/);
    expect(set.stdout).toMatch(/version 1, changed \d{4}-/);
    const reset = await config("reset", "actionLimits.perGame", "--expected-version", "1");
    expect(reset.stdout).toMatch(/^actionLimits\.perGame +2000 {2}default\nversion 2/);
    const { stdout } = await config("history");
    expect(stdout).toMatch(
      /^version 2 {2}.*\n {2}actionLimits\.perGame {2}7 -> unset\nversion 1 {2}.* by ann: why not\n/,
    );
    const [newest] = (await config("history", "--limit", "1", "--json")).stdout.trim().split("\n");
    expect(JSON.parse(newest ?? "")).toMatchObject({ version: 2 });
  });

  test("goes back to an earlier version, which is a version of its own", async () => {
    expect(await config("set", "actionLimits.perGame=8", "memoryLimits.scoreHistory=300")).toMatchObject({ code: 0 });
    const first = await config("rollback", "1", "--author", "bob");
    expect(first).toMatchObject({ code: 0, stderr: "" });
    expect(first.stdout).toMatch(/^memoryLimits\.scoreHistory +200 {2}database$/m);
    expect(first.stdout).toMatch(/^actionLimits\.perGame +7 {2}database$/m);
    expect(first.stdout).toMatch(/^version 4, changed/m);
    const { stdout } = await config("history", "--limit", "1");
    expect(stdout).toMatch(
      / by bob: back to version 1\n {2}actionLimits\.perGame {2}8 -> 7\n {2}memoryLimits\.scoreHistory {2}300 -> 200\n$/,
    );
    const all = JSON.parse((await config("rollback", "0", "--json")).stdout) as { sources: Record<string, string> };
    expect(all).toMatchObject({ version: 5, memoryLimits: { scoreHistory: 100 }, actionLimits: { perGame: 2_000 } });
    expect(Object.values(all.sources)).not.toContain("database");
    expect((await config("rollback", "2")).stdout).toMatch(/^version 6, changed/m);
    expect(await config("rollback", "6")).toMatchObject({ stdout: expect.stringMatching(/^version 6, changed/m) });
  });

  test.each([
    [
      ["set", "memoryLimits.scoreHistory=0"],
      2,
      /memoryLimits\.scoreHistory: is 0; use a whole number from 1 to 100000/,
    ],
    [["set", "memoryLimits.scoreHistory=many"], 2, /Write it as memoryLimits\.scoreHistory=200/],
    [["set", "memoryLimits.nothing=1"], 2, /must be one of memoryLimits\.performanceHistory, /],
    [["set"], 2, /missing required argument/],
    [["reset", "nothing"], 2, /Allowed choices are/],
    [["rollback", "99"], 2, /version: is 99; use one of the history, which ends with 6, or 0/],
    [
      ["set", "memoryLimits.scoreHistory=3", "--expected-version", "1"],
      1,
      /the configuration has version 6; read it again/,
    ],
  ])("%j is refused with what to do", async (words, code, message) => {
    const result = await config(...words);
    expect(result).toMatchObject({ code, stdout: "" });
    expect(result.stderr).toMatch(message);
  });

  test("says so when no server is there", async () => {
    const { code, stderr } = await runCommand(["config", "get", "--server", "127.0.0.1:1"]);
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringMatching(/no answer from the server/) });
  });
});

describe("a trainer's process", () => {
  test("has its list made smaller a few seconds after config set", async () => {
    const { output, ended } = trainer(`
      const list = new DatabaseBoundedList("score_history", { gameId: "g" });
      let shown = "";
      const timer = setInterval(() => {
        list.append(1);
        for (let n = 0; n < 10; n++) list.append(n);
        const now = list.capacity + " " + (list.length <= list.capacity);
        if (now !== shown) console.log(shown = now);
        if (list.capacity === 25 && list.length === 25) { console.log("smaller"); clearInterval(timer); }
      }, 20);
    `);
    await expect.poll(output, { timeout: 15_000 }).toMatch(/^200 true$/m);
    const setAtMs = performance.now();
    expect(await config("set", "memoryLimits.scoreHistory=25")).toMatchObject({ code: 0 });
    await expect.poll(output, { timeout: 15_000 }).toMatch(/smaller/);
    expect(performance.now() - setAtMs).toBeLessThan(10_000);
    // Nothing but following the limits is left to do.
    const { code, ms } = await ended;
    expect(code).toBe(0);
    expect(ms).toBeLessThan(60_000);
    expect(output()).not.toMatch(/false|Warning/);
  });

  test.each([
    ["the server is there", () => server.grpcAddr],
    ["no server is there", () => "127.0.0.1:1"],
  ])("with such a list and nothing to do ends by itself while %s", async (_case, address) => {
    const body = `
      const list = new DatabaseBoundedList("score_history", { gameId: "g" });
      const startedMs = performance.now();
      process.on("exit", () => console.log(performance.now() - startedMs < 5000 ? "soon" : "late", list.length));
    `;
    expect(await trainer(body, address()).ended).toMatchObject({ code: 0, output: "soon 0\n" });
    // The same when it has been following for a while.
    const followed = `${body} await new Promise((resolve) => setTimeout(resolve, 2500));`;
    expect(await trainer(followed, address()).ended).toMatchObject({ code: 0, output: "soon 0\n" });
  });
});

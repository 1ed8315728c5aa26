// The whole command against a server on a real socket.
import { Command } from "commander";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { registerImport } from "../../../server/src/cli/commands/import.js";
import { LoopbackServer } from "./loopback-server.js";
import { episode, session, sourceFolder } from "./source-folder.js";

let stdout: string[];
let stderr: string[];

beforeEach(() => {
  stdout = [];
  stderr = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => void stdout.push(line));
  vi.spyOn(console, "error").mockImplementation((line: string) => void stderr.push(line));
});

afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

async function run(...args: string[]): Promise<number> {
  process.exitCode = undefined;
  const program = new Command("tailkeep").exitOverride();
  registerImport(program);
  await program.parseAsync(["import", ...args], { from: "user" });
  return Number(process.exitCode ?? 0);
}

const EPISODES = Array.from({ length: 7 }, (_, index) => episode(1_700_000_000 + index));
const FILES = {
  "counters.json": { cycles: 1, rate: 0.5 },
  "notes.txt": "hello",
  "session_session_1_final.json": session("s1", 1_700_000_000, EPISODES),
  "torn.json": '{"a": [1, 2], "b": "never fini',
};

describe("tailkeep import", () => {
  test("imports a folder, and again without adding anything", async () => {
    const server = await LoopbackServer.start();
    const folder = await sourceFolder(FILES);

    expect(await run(folder, "--server", server.address)).toBe(0);
    expect(stderr).toEqual([]);
    expect(stdout.join("\n")).toMatch(/4 files, 23 new records/);
    expect(stdout.join("\n")).toMatch(/^session_history +7 +0$/m);
    expect(stdout.join("\n")).toMatch(/^torn, imported up to the tear\n {2}byte 30 +torn\.json$/m);
    expect(stdout.join("\n")).toMatch(/^not ours, left alone\n {2}notes\.txt$/m);
    expect(server.recordCount).toBe(23);
    expect(server.streams.size).toBe(8);
    const calls = server.writeCalls;
    expect(calls).toBe(8);
    expect([...server.states.values()].map(({ name, valueJson }) => [name, JSON.parse(valueJson)])).toEqual([
      ["legacy/counters", { cycles: 1, rate: 0.5 }],
      ["legacy/torn", { a: [1, 2] }],
    ]);

    stdout = [];
    expect(await run(folder, "--server", server.address, "--json")).toBe(0);
    expect(stdout).toHaveLength(1);
    expect(JSON.parse(stdout[0] ?? "")).toMatchObject({
      directory: folder,
      dryRun: false,
      fileCount: 4,
      newRecords: {},
      knownRecords: { session_history: 7, score_history: 14, performance_history: 2 },
      statesWritten: 0,
      statesUnchanged: 2,
    });
    expect(server.recordCount).toBe(23);
    expect(server.writeCalls).toBe(calls);
    expect([...server.states.values()].every(({ version }) => version === 1n)).toBe(true);
  });

  test("writes a changed document as a new version, but never a torn one over a whole one", async () => {
    const server = await LoopbackServer.start();
    await run(await sourceFolder({ "a.json": { n: 1 }, "b.json": { n: 1 } }), "--server", server.address);
    await run(await sourceFolder({ "a.json": { n: 2 }, "b.json": '{"n": 2, ' }), "--server", server.address);
    expect([...server.states.values()].map(({ valueJson, version }) => [valueJson, version])).toEqual([
      ['{"n":2}', 2n],
      ['{"n":1}', 1n],
    ]);
  });

  test("--dry-run counts and touches nothing", async () => {
    const server = await LoopbackServer.start();
    expect(await run(await sourceFolder(FILES), "--server", server.address, "--dry-run")).toBe(0);
    expect(stdout.join("\n")).toMatch(/^dry run: nothing was written\. To import .*: 4 files, 23 new records/);
    expect(server.recordCount + server.states.size).toBe(0);
  });

  test("without a server says what to do, in one line", async () => {
    expect(await run(await sourceFolder(FILES), "--server", "127.0.0.1:1")).toBe(1);
    expect(stdout).toEqual([]);
    expect(stderr).toEqual([
      "tailkeep import: no answer from the server at 127.0.0.1:1: start it with npm start, or name it with --server; " +
        "then repeat the import",
    ]);
  });

  test("of something that is no folder is wrong usage", async () => {
    expect(await run("/does/not/exist")).toBe(2);
    expect(stderr).toHaveLength(1);
  });
});

test("thousands of items a second go over one connection", { timeout: 60_000 }, async () => {
  const server = await LoopbackServer.start();
  const files = Object.fromEntries(
    Array.from({ length: 100 }, (_, file) => [
      `session_session_${file}_final.json`,
      session(
        `s${file}`,
        file,
        Array.from({ length: 50 }, (_, index) => episode(file + index / 100)),
      ),
    ]),
  );
  expect(await run(await sourceFolder(files), "--server", server.address, "--json")).toBe(0);
  const { seconds, newRecords } = JSON.parse(stdout[0] ?? "") as {
    seconds: number;
    newRecords: Record<string, number>;
  };
  expect(newRecords["session_history"]).toBe(5_000);
  console.info(`${Math.round(5_100 / seconds)} items a second`);
  // A loose bound: it is the order of magnitude that must not be lost, on a machine that does other things as well.
  expect(5_100 / seconds).toBeGreaterThan(500);
});

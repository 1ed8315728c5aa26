import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { lstat, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCommand, startCommand } from "../../support/run-command.js";
import { type FilledServer, startFilledServer } from "./filled-server.js";

const SCORES = 2_500;
let filled: FilledServer;

beforeAll(async () => {
  filled = await startFilledServer(SCORES);
});
afterAll(() => filled.stop());

const exported = (...args: string[]) => runCommand(["export", ...args], { env: filled.env, cwd: filled.folder });
const rowsOf = (stdout: string): Record<string, unknown>[] =>
  stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe("JSON lines", () => {
  test("have a record a line with all its columns, oldest first", async () => {
    const { code, stdout, stderr } = await exported("--session", "run-1");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "4 records\n" });
    const common = { session_id: "run-1", stream_id: "only" };
    expect(rowsOf(stdout)).toEqual([
      {
        ...common,
        type: "score_history",
        seq: 1,
        timestamp: "2026-11-22T12:00:00.000001Z",
        game_id: "ls20",
        score: "NaN",
        score_type: "best, so far",
      },
      {
        ...common,
        type: "performance_history",
        seq: 2,
        timestamp: "2026-11-22T12:00:01.000000Z",
        game_id: "ls20",
        score: 9.077012864872811,
        win_rate: null,
        learning_efficiency: null,
        metadata: { text: 'a "quoted"\r\nline', list: [1, null] },
      },
      {
        ...common,
        type: "session_history",
        seq: 3,
        timestamp: "2026-11-22T12:00:02.000000Z",
        game_id: "ft09",
        status: "",
        duration_seconds: null,
        actions_taken: 0,
        score: null,
        win: false,
        metadata: null,
      },
      {
        ...common,
        type: "frame_tracking",
        seq: 4,
        timestamp: "2026-11-22T12:00:03.000000Z",
        game_id: "ft09",
        frame_hash: "f1",
        frame_analysis: null,
        stagnation_detected: null,
      },
    ]);
  });

  test("go over many pages, in either order", async () => {
    const upwards = rowsOf((await exported("--session", "run-2")).stdout).map((row) => row["score"]);
    expect(upwards).toEqual(Array.from({ length: SCORES }, (_, n) => n));
    const downwards = rowsOf((await exported("--session", "run-2", "--newest-first")).stdout).map(
      (row) => row["score"],
    );
    expect(downwards).toEqual(upwards.reverse());
  });

  test("are of all sessions where none is named", async () => {
    const { code, stdout } = await exported();
    expect(code).toBe(0);
    const sessions = rowsOf(stdout).map((row) => row["session_id"]);
    expect(sessions.filter((each) => each === "run-1")).toHaveLength(4);
    expect(sessions.filter((each) => each === "run-2")).toHaveLength(SCORES);
  });

  test("are narrowed by game, types and time", async () => {
    const seqsOf = async (...args: string[]) =>
      rowsOf((await exported("--session", "run-1", ...args)).stdout).map((row) => row["seq"]);
    expect(await seqsOf("--game", "ft09")).toEqual([3, 4]);
    expect(await seqsOf("--type", "score_history", "frame_tracking")).toEqual([1, 4]);
    expect(await seqsOf("--type", "score_history,session_history")).toEqual([1, 3]);
    expect(await seqsOf("--since", "2026-11-22T12:00:01Z", "--until", "2026-11-22 13:00:03 +01:00")).toEqual([2, 3]);
    expect(await seqsOf("--since", "1795348800.000002", "--until", "1795348802")).toEqual([2]);
    expect(await seqsOf("--since", "2026-11-23")).toEqual([]);
  });
});

describe("CSV", () => {
  test("has the columns of its type, quoted as RFC 4180 says", async () => {
    const { code, stdout } = await exported("--session", "run-1", "--format", "csv", "--type", "performance_history");
    expect(code).toBe(0);
    const metadata = JSON.stringify({ text: 'a "quoted"\r\nline', list: [1, null] }).replaceAll('"', '""');
    expect(stdout).toBe(
      "type,session_id,stream_id,seq,timestamp,game_id,score,win_rate,learning_efficiency,metadata\r\n" +
        `performance_history,run-1,only,2,2026-11-22T12:00:01.000000Z,ls20,9.077012864872811,,,"${metadata}"\r\n`,
    );
  });

  test("has the columns of all types where several are asked for; no value is not an empty text", async () => {
    const { stdout } = await exported("--session", "run-1", "--format", "csv");
    const [head = "", score = "", , session = ""] = stdout.split("\r\n");
    const names = head.split(",");
    expect(new Set(names).size).toBe(names.length);
    expect(score).toContain('NaN,,,,,,,,,,,,"best, so far"');
    expect(session.split(",")[names.indexOf("status")]).toBe('""');
    expect(session.split(",")[names.indexOf("win")]).toBe("false");
    expect(session.split(",")[names.indexOf("duration_seconds")]).toBe("");
  });
});

describe("the output", () => {
  test("may be a file, which is there when it is whole", async () => {
    const { code, stdout, stderr } = await exported("--session", "run-2", "--output", "scores.jsonl");
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "", stderr: "2,500 records in scores.jsonl\n" });
    expect(rowsOf(await readFile(join(filled.folder, "scores.jsonl"), "utf8"))).toHaveLength(SCORES);
    expect((await readdir(filled.folder)).filter((name) => name.includes("unfinished"))).toEqual([]);
  });

  test("that cannot be written fails with its reason", async () => {
    const { code, stderr } = await exported("--session", "run-2", "--output", "no/such/folder/scores.jsonl");
    expect(code).toBe(1);
    expect(stderr).toMatch(/^tailkeep export: ENOENT.*\n$/);
  });

  test.each(["jsonl", "parquet"])("as %s never takes the place of what is no file", async (format) => {
    const pipe = join(filled.folder, `pipe-${format}`);
    expect(spawnSync("mkfifo", [pipe]).status).toBe(0);
    await symlink(pipe, `${pipe}-link`);
    for (const name of [pipe, `${pipe}-link`, filled.folder]) {
      const { code, stderr } = await exported("--session", "run-1", "--format", format, "--output", name);
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^tailkeep export: --output: .*\n$/) });
    }
    expect((await lstat(pipe)).isFIFO()).toBe(true);
    expect((await lstat(`${pipe}-link`)).isSymbolicLink()).toBe(true);
  });

  test("goes where a link leads", async () => {
    await symlink("linked.jsonl", join(filled.folder, "link.jsonl"));
    await writeFile(join(filled.folder, "linked.jsonl"), "before\n");
    expect(await exported("--session", "run-1", "--output", "link.jsonl")).toMatchObject({ code: 0 });
    expect(rowsOf(await readFile(join(filled.folder, "linked.jsonl"), "utf8"))).toHaveLength(4);
    expect((await lstat(join(filled.folder, "link.jsonl"))).isSymbolicLink()).toBe(true);
  });

  test("ends quietly when its reader has enough", async () => {
    const child = startCommand(["export", "--session", "run-2"], { env: filled.env });
    let stderr = "";
    child.stderr.on("data", (bytes: Buffer) => {
      stderr += bytes.toString();
    });
    child.stdout.once("data", () => child.stdout.destroy());
    await once(child, "close");
    expect({ code: child.exitCode, stderr }).toEqual({ code: 0, stderr: "" });
  });
});

describe("what is wrong", () => {
  test("is said in one line with the remedy", async () => {
    const missing = await exported("--session", "nobody");
    expect(missing).toMatchObject({ code: 1, stdout: "" });
    expect(missing.stderr).toMatch(/^tailkeep export: .*no session nobody.*\n$/);
    const away = await exported("--server", "127.0.0.1:1");
    expect(away).toEqual({
      code: 1,
      stdout: "",
      stderr:
        "tailkeep export: no answer from the server at 127.0.0.1:1: start it with npm start, or name it with --server\n",
    });
  });

  test.each([
    ["--format", "xml"],
    ["--type", "scores"],
    ["--since", "yesterday"],
    ["--since", "1795348800000000"],
    ["--colour", "red"],
  ])("%s %s is wrong usage", async (flag, value) => {
    const { code, stderr } = await exported(flag, value);
    expect(code).toBe(2);
    expect(stderr).toContain(flag);
  });
});

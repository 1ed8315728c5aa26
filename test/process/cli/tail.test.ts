import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCommand, startCommand } from "../../support/run-command.js";
import { type FilledServer, startFilledServer } from "./filled-server.js";

let filled: FilledServer;

beforeAll(async () => {
  filled = await startFilledServer();
});
afterAll(() => filled.stop());

const tailed = (...args: string[]) => runCommand(["tail", ...args], { env: filled.env });

describe("the newest", () => {
  test("are readable lines, the newest last", async () => {
    const { code, stdout, stderr } = await tailed("run-1");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.split("\n")).toEqual([
      '2026-11-22 12:00:00.000  score_history        #1  game_id=ls20 score=NaN score_type="best, so far"',
      '2026-11-22 12:00:01.000  performance_history  #2  game_id=ls20 score=9.077012864872811 metadata={"text":"a \\"quoted\\"\\r\\nline","list":[1,null]}',
      '2026-11-22 12:00:02.000  session_history      #3  game_id=ft09 status="" actions_taken=0 win=false',
      "2026-11-22 12:00:03.000  frame_tracking       #4  game_id=ft09 frame_hash=f1",
      "",
    ]);
  });

  test("are limited, and narrowed by type and game", async () => {
    const scoresOf = (stdout: string) => [...stdout.matchAll(/score=(\d+)/g)].map((match) => Number(match[1]));
    expect(scoresOf((await tailed("run-2", "-n", "3")).stdout)).toEqual([2497, 2498, 2499]);
    expect((await tailed("run-1", "--type", "score_history", "frame_tracking")).stdout).toMatch(/#1 .*\n.*#4 /);
    expect((await tailed("run-1", "--game", "ft09")).stdout).toMatch(/^.*#3 .*\n.*#4 .*\n$/);
  });

  test("are JSON lines where a program reads them", async () => {
    const { stdout } = await tailed("run-2", "--limit", "2", "--json");
    expect(
      stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toMatchObject([
      { event: "record", type: "score_history", seq: 2499, score: 2498 },
      { event: "record", type: "score_history", seq: 2500, score: 2499 },
    ]);
  });

  test("of nobody's session, or of a server that is not there, are a failure with a remedy", async () => {
    expect(await tailed("nobody")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^tailkeep tail: there is no session nobody: .*\n$/),
    });
    expect(await tailed("run-1", "--server", "127.0.0.1:1")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("start it with npm start"),
    });
    expect(await tailed("run-1", "--limit", "1001")).toMatchObject({ code: 2 });
    expect(await tailed()).toMatchObject({ code: 2 });
  });
});

/** A tail that goes on, and what it has printed. */
function following(...args: string[]) {
  const child = startCommand(["tail", "--follow", ...args], { env: filled.env });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      output[name] += text;
    });
  }
  const until = async (pattern: RegExp, where: "stdout" | "stderr" = "stdout") => {
    const giveUpAt = performance.now() + 20_000;
    while (!pattern.test(output[where])) {
      if (performance.now() > giveUpAt) throw new Error(`no ${pattern} in:\n${output.stdout}\n${output.stderr}`);
      await sleep(20);
    }
  };
  const interrupt = async () => {
    const closed = once(child, "close");
    child.kill("SIGINT");
    await closed;
    return child.exitCode;
  };
  return { child, output, until, interrupt };
}

describe("following", () => {
  test("shows what comes, gaps too, over a killed server, and ends with Ctrl-C as with success", async () => {
    const { output, until, interrupt } = following("live", "--json");
    await until(/no session live yet; waiting for it/, "stderr");
    const stream = filled.client.openStream({ sessionId: "live", streamId: "only" });
    const score = (n: number) => ({ type: "score_history", score: n }) as const;
    await stream.write([score(1), score(2)]);
    await stream.flush();
    await until(/"score":2/);
    stream.gap({ count: 7, cause: "overflow" });
    await stream.flush();
    await until(/"event":"gap"/);

    await filled.server.kill();
    await until(/trying again/, "stderr");
    await stream.write([score(3), score(4)]);
    await filled.server.start();
    await stream.flush({ timeoutMs: 30_000 });
    await until(/"score":4/);
    await stream.close();
    expect(await interrupt()).toBe(0);
    const events = output.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events).toMatchObject([
      { event: "record", seq: 1, score: 1 },
      { event: "record", seq: 2, score: 2 },
      { event: "gap", first_seq: 3, last_seq: 9, cause: "overflow" },
      { event: "record", seq: 10, score: 3 },
      { event: "record", seq: 11, score: 4 },
    ]);
  });

  test("begins with the newest, of one game too", async () => {
    const { output, until, interrupt } = following("run-1", "-n", "1", "--game", "ls20");
    await until(/#2 /);
    expect(await interrupt()).toBe(0);
    expect(output.stdout.trim().split("\n")).toHaveLength(1);
  });

  test("ends when its reader is gone", async () => {
    const { child, until } = following("reader");
    await until(/waiting for it/, "stderr");
    child.stdout.destroy();
    const stream = filled.client.openStream({ sessionId: "reader" });
    const closed = once(child, "close");
    while (child.exitCode === null) {
      stream.append({ type: "score_history", score: 1 });
      await Promise.race([closed, sleep(100)]);
    }
    await stream.close();
    expect(child.exitCode).toBe(0);
  });
});

// `tailkeep top` and `tailkeep stats` over a real server; top on a real pseudo terminal where python3 can make one.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCommand, startCommand } from "../../support/run-command.js";
import { type FilledServer, startFilledServer } from "./filled-server.js";

const TAILKEEP = join(import.meta.dirname, "..", "..", "..", "server", "bin", "tailkeep.js");
const ENTER = "\u001b[?1049h";
const HOME = "\u001b[H";
const LEAVE = "\u001b[?1049l";

let filled: FilledServer;
let env: Record<string, string>;
beforeAll(async () => {
  filled = await startFilledServer();
  env = { ...filled.env, TAILKEEP_HTTP_ADDR: new URL(filled.server.httpUrl).host };
}, 60_000);
afterAll(() => filled.stop());

describe("stats", () => {
  test("counts everything, one session, and session by session", async () => {
    const all = await runCommand(["stats", "--json", "--sessions"], { env });
    expect(JSON.parse(all.stdout)).toMatchObject({
      stored: { score_history: 2_501, performance_history: 1, session_history: 1, frame_tracking: 1 },
      counts: { stored: 2_504, rejected: 0, gapped: 3 },
      sessionCount: 2,
      sessions: [
        { sessionId: "run-2", counts: { stored: 2_500 } },
        { sessionId: "run-1", counts: { stored: 4, gapped: 3 } },
      ],
    });
    const one = await runCommand(["stats", "run-1"], { env });
    expect(one).toMatchObject({ code: 0, stderr: "" });
    expect(one.stdout).toMatch(/^stored +4\n {2}performance_history +1\n/m);
    expect(one.stdout).toMatch(/^declared lost +3$/m);
    const table = await runCommand(["stats", "--sessions", "1"], { env });
    expect(table.stdout).toMatch(/ 2500 .* run-2\n$/);
    expect(table.stdout).not.toContain("run-1");
  });

  test("an unknown session is an error that says where to look", async () => {
    expect(await runCommand(["stats", "none"], { env })).toMatchObject({
      code: 1,
      stdout: "",
      stderr: "tailkeep stats: there is no session none: tailkeep sessions list shows all\n",
    });
  });
});

describe("top", () => {
  test("once, with rates, and what the server says of itself", async () => {
    const stream = filled.client.openStream({ sessionId: "busy", streamId: "only" });
    const writing = setInterval(() => void stream.write([{ type: "score_history", gameId: "g", score: 1 }]), 20);
    try {
      await stream.flush();
      const { code, stdout, stderr } = await runCommand(["top", "--once"], { env });
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toMatch(/^memory +\d+ MiB of \d+ MiB/m);
      expect(stdout).toContain("store answers, commits are durable");
      const [, perSecond] = /^running +(\d[\d.]*) .* busy$/m.exec(stdout) ?? [];
      expect(Number(perSecond)).toBeGreaterThan(5);
      expect(Number(perSecond)).toBeLessThan(200);
      expect(stdout).not.toContain("\u001b");
    } finally {
      clearInterval(writing);
      await stream.close();
    }
  });

  test("without the server's HTTP side it shows the rest and says what is missing", async () => {
    const { code, stdout } = await runCommand(["top", "--once", "--json", "--http", "127.0.0.1:1"], { env });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      counts: { gapped: 3 },
      metrics: null,
      metricsMissing: expect.stringContaining("name it with --http"),
    });
  });

  test("in a pipe it goes on in lines until it is interrupted, which is its ordinary end", async () => {
    const child = startCommand(["top", "--json", "--interval", "1"], { env });
    let looks = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (looks += text));
    while (looks.split("\n").length < 3) await once(child.stdout, "data");
    child.kill("SIGINT");
    expect(await once(child, "exit")).toEqual([0, null]);
    const [first, second] = looks.split("\n").map((line) => (line === "" ? {} : (JSON.parse(line) as object)));
    expect(first).toMatchObject({ storedPerSecond: null, sessionCount: expect.any(Number) });
    expect(second).toMatchObject({ storedPerSecond: expect.any(Number) });
  });

  test("no server is an error at once", async () => {
    const { code, stderr } = await runCommand(["top", "--server", "127.0.0.1:1"], { env });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("no answer from the server") });
  });

  test.each(["q", "\u0003", "SIGTERM"])(
    "on a terminal it draws in place and gives the screen back: %j",
    async (end) => {
      if (spawnSync("python3", ["-c", "import pty"]).status !== 0) return;
      // Reads what the terminal shows, types `s`, and then ends it.
      const program = `
import os, pty, select, signal, sys, time, fcntl, struct, termios
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:-1])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
shown, typed, deadline = b"", 0, time.time() + 60
while time.time() < deadline:
    try:
        data = os.read(fd, 65536) if select.select([fd], [], [], 0.2)[0] else None
    except OSError:
        break
    if data == b"": break
    shown += data or b""
    if typed == 0 and b"sorted by rate" in shown:
        os.write(fd, b"s"); typed = 1
    if typed == 1 and b"sorted by stored" in shown:
        typed = 2
        if sys.argv[-1] == "SIGTERM": os.kill(pid, signal.SIGTERM)
        else: os.write(fd, sys.argv[-1].encode())
sys.stdout.buffer.write(shown)
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status) & 255)
`;
      const child = spawn("python3", ["-c", program, process.execPath, TAILKEEP, "top", "--interval", "1", end], {
        env: { ...process.env, ...env, TERM: "xterm" },
        stdio: ["ignore", "pipe", "inherit"],
      });
      let shown = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => (shown += text));
      const [code] = (await once(child, "close")) as [number];
      expect(code).toBe(0);
      expect(shown.indexOf(ENTER)).toBeGreaterThanOrEqual(0);
      expect(shown.indexOf(LEAVE)).toBeGreaterThan(shown.indexOf("sorted by stored"));
      expect(shown).toContain("run-2");
      // No line is longer than the terminal, else it would not be drawn in place.
      const lines = shown
        .split(HOME)
        .flatMap((drawn) => drawn.split("\r\n"))
        .map((line) => stripVTControlCharacters(line));
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
    },
    90_000,
  );
});

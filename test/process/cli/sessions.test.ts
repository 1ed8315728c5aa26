// tailkeep sessions and tailkeep retention against a real server.
import { join } from "node:path";
import { connect, type TailkeepClient } from "@tailkeep/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { temporaryFolder } from "../../support/in-process-server.js";
import { runCommand } from "../../support/run-command.js";
import { TailkeepServer } from "../../support/tailkeep-server.js";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: TailkeepServer;
let client: TailkeepClient;

beforeAll(async () => {
  folder = await temporaryFolder();
  server = await TailkeepServer.start({
    store: `sqlite:${join(folder.path, "sessions.db")}`,
    env: { TAILKEEP_RETENTION_DAYS_OF_FRAME_HISTORY: "7" },
  });
  client = connect({ server: server.grpcAddress });
  for (const sessionId of ["run-1", "run-2"]) {
    const stream = client.openStream({ sessionId });
    stream.append({ type: "score_history", score: 1 });
    await stream.close();
  }
});
afterAll(async () => {
  await client.close();
  await server.stop();
  await folder.remove();
});

const run = (...args: string[]) => runCommand([...args, "--server", server.grpcAddress]);

test("sessions are listed, shown, pinned, named, labelled, ended and deleted", async () => {
  const listed = await run("sessions", "list");
  expect(listed).toMatchObject({ code: 0, stderr: "" });
  expect(listed.stdout.split("\n").filter((line) => line.startsWith("running"))).toHaveLength(2);
  expect((await run("sessions", "pin", "run-1")).stdout).toMatch(/pinned +yes/);
  expect((await run("sessions", "rename", "run-1", "the good one")).stdout).toMatch(/name +the good one/);
  expect((await run("sessions", "label", "run-1", "owner=ada", "stage=a=b")).stdout).toContain("owner=ada, stage=a=b");
  expect((await run("sessions", "finish", "run-1")).stdout).toMatch(/state +finished/);
  const shown = await run("sessions", "show", "run-1", "--json");
  expect(JSON.parse(shown.stdout)).toMatchObject({
    sessionId: "run-1",
    name: "the good one",
    state: "finished",
    pinned: true,
    counts: { stored: 1, rejected: 0, gapped: 0 },
  });
  expect((await run("sessions", "unpin", "run-1")).stdout).toMatch(/pinned +no/);
  const filtered = await run("sessions", "list", "--label", "owner=ada", "--json");
  expect(
    filtered.stdout
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { sessionId: string }).sessionId),
  ).toEqual(["run-1"]);
  expect(await run("sessions", "delete", "run-2")).toMatchObject({ code: 0, stdout: "deleted run-2 with 1 records\n" });
});

test("what does not exist or makes no sense is said in one line", async () => {
  for (const command of ["show", "pin", "delete"]) {
    const failed = await run("sessions", command, "nobody");
    expect(failed).toMatchObject({ code: 1, stdout: "" });
    expect(failed.stderr).toBe(
      `tailkeep sessions ${command}: there is no session nobody: tailkeep sessions list shows all\n`,
    );
  }
  expect(await run("sessions", "label", "run-1", "owner")).toMatchObject({ code: 2 });
  expect(await run("sessions", "list", "--state", "asleep")).toMatchObject({ code: 2 });
  expect((await runCommand(["sessions", "--help"])).stdout).toContain("tailkeep sessions pin run-1");
});

test("retention says how long each type is kept, and that nothing is due", async () => {
  await client.history.updateSession("run-1", { pinned: true });
  const { code, stdout } = await run("retention");
  expect(code).toBe(0);
  expect(stdout).toMatch(/score_history +30 days/);
  expect(stdout).toMatch(/frame_tracking +7 days/);
  expect(stdout).toContain("pinned sessions: 1");
  expect(stdout).toContain("nothing is due");
  expect(JSON.parse((await run("retention", "--json")).stdout)).toMatchObject({
    days: { score_history: 30, frame_tracking: 7 },
    due: [],
    runs: [],
    pinnedSessions: 1,
  });
  expect((await runCommand(["retention", "--help"])).stdout).toContain("retentionDaysOf");
});

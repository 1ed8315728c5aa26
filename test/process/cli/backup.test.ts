// Copies of the embedded store, made while trainers write, and put back.
import { mkdtemp, readdir, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, type TrainingRecord } from "@tailkeep/client";
import { expect, onTestFinished, test } from "vitest";
import { runCommand } from "../../support/run-command.js";
import { TailkeepServer } from "../../support/tailkeep-server.js";

const WAIT_MS = 60_000;

function scores(from: number, count: number): TrainingRecord[] {
  return Array.from({ length: count }, (_, at) => ({ type: "score_history", gameId: "ls20", score: from + at }));
}

async function installation() {
  const folder = await mkdtemp(join(tmpdir(), "tailkeep-backup-"));
  const store = `sqlite:${join(folder, "tailkeep.db")}`;
  const server = await TailkeepServer.start({ store, cwd: folder });
  const client = connect({ server: server.grpcAddress });
  onTestFinished(async () => {
    await client.close({ timeoutMs: 1_000 }).catch(() => {});
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });
  return { folder, server, client, env: { TAILKEEP_STORE: store } };
}

test("a backup of a store that is written, and what writers see once it is restored", {
  timeout: 180_000,
}, async () => {
  const { folder, server, client, env } = await installation();
  const stream = client.openStream({ sessionId: "run-1", streamId: "only" });
  await stream.write(scores(0, 500));
  await stream.flush();

  // Somebody else writes all the while; the copy has some of it.
  let isBusy = true;
  const other = client.openStream({ sessionId: "run-2", streamId: "only" });
  const writing = (async () => {
    for (let n = 0; isBusy; n += 50) {
      await other.write(scores(n, 50));
      await sleep(1);
    }
  })();
  const file = join(folder, "copy.db");
  const made = await runCommand(["backup", file, "--json"], { env });
  isBusy = false;
  await writing;
  await other.close();
  expect(made).toMatchObject({ code: 0, stderr: "" });
  const { rows } = JSON.parse(made.stdout) as { rows: { score_history: number } };
  expect(rows.score_history).toBeGreaterThanOrEqual(500);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await readdir(folder)).filter((name) => name.startsWith("copy.db"))).toEqual(["copy.db"]);

  const again = await runCommand(["backup", file], { env });
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining("is not overwritten") });
  expect(await runCommand(["backup", "--verify", file])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/is sound\n {2}2 sessions, 2 streams/),
  });

  await stream.write(scores(500, 200));
  await stream.flush();
  const refused = await runCommand(["restore", file], { env });
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/a server has .* open; stop it/) });

  await server.stop();
  const restored = await runCommand(["restore", file, "--json"], { env });
  expect(restored).toMatchObject({ code: 0, stderr: "" });
  const told = JSON.parse(restored.stdout) as { replaced: string; regression: { streams: number; records: number } };
  expect(told.regression.records).toBeGreaterThanOrEqual(200);
  expect(await runCommand(["backup", "--verify", told.replaced])).toMatchObject({ code: 0 });

  await server.start();
  await stream.write(scores(700, 10));
  await stream.close();
  const session = await client.history.getSession("run-1");
  expect(session.counts).toMatchObject({ stored: 510, gapped: 200 });
  const gaps = [];
  for await (const gap of client.admin.listGaps({ sessionId: "run-1" })) gaps.push(gap);
  expect(gaps).toMatchObject([{ firstSeq: 501, lastSeq: 700, cause: "store_regressed" }]);
});

test("a damaged or foreign file is neither called sound nor restored", { timeout: WAIT_MS }, async () => {
  const { folder, server, client, env } = await installation();
  const stream = client.openStream({ sessionId: "run-1", streamId: "only" });
  await stream.write(scores(0, 5_000));
  await stream.close();
  const file = join(folder, "copy.db");
  expect(await runCommand(["backup", file], { env })).toMatchObject({ code: 0 });
  await server.stop();
  const before = await stat(join(folder, "tailkeep.db"));

  await truncate(file, Math.floor((await stat(file)).size / 2 / 4_096) * 4_096);
  const foreign = join(folder, "foreign.db");
  await writeFile(foreign, "not a database at all".repeat(100));
  for (const bad of [file, foreign]) {
    expect(await runCommand(["backup", "--verify", bad])).toMatchObject({ code: 1, stdout: "" });
    expect(await runCommand(["restore", bad], { env })).toMatchObject({ code: 1, stdout: "" });
  }
  expect((await stat(join(folder, "tailkeep.db"))).ino).toBe(before.ino);

  const mysql = { TAILKEEP_STORE: "mysql://user:secret@127.0.0.1:1/none" };
  const other = await runCommand(["backup", join(folder, "x.db")], { env: mysql });
  expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining("mysqldump") });
  expect(other.stderr).not.toContain("secret");
});

// The import as users run it: the command in a process of its own, a real server, its store on disk.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, type HistoryRecord, type TailkeepClient } from "@tailkeep/client";
import { expect, onTestFinished, test } from "vitest";
import { TailkeepServer } from "../support/tailkeep-server.js";
import { episode, GAME, session, sourceFolder } from "../unit/import/source-folder.js";

const TAILKEEP = join(import.meta.dirname, "..", "..", "server", "bin", "tailkeep.js");

async function startServer(): Promise<{ server: TailkeepServer; client: TailkeepClient }> {
  const folder = await sourceFolder({});
  const server = await TailkeepServer.start({ store: `sqlite:${join(folder, "tailkeep.db")}` });
  const client = connect({ server: server.grpcAddress });
  onTestFinished(async () => {
    await client.close({ timeoutMs: 1_000 }).catch(() => {});
    await server.stop();
  });
  return { server, client };
}

async function runImport(folder: string, server: TailkeepServer) {
  const child = spawn(process.execPath, [TAILKEEP, "import", folder, "--server", server.grpcAddress, "--json"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { exitCode: child.exitCode, stdout, stderr };
}

async function episodesOf(client: TailkeepClient, sessionId: string): Promise<HistoryRecord[]> {
  const records: HistoryRecord[] = [];
  for await (const record of client.history.listRecords({ sessionId, types: ["session_history"] }))
    records.push(record);
  return records;
}

test("what was in the files can be read back, once, however often it is imported", async () => {
  const { server, client } = await startServer();
  const played = [
    episode(1_700_000_001.5),
    episode(1_700_000_002.25, { final_score: 7, game_state: "WIN", success: true }),
  ];
  const folder = await sourceFolder({
    "config/counters.json": { cycles: 3 },
    "session_session_1_final.json": session("s1", 1_700_000_000, played),
    "torn/session_session_1_final.json": JSON.stringify(session("s1", 1_700_000_000, played)).slice(0, -150),
  });
  for (const newRecords of [{ session_history: 2, score_history: 4, performance_history: 2 }, {}]) {
    const { exitCode, stdout, stderr } = await runImport(folder, server);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({ fileCount: 3, newRecords, rejectedRecords: 0 });
  }

  const records = (await episodesOf(client, "s1")).sort((a, b) => a.eventTimeUs - b.eventTimeUs);
  expect(records).toMatchObject([
    {
      gameId: GAME,
      eventTimeUs: 1_700_000_001_500_000,
      status: "GAME_OVER",
      score: 3,
      win: false,
      metadata: played[0],
    },
    { gameId: GAME, eventTimeUs: 1_700_000_002_250_000, status: "WIN", score: 7, win: true, metadata: played[1] },
  ]);
  expect(await client.state.get("legacy/config/counters")).toMatchObject({ value: { cycles: 3 }, version: 1 });
});

test("an import whose server is killed says so, and the next one completes it", { timeout: 180_000 }, async () => {
  const { server, client } = await startServer();
  const sessions = 20;
  const perSession = 100;
  const files = Object.fromEntries(
    Array.from({ length: sessions }, (_, file) => [
      `session_session_${file}_final.json`,
      session(
        `s${file}`,
        1_700_000_000 + file,
        Array.from({ length: perSession }, (_, at) => episode(1_700_000_000 + at)),
      ),
    ]),
  );
  const folder = await sourceFolder(files);

  const importing = runImport(folder, server);
  while ((await client.history.listSessions({ limit: 3 }).firstPage()).items.length < 3) await sleep(10);
  await server.kill();
  const { exitCode, stdout, stderr } = await importing;
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
  expect(stderr).toMatch(/^tailkeep import: no answer from the server at .*npm start.*\n$/);

  await server.start();
  const second = await runImport(folder, server);
  expect(second.stderr).toBe("");
  const summary = JSON.parse(second.stdout) as {
    newRecords: Record<string, number>;
    knownRecords: Record<string, number>;
  };
  expect(summary.knownRecords["session_history"]).toBeGreaterThan(0);
  expect((summary.newRecords["session_history"] ?? 0) + (summary.knownRecords["session_history"] ?? 0)).toBe(
    sessions * perSession,
  );
  for (let file = 0; file < sessions; file += 1) {
    const times = (await episodesOf(client, `s${file}`)).map(({ eventTimeUs }) => eventTimeUs);
    expect(times).toHaveLength(perSession);
    expect(new Set(times).size).toBe(perSession);
  }
});

// The client's examples, each run as it is against a real server: what it prints, and what is stored afterwards.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type HistoryRecord, type TailkeepClient } from "@tailkeep/client";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { TailkeepServer } from "../support/tailkeep-server.js";
import { type ProgramRun, runProgram } from "./run-program.js";

const EXAMPLES = join(import.meta.dirname, "..", "..", "client", "examples");
const tested = new Set<string>();

let folder: string;
let server: TailkeepServer;
let client: TailkeepClient;
let sessionId: string;
let sessions = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tailkeep-examples-"));
  server = await TailkeepServer.start({ store: `sqlite:${join(folder, "tailkeep.db")}` });
  client = connect({ server: server.grpcAddress });
});

beforeEach(() => {
  sessionId = `examples-${++sessions}`;
});

afterAll(async () => {
  await client?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** What it prints, line by line. It must end by itself and complain about nothing. */
async function example(name: string, env: Readonly<Record<string, string>> = {}): Promise<string[]> {
  const { stdout, stderr } = await run(name, env);
  expect(stderr).toBe("");
  return stdout.trim().split("\n");
}

async function run(name: string, env: Readonly<Record<string, string>> = {}): Promise<ProgramRun> {
  tested.add(`${name}.ts`);
  const settings = { TAILKEEP_SERVER: server.grpcAddress, TAILKEEP_SESSION: sessionId, ...env };
  return await runProgram(join(EXAMPLES, `${name}.ts`), folder, settings);
}

async function stored(): Promise<HistoryRecord[]> {
  const records: HistoryRecord[] = [];
  for await (const record of client.history.listRecords({ sessionId, order: "oldest", pageSize: 1_000 })) {
    records.push(record);
  }
  return records;
}

async function countsOf(): Promise<Record<string, number>> {
  const { stored: counts } = await client.history.getStatistics({ sessionId });
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

test("trainer-loop: memory has the tail, the database all", async () => {
  expect(await example("trainer-loop")).toEqual([
    "the last 100 scores average 0.75",
    "all 1000 scores average 0.77",
    "the best machine is 2",
  ]);
  expect(await countsOf()).toEqual({ score_history: 1_000, action_tracking: 1_000, performance_history: 100 });
  const [action] = (await stored()).filter(({ type }) => type === "action_tracking");
  expect(action).toMatchObject({ gameId: "machines", actionType: "machine_0", context: { isCurious: false } });
});

test("frames: what was evicted is found again by its hash", async () => {
  expect(await example("frames")).toEqual([
    "in memory: 5 frames",
    "in the database: 24 frames",
    "the first one was seen 9 times, says the dictionary: 9",
  ]);
  expect(await countsOf()).toEqual({ frame_tracking: 200 });
});

test("policies: without a server scores wait on disk and frames give way; the next run sends what waited", async () => {
  const away = await run("policies", { TAILKEEP_SERVER: "127.0.0.1:1" });
  const [first = "", nothing = ""] = away.stdout.trim().split("\n");
  const ledger = JSON.parse(first) as { pending: number; overflow: number; closed: number };
  expect(ledger).toMatchObject({ appended: 10_000, durable: 0, pending: 5_000, rejected: 0 });
  expect(ledger.overflow).toBeGreaterThan(0);
  expect(ledger.overflow + ledger.closed).toBe(5_000);
  expect(JSON.parse(nothing)).toEqual({ replayed: 0, replayPending: 0 });
  expect(away.stderr).toBe("");

  const back = await run("policies");
  const [second = "", replay = ""] = back.stdout.trim().split("\n");
  expect(JSON.parse(second)).toMatchObject({ appended: 10_000, pending: 0, rejected: 0 });
  expect(JSON.parse(replay)).toEqual({ replayed: 5_000, replayPending: 0 });
  const scores = (await stored()).flatMap((record) => (record.type === "score_history" ? [record.score] : []));
  expect(scores).toEqual([...Array(2)].flatMap(() => Array.from({ length: 5_000 }, (_, i) => i + 1)));
});

test("environments: each process records for itself, into one session", async () => {
  expect(await example("environments")).toEqual([1, 2, 3].map((n) => `environment-${n}: 100 episodes`));
  const records = await stored();
  expect(new Set(records.map(({ streamId }) => streamId)).size).toBe(3);
  expect(records.filter((record) => record.type === "session_history" && record.status === "WIN")).toHaveLength(75);
});

test("metrics-endpoint: Prometheus sees containers and ledger", async () => {
  expect(await example("metrics-endpoint")).toEqual([
    'tailkeep_client_container_items{container="scores"} 50',
    'tailkeep_client_container_capacity{container="scores"} 50',
    'tailkeep_client_container_evictions_total{container="scores"} 450',
    "tailkeep_client_records_appended_total 500",
    "tailkeep_client_records_durable_total 500",
    "tailkeep_client_records_rejected_total 0",
    "tailkeep_client_records_pending 0",
  ]);
});

test("history: reads on from memory into the database, and watches", async () => {
  expect(await example("history")).toEqual([
    "the newest 25: 1000 to 976; 10 of them are in memory",
    "since then: 1001, 1002",
    "after a restart: 993, 994, 995, 996, 997, 998, 999, 1000, 1001, 1002",
    "watched: 1001",
    "watched: 1002",
    "watched: 1003",
  ]);
  expect(await countsOf()).toEqual({ score_history: 1_003 });
});

test("state: counters add up from run to run", async () => {
  await example("state");
  expect(await example("state")).toEqual([
    "learning_state is in the database",
    'global_counters: {"total_episodes":50,"total_actions":2400,"total_wins":6}',
    'action_intelligence_ls20: {"games":2,"effectiveActions":{"ACTION6":0.75}}',
  ]);
  expect((await client.state.get("learning_state"))?.value).toEqual({ epsilon: 0.1, layers: [64, 64] });
});

test("memory-guard: bounds what a trainer lets grow, as it is or by bounded containers in its place", async () => {
  expect(await example("memory-guard")).toEqual([
    "guarded: 100 performances, 20 notes",
    "performanceHistory holds 100 at most",
    "actionSequences holds 500 at most",
    "triedCoordinates holds 500 at most",
    "notes holds 50 at most",
    "fixed: 500 sequences, 500 coordinates",
    "memory is fine",
  ]);
});

test("no example is left out", () => {
  const files = readdirSync(EXAMPLES).filter((name) => name.endsWith(".ts"));
  expect([...tested].sort()).toEqual(files.sort());
});

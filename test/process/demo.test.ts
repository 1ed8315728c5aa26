// `tailkeep demo` against a server: everything it plays is stored, and it says so.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { connect, RECORD_TYPE_NAMES } from "@tailkeep/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TailkeepServer } from "../support/tailkeep-server.js";

const TAILKEEP = join(import.meta.dirname, "..", "..", "server", "bin", "tailkeep.js");
const run = promisify(execFile);

let folder: string;
let server: TailkeepServer;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tailkeep-demo-"));
  server = await TailkeepServer.start({ store: `sqlite:${join(folder, "demo.db")}` });
});

afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

function demo(...args: string[]) {
  return run(process.execPath, [TAILKEEP, "demo", "--server", server.grpcAddress, ...args]);
}

test("records all six types of a learner that gets better, each record once", async () => {
  const { stdout } = await demo("--json", "--session", "demo-1", "--episodes", "300");
  const result = JSON.parse(stdout);
  expect(result).toMatchObject({ session: "demo-1", episodes: 300, seed: 1, comparedEpisodes: 100, rejected: 0 });
  expect(result.winRateLast).toBeGreaterThan(result.winRateFirst + 0.5);
  expect(Object.keys(result.stored).sort()).toEqual([...RECORD_TYPE_NAMES].sort());
  const counts = Object.values(result.stored) as number[];
  expect(Math.min(...counts)).toBeGreaterThanOrEqual(300);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(result.appended);

  await using client = connect({ server: server.grpcAddress });
  expect(await client.history.getSession("demo-1")).toMatchObject({
    name: "Q-learning on key-and-door, seed 1",
    state: "finished",
    config: { episodes: 300, seed: 1 },
    counts: { stored: result.appended, rejected: 0, gapped: 0 },
  });
  const newest = await client.history.tailRecords({ sessionId: "demo-1", types: ["performance_history"], limit: 1 });
  expect(newest).toMatchObject([{ winRate: result.winRateLast, metadata: { step: 300 } }]);
});

test("says what was learned, what was recorded, and how to look at it", async () => {
  const { stdout, stderr } = await demo("--session", "demo 2", "--episodes", "40", "--seed", "7");
  expect(stderr).toBe("");
  expect(stdout).toMatch(/^episode 40 /m);
  expect(stdout).toMatch(/^learned {3}won \d+ % of the first 20 games, \d+ % of the last 20$/m);
  expect(stdout).toMatch(/^recorded {2}[\d,]+ records, all durable, in [\d.]+ s$/m);
  expect(stdout).toMatch(/^look {6}npx tailkeep tail 'demo 2'$/m);
});

test("refuses what it cannot play", async () => {
  await expect(demo("--episodes", "1.5")).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining("whole number between 1 and"),
  });
});

// A trainer in plain Python: cut off, left without answers, killed, started again. The store holds each record once.
import { type ChildProcessByStdio, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { connect, type HistoryRecord, RECORD_TYPE_NAMES } from "@tailkeep/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CuttingProxy } from "../support/cutting-proxy.js";
import { TailkeepServer } from "../support/tailkeep-server.js";
import { generateStubs, pythonWithGrpc } from "./python/environment.js";

const CHECKOUT = join(import.meta.dirname, "..", "..");
const RECORDS = 100_000;
const SESSION = "python-interop";

let folder: string;
let python: string | undefined;
let skipped = "";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tailkeep-python-"));
  const found = await pythonWithGrpc();
  if ("skipped" in found) {
    skipped = found.skipped;
    console.warn(`Python interop is skipped: ${skipped}`);
    return;
  }
  python = found.executable;
  await generateStubs(python, join(folder, "stubs"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("100,000 records arrive exactly once, through cuts, lost answers and a killed trainer", async (context) => {
  if (python === undefined) return context.skip(skipped);
  const store = join(folder, "interop.db");
  await using server = await TailkeepServer.start({ store: `sqlite:${store}` });
  let trainer: Trainer;
  await using proxy = await CuttingProxy.start(server.grpcAddress, [
    { afterBytes: 500_000 },
    { afterBytes: 1_000_000, deafMs: 300 },
    { afterBytes: 1_500_000, onCut: () => trainer.child.kill("SIGKILL") },
    { afterBytes: 2_000_000, deafMs: 300 },
    { afterBytes: 2_500_000 },
  ]);
  const state = join(folder, "state.json");

  trainer = startTrainer(python, proxy.address, state);
  const killed = await trainer.ended;
  expect(killed.signal, killed.output).toBe("SIGKILL");
  const atDeath = JSON.parse(readFileSync(state, "utf8")) as { stream_id: string; acked_seq: number };
  expect(atDeath.acked_seq).toBeGreaterThan(0);
  expect(atDeath.acked_seq).toBeLessThan(RECORDS);

  const resumed = await startTrainer(python, proxy.address, state).ended;
  expect(resumed.code, resumed.output).toBe(0);
  expect(resumed.output).toContain(`done: ${atDeath.acked_seq + 1} to ${RECORDS}`);
  expect(proxy.cutsDone).toBe(5);

  await using client = connect({ server: server.grpcAddress });
  const { stored, counts, streamCount } = await client.history.getStatistics({ sessionId: SESSION });
  expect(counts).toEqual({ stored: RECORDS, rejected: 0, gapped: 0 });
  expect(streamCount).toBe(1);
  expect(Object.values(stored).reduce((sum, count) => sum + count, 0)).toBe(RECORDS);

  let expected = 0;
  for await (const record of client.history.listRecords({ sessionId: SESSION, order: "oldest", pageSize: 1_000 })) {
    expected += 1;
    if (record.seq !== expected || record.streamId !== atDeath.stream_id || seqOfContent(record) !== expected) {
      expect.fail(`record ${expected} came back as ${JSON.stringify(record)}`);
    }
  }
  expect(expected).toBe(RECORDS);

  expect(await server.stop()).toBe(0);
  expect(seqsInFile(store)).toEqual({ rows: RECORDS, different: RECORDS, first: 1, last: RECORDS });
  console.log(`${killed.output}-- killed at ${atDeath.acked_seq} --\n${resumed.output}`);
});

test("the ten lines of the README run as they are", async (context) => {
  if (python === undefined) return context.skip(skipped);
  const text = readFileSync(join(import.meta.dirname, "python", "ten_lines.py"), "utf8");
  expect(text.trim().split("\n")).toHaveLength(10);
  await using server = await TailkeepServer.start({ store: `sqlite:${join(folder, "ten-lines.db")}` });
  const here = text.replace("127.0.0.1:50051", server.grpcAddress);
  const { stdout } = await promisify(execFile)(python, ["-c", here], { cwd: CHECKOUT });
  expect(stdout).toBe("durable up to 100\n");
  await using client = connect({ server: server.grpcAddress });
  const newest = await client.history.tailRecords({ sessionId: "from-python", limit: 2 });
  expect(newest).toMatchObject([
    { type: "score_history", gameId: "ls20", seq: 99, score: 99 },
    { type: "score_history", gameId: "ls20", seq: 100, score: 100 },
  ]);
});

interface Trainer {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly ended: Promise<{ code: number | null; signal: string | null; output: string }>;
}

function startTrainer(executable: string, server: string, state: string): Trainer {
  const script = join(import.meta.dirname, "python", "trainer.py");
  const options = { server, session: SESSION, records: String(RECORDS), state };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const child = spawn(executable, [script, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, PYTHONPATH: join(folder, "stubs") },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const closed = once(child, "close") as Promise<[number | null, string | null]>;
  return { child, ended: closed.then(([code, signal]) => ({ code, signal, output })) };
}

/** The number that trainer.py hid in the record's own fields. */
function seqOfContent(record: HistoryRecord): number {
  if (record.eventTimeUs !== 1_700_000_000_000_000 + record.seq) return Number.NaN;
  switch (record.type) {
    case "performance_history":
    case "score_history":
      return record.score ?? Number.NaN;
    case "session_history":
      return record.actionsTaken ?? Number.NaN;
    case "action_tracking":
      return record.effectiveness ?? Number.NaN;
    case "coordinate_tracking":
      return record.coordinateX ?? Number.NaN;
    case "frame_tracking":
      return Number.parseInt(record.frameHash ?? "", 16);
  }
}

/** Asks the file itself, without any of the server's code. */
function seqsInFile(file: string) {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const all = RECORD_TYPE_NAMES.map((name) => `SELECT stream, seq FROM ${name}_rows`).join(" UNION ALL ");
    const question = `SELECT COUNT(*) AS "rows", COUNT(DISTINCT seq) AS different, MIN(seq) AS first, MAX(seq) AS last`;
    return { ...database.prepare(`${question} FROM (${all})`).get() };
  } finally {
    database.close();
  }
}

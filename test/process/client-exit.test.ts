// A trainer's process ends when its work is done, whatever its telemetry is doing: it needs no close().
import { spawn } from "node:child_process";
import { afterEach, beforeEach, expect, test } from "vitest";
import { IngestServer } from "../unit/client/ingest-server.js";

let server: IngestServer;

beforeEach(async () => {
  server = await new IngestServer().start();
});

afterEach(() => server.stop());

/** Runs a module that has `connect`; resolves with its exit code, its milliseconds and what it printed. */
function trainer(body: string, address: string): Promise<{ code: number | null; ms: number; output: string }> {
  const source = `import { connect } from "@tailkeep/client"; ${body}`;
  const started = performance.now();
  const child = spawn(process.execPath, ["--input-type=module", "-e", source], {
    cwd: import.meta.dirname,
    env: { ...process.env, TAILKEEP_SERVER: address, TAILKEEP_SESSION: "exit" },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  return new Promise((resolve) => {
    child.on("close", (code) => resolve({ code, ms: performance.now() - started, output }));
  });
}

const APPEND = `
  const stream = connect().openStream();
  for (let i = 0; i < 1000; i++) stream.append({ type: "score_history", score: i });
`;

test("everything appended is durable before the process ends by itself", async () => {
  expect(await trainer(APPEND, server.address)).toMatchObject({ code: 0, output: "" });
  expect(server.only.committedSeq).toBe(1000);
});

test("an unreachable server does not keep the process alive", async () => {
  await server.stop();
  const { code, ms, output } = await trainer(APPEND, server.address);
  expect({ code, output }).toEqual({ code: 0, output: "" });
  expect(ms).toBeLessThan(10_000);
});

test("an awaited close does keep it alive, and says what was lost", async () => {
  await server.stop();
  const body = `${APPEND} await stream.close({ timeoutMs: 1500 }).catch((e) => console.log(e.name, e.pendingRecords));`;
  const { code, ms, output } = await trainer(body, server.address);
  expect({ code, output }).toEqual({ code: 0, output: "DeadlineError 1000\n" });
  expect(ms).toBeGreaterThan(1_500);
});

// A real Prometheus: it reads the metrics of server and trainer, takes the rules, and its own tests of them pass.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { DatabaseBoundedList, metricsText, openRecorder } from "@tailkeep/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "../support/databases/ports.js";
import { findPrometheus } from "../support/find-prometheus.js";
import { temporaryFolder } from "../support/in-process-server.js";
import { TailkeepServer } from "../support/tailkeep-server.js";

const run = promisify(execFile);
const RULES = join(import.meta.dirname, "..", "..", "deploy", "prometheus");
const SOON = { timeout: 30_000, interval: 200 };

let programs: string | undefined;
let reason = "";
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: TailkeepServer;

beforeAll(async () => {
  ({ folder: programs, reason } = await findPrometheus());
  folder = await temporaryFolder();
  server = await TailkeepServer.start({ store: `sqlite:${join(folder.path, "prometheus.db")}` });
}, 120_000);
afterAll(async () => {
  await server.stop();
  await folder.remove();
});

function promtool(...args: string[]): Promise<{ stdout: string }> {
  return run(join(programs ?? "", "promtool"), args, { cwd: RULES });
}

test("promtool takes the rules and the configuration, and their tests pass", async (context) => {
  if (programs === undefined) context.skip(reason);
  expect((await promtool("check", "rules", "recording.rules.yml", "alerts.rules.yml")).stdout).not.toContain("FAILED");
  expect((await promtool("check", "config", "prometheus.yml")).stdout).toContain("SUCCESS");
  expect((await promtool("test", "rules", "rules.test.yml")).stdout).toContain("SUCCESS");
});

test("promtool finds nothing to complain of in the metrics of server and trainer", async (context) => {
  if (programs === undefined) context.skip(reason);
  const recorder = openRecorder({ server: server.grpcAddress, spill: false });
  const list = new DatabaseBoundedList("score_history", { recorder, name: "scores" });
  for (let score = 0; score < 10; score++) list.append({ score });
  await recorder.flush();
  const ofServer = await (await fetch(`${server.httpUrl}/metrics`)).text();
  for (const text of [ofServer, metricsText()]) {
    const child = spawn(join(programs ?? "", "promtool"), ["check", "metrics"]);
    let said = "";
    for (const output of [child.stdout, child.stderr]) output.on("data", (data: Buffer) => (said += data.toString()));
    child.stdin.end(text);
    await once(child, "close");
    expect({ code: child.exitCode, said }).toEqual({ code: 0, said: "" });
  }
  await recorder.close();
});

test("Prometheus scrapes the server, and its rules find every metric that they ask for", async (context) => {
  if (programs === undefined) context.skip(reason);
  const port = await freePort();
  const config = join(folder.path, "prometheus.yml");
  const target = server.httpUrl.replace("http://", "");
  await writeFile(
    config,
    `global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: ["${RULES}/recording.rules.yml", "${RULES}/alerts.rules.yml"]
scrape_configs: [{ job_name: tailkeep, static_configs: [{ targets: ["${target}"] }] }]
`,
  );
  const flags = [`--config.file=${config}`, `--storage.tsdb.path=${join(folder.path, "tsdb")}`];
  const child = spawn(join(programs ?? "", "prometheus"), [...flags, `--web.listen-address=127.0.0.1:${port}`], {
    stdio: "ignore",
  });
  const ask = async <Result>(path: string): Promise<Result> => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`);
    return ((await answer.json()) as { data: Result }).data;
  };
  try {
    await expect
      .poll(async () => {
        const { result } = await ask<{ result: { value: [number, string] }[] }>("query?query=tailkeep_store_up");
        return result[0]?.value[1];
      }, SOON)
      .toBe("1");
    const { groups } = await ask<{ groups: { rules: { name: string; query: string; health: string }[] }[] }>("rules");
    const rules = groups.flatMap((group) => group.rules);
    expect(rules.length).toBeGreaterThan(10);
    const names = await ask<string[]>("label/__name__/values");
    for (const { query } of rules) {
      for (const [metric] of query.matchAll(/\btailkeep_[a-z_]+/g)) expect(names).toContain(metric);
    }
  } finally {
    child.kill("SIGKILL");
    await once(child, "close");
  }
});

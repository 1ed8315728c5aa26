// tailkeep.yaml of a running server: on SIGHUP, after a change, and what is wrong with it.
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type CentralConfig, connect, type TailkeepClient } from "@tailkeep/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { temporaryFolder } from "../../support/in-process-server.js";
import { runCommand } from "../../support/run-command.js";
import { TailkeepServer } from "../../support/tailkeep-server.js";

const SOON = { timeout: 15_000, interval: 50 };
const FILE = "tailkeep.yaml";

let folder: { path: string; remove(): Promise<void> };
let server: TailkeepServer;
let client: TailkeepClient;

/** Replaces the file. */
const write = (text: string) => writeFile(join(folder.path, FILE), text);
const hangUp = () => process.kill(server.pid as number, "SIGHUP");
const limits = async () => (await client.config.get()).memoryLimits;
const isRefused = async () => (await server.metrics()).get("tailkeep_config_refused") === 1;
const logged = (pattern: RegExp) => server.output.split("\n").filter((line) => pattern.test(line)).length;

beforeAll(async () => {
  folder = await temporaryFolder();
  await write("memoryLimits: { scoreHistory: 40, frameHistory: 41 }\n");
  server = await TailkeepServer.start({
    store: `sqlite:${join(folder.path, "t.db")}`,
    cwd: folder.path,
    env: { TAILKEEP_MEMORY_LIMITS_FRAME_HISTORY: "60" },
  });
  client = connect({ server: server.grpcAddress });
});
afterAll(async () => {
  await client.close();
  expect(await server.stop()).toBe(0);
  await folder.remove();
});

test("SIGHUP takes over what is live, and tells trainers; the environment still comes before the file", async () => {
  const seen: CentralConfig[] = [];
  const stop = new AbortController();
  const watching = (async () => {
    for await (const config of client.config.watch({ signal: stop.signal })) seen.push(config);
  })();
  await expect.poll(() => seen.length, SOON).toBe(1);
  await write("memoryLimits: { scoreHistory: 50, frameHistory: 51 }\n");
  hangUp();
  await expect.poll(() => seen.length, SOON).toBe(2);
  expect(seen.map(({ memoryLimits }) => [memoryLimits.scoreHistory, memoryLimits.frameHistory])).toEqual([
    [40, 60],
    [50, 60],
  ]);
  expect(seen[1]).toMatchObject({ version: 0, sources: { "memoryLimits.scoreHistory": "server" } });
  stop.abort();
  await watching;
});

test("a change is noticed without a signal; what the database sets comes before it", async () => {
  await client.config.update({ memoryLimits: { actionHistory: 7 } });
  await write("logLevel: debug\nmemoryLimits: { scoreHistory: 70, actionHistory: 71 }\n");
  await expect.poll(limits, SOON).toMatchObject({ scoreHistory: 70, actionHistory: 7, frameHistory: 60 });
  expect(server.output).toContain('{"setting":"logLevel","before":"info","after":"debug"}');
  await client.config.update({ reset: ["memoryLimits.actionHistory"] });
  expect(await limits()).toMatchObject({ actionHistory: 71 });
});

test("a setting that is read at start is named once, and changes nothing else", async () => {
  const text = "retentionDays: 3\nmysqlLanes: 4\nmemoryLimits: { scoreHistory: 80 }\n";
  await write(text);
  await expect.poll(limits, SOON).toMatchObject({ scoreHistory: 80 });
  const named = /takes effect at restart: retentionDays, mysqlLanes/;
  await expect.poll(() => logged(named), SOON).toBe(1);
  await write(`${text}# the same\n`);
  await expect.poll(() => logged(/nothing to apply/), SOON).toBe(1);
  expect(logged(named)).toBe(1);
  expect((await client.admin.getRetention()).days.score_history).toBe(30);
});

test.each([
  ["is no YAML", "memoryLimits: { scoreHistory: 90\n", /tailkeep\.yaml: YAMLParseError/],
  ["is no settings", "- scoreHistory\n", /tailkeep\.yaml: .*must be settings with their values/],
  ["has an unknown name", "scoreHistory: 90\n", /tailkeep\.yaml: .*scoreHistory/],
  [
    "is half right",
    "memoryLimits: { scoreHistory: 90 }\nlogLevel: loud\n",
    /tailkeep\.yaml: logLevel: .*; see: tailkeep config --help/,
  ],
  [
    "contradicts itself",
    "memoryLimits: { scoreHistory: 90 }\nactionLimits: { scalingBase: 90, scalingMax: 80 }\n",
    /actionLimits\.scalingBase: must be at most scalingMax/,
  ],
])("a file that %s changes nothing, and is said once", async (_what, text, problem) => {
  const lines = () => server.output.split("\n").filter((line) => line.includes("the configuration before goes on"));
  const before = lines().length;
  await write(text);
  await expect.poll(() => lines().length, SOON).toBe(before + 1);
  expect(lines().at(-1)).toMatch(problem);
  expect(await limits()).toMatchObject({ scoreHistory: 80 });
  expect((await fetch(`${server.httpUrl}/readyz`)).status).toBe(200);
  expect(await isRefused()).toBe(true);
  const command = await runCommand(["config"], { cwd: folder.path });
  expect(command).toMatchObject({ code: 2, stderr: expect.stringMatching(problem) });
});

test("a file that is gone changes nothing either, and counts again when it is back", async () => {
  await rm(join(folder.path, FILE));
  await expect.poll(() => logged(/tailkeep\.yaml: the file is gone; put it back/), SOON).toBe(1);
  // Long enough to be looked at again.
  await sleep(2_500);
  expect(logged(/the file is gone/)).toBe(1);
  expect(await limits()).toMatchObject({ scoreHistory: 80 });
  await write("memoryLimits: { scoreHistory: 95 }\n");
  await expect.poll(limits, SOON).toMatchObject({ scoreHistory: 95 });
  await expect.poll(isRefused, SOON).toBe(false);
});

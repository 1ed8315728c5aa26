// What deploy/ holds is taken by the programs that it is for, as far as they are on this machine.
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { environmentName, SETTINGS } from "@tailkeep/server/dist/config/load.js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { temporaryFolder } from "../support/in-process-server.js";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "..", "..");
const DEPLOY = join(ROOT, "deploy");

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

test("systemd takes the unit, and finds little that it could still be kept from", async (context) => {
  const unit = await readFile(join(DEPLOY, "systemd", "tailkeep.service"), "utf8");
  const here = unit.replaceAll("/opt/tailkeep", ROOT).replaceAll("/usr/bin/node", process.execPath);
  const file = join(folder.path, "tailkeep.service");
  await writeFile(file, here);
  const verify = await run("systemd-analyze", ["verify", file]).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (verify === undefined) context.skip("no systemd-analyze on this machine");
  expect(verify?.stderr).toBe("");
});

interface Compose {
  services: Record<string, { ports?: string[]; environment?: Record<string, string>; read_only?: boolean }>;
}

test("compose publishes its ports on loopback alone, and sets what the server knows", async () => {
  const { services } = parse(await readFile(join(DEPLOY, "compose", "compose.yaml"), "utf8")) as Compose;
  expect(Object.keys(services)).toEqual(["tailkeep", "mysql", "prometheus", "grafana"]);
  for (const { ports = [] } of Object.values(services)) {
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  }
  expect(services["tailkeep"]?.read_only).toBe(true);
  const known = SETTINGS.map(({ path }) => environmentName(path));
  for (const name of Object.keys(services["tailkeep"]?.environment ?? {})) expect(known).toContain(name);
});

test("the image is made from what exists, runs as nobody, and sets what the server knows", async () => {
  const lines = (await readFile(join(DEPLOY, "container", "Dockerfile"), "utf8")).replaceAll("\\\n", " ").split("\n");
  const { workspaces } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as { workspaces: string[] };
  expect(lines.join("\n")).toContain(`npm pkg delete "workspaces[${workspaces.indexOf("test")}]"`);
  expect(lines.filter((line) => line.startsWith("FROM")).at(-1)).toMatch(/:nonroot$/);
  const known = SETTINGS.map(({ path }) => environmentName(path));
  const environment = lines.filter((line) => line.startsWith("ENV")).join(" ");
  for (const [name] of environment.matchAll(/TAILKEEP_\w+/g)) expect(known).toContain(name);
  expect(lines.some((line) => line.startsWith("HEALTHCHECK"))).toBe(true);
});

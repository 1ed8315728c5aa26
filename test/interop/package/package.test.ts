// What `npm run package` makes, installed as users install it: into an empty strict project, with nothing else.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import * as client from "@tailkeep/client";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TailkeepServer } from "../../support/tailkeep-server.js";
import { type FoundNode, node20 } from "./nodes.js";
import { bytesBelow, manifestOf, UserProject } from "./project.js";
import { runUnitTests } from "./unit-tests.js";

const CHECKOUT = join(import.meta.dirname, "..", "..", "..");
const PROGRAMS = join(import.meta.dirname, "programs");
const OURS = ["@tailkeep/proto", "@tailkeep/client"];

let project: UserProject;
let server: TailkeepServer;
let oldNode: FoundNode;

beforeAll(async () => {
  [oldNode, project] = await Promise.all([node20(), UserProject.make()]);
  server = await TailkeepServer.start({ store: `sqlite:${join(project.folder, "tailkeep.db")}` });
});

afterAll(async () => {
  await server?.stop();
  project?.remove();
});

function environment(): Record<string, string> {
  return { TAILKEEP_SERVER: server.grpcAddress, TAILKEEP_SPILL_DIR: join(project.folder, "spill") };
}

/** Runs a program on the Node of the tests and on the oldest that is promised; the latter only where there is one. */
async function runOnBoth(name: string, skip: (note: string) => void): Promise<void> {
  expect(await project.run(process.execPath, name, environment())).toMatch(/^done on 2[4-9]\.\S+\n$/m);
  if ("skipped" in oldNode) return skip(oldNode.skipped);
  expect(await project.run(oldNode.executable, name, environment())).toMatch(/^done on 20\.\S+\n$/m);
}

describe.each(OURS)("%s", (name) => {
  test("keeps the rules of published packages", async () => {
    const manifest = manifestOf(project.packageFolder(name));
    const { messages } = await publint({ pkgDir: project.packageFolder(name), strict: true, pack: false });
    expect(messages.map((message) => formatMessage(message, manifest))).toEqual([]);
  });

  test("has every file that its source maps name, and none that its sources do not", () => {
    const folder = project.packageFolder(name);
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
    const maps = files.filter((file) => file.endsWith(".map"));
    const sources = maps.flatMap((map) => {
      const { sources } = JSON.parse(readFileSync(join(folder, map), "utf8")) as { sources: string[] };
      return sources.map((source) => resolve(folder, dirname(map), source));
    });
    expect(sources.length).toBeGreaterThan(0);
    for (const source of sources) expect(readFileSync(source, "utf8").length, source).toBeGreaterThan(0);
    const strange = files.filter((file) => /buildinfo|\.test\.|node_modules|\.(?:db|log|tgz)$/.test(file));
    expect(strange).toEqual([]);
  });

  test("has its licence, and no script that an install would run", () => {
    const folder = project.packageFolder(name);
    expect(readFileSync(join(folder, "LICENSE"), "utf8")).toBe(readFileSync(join(CHECKOUT, "LICENSE"), "utf8"));
    expect(manifestOf(folder)["scripts"]).toBeUndefined();
  });
});

test("installs its declared dependencies and nothing else, about 16 MB of them", () => {
  const declared = new Set<string>();
  const add = (name: string): void => {
    declared.add(name);
    const { dependencies = {} } = manifestOf(project.packageFolder(name)) as { dependencies?: object };
    for (const dependency of Object.keys(dependencies)) if (!declared.has(dependency)) add(dependency);
  };
  for (const name of OURS) add(name);
  expect(project.installed).toEqual([...declared].sort());
  expect(project.installed).not.toContain("prom-client");
  const bytes = project.installed.reduce((sum, name) => sum + bytesBelow(project.packageFolder(name)), 0);
  expect(bytes).toBeLessThan(18e6);
});

test("a strict program that uses all of it compiles, and runs on both ends of the promised range", async (context) => {
  const programs = readdirSync(PROGRAMS).map((file) => readFileSync(join(PROGRAMS, file), "utf8"));
  const unused = Object.keys(client).filter((name) => !programs.some((text) => new RegExp(`\\b${name}\\b`).test(text)));
  expect(unused, "exports that no program of this test uses").toEqual([]);
  project.addPrograms(PROGRAMS);
  project.addProgram("every-export.ts", importOfEveryExport());
  await project.compile();
  await runOnBoth("main", (note) => context.skip(note));
});

test("the examples in the package compile there, and one that learns learns the same on both", async (context) => {
  project.addPrograms(join(project.packageFolder("@tailkeep/client"), "examples"));
  await project.compile();
  const learn = (node: string) =>
    project.run(node, "trainer-loop", { ...environment(), TAILKEEP_SESSION: `learned by ${node}`.slice(-100) });
  const learned = await learn(process.execPath);
  expect(learned).toContain("the best machine is 2\n");
  if ("skipped" in oldNode) return context.skip(oldNode.skipped);
  expect(await learn(oldNode.executable)).toBe(learned);
});

test("without prom-client its entry for it says what is missing", async () => {
  project.addProgram("none.ts", 'await import("@tailkeep/client/prometheus" as string);\n');
  await project.compile();
  await expect(project.run(process.execPath, "none")).rejects.toThrow(/Cannot find package 'prom-client'/);
});

test("with prom-client the metrics are one of its registries", async (context) => {
  const { devDependencies, dependencies } = manifestOf(join(CHECKOUT, "server")) as Record<
    string,
    Record<string, string>
  >;
  const version = dependencies?.["prom-client"] ?? devDependencies?.["prom-client"];
  await project.install(`prom-client@${version}`);
  project.addPrograms(join(import.meta.dirname, "with-prom-client"));
  await project.compile();
  await runOnBoth("prometheus", (note) => context.skip(note));
});

test("the client's unit tests pass on Node 20, against what is installed", async (context) => {
  if ("skipped" in oldNode) return context.skip(oldNode.skipped);
  const { passed, failed, files, output } = await runUnitTests(oldNode.executable, project.folder);
  expect(failed, output).toBe(0);
  expect(files).toEqual(expect.arrayContaining(["unit/client/protocol.test.ts", "unit/recorder/lane.test.ts"]));
  expect(passed).toBeGreaterThan(150);
});

/** The API page has a heading for each export, types too; `docs:check` holds it to that. */
function importOfEveryExport(): string {
  const page = readFileSync(join(CHECKOUT, "client", "docs", "api.md"), "utf8");
  const [main = ""] = page.split("\n## Metrics with prom-client\n");
  const names = [...main.matchAll(/^### `(\w+)`$/gm)].map((match) => match[1]);
  expect(names.length).toBeGreaterThan(90);
  return `import type { ${names.join(", ")} } from "@tailkeep/client";\n`;
}

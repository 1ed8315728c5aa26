// What the README shows is run as it stands: its TypeScript compiles strictly and records, its Python is the example
// that the interop test runs, its commands exist, and the addresses that `npm start` prints are those it says.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TailkeepServer } from "../support/tailkeep-server.js";

const run = promisify(execFile);
const CHECKOUT = join(import.meta.dirname, "..", "..");
const README = readFileSync(join(CHECKOUT, "README.md"), "utf8");

function block(language: string): string {
  const found = new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(README)?.[1];
  if (found === undefined) throw new Error(`the README has no ${language} example`);
  return found;
}

let folder: string;
let server: TailkeepServer;

beforeAll(async () => {
  // Inside the test folder, so that the example finds the packages as a trainer in a workspace would.
  folder = mkdtempSync(join(import.meta.dirname, ".readme-"));
  server = await TailkeepServer.start({ store: `sqlite:${join(folder, "tailkeep.db")}` });
});

afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("the TypeScript example compiles strictly, records, and reads back all of it", async () => {
  const file = join(folder, "example.ts");
  writeFileSync(file, block("ts"));
  const tsc = join(CHECKOUT, "node_modules", ".bin", "tsc");
  const strict = [
    "--noEmit",
    "--ignoreConfig",
    "--strict",
    "--module",
    "nodenext",
    "--target",
    "es2023",
    "--types",
    "node",
    "--skipLibCheck",
  ];
  await run(process.execPath, [tsc, ...strict, file], { cwd: CHECKOUT });
  const { stdout } = await run(process.execPath, [file], {
    cwd: folder,
    env: { ...process.env, TAILKEEP_SERVER: server.grpcAddress },
  });
  expect(stdout).toBe(
    "100 scores and 50 frames in memory\nall scores add up to 500500\nan early frame: { stagnant: true }\n",
  );
});

test("the Python example is the one that the interop test runs", () => {
  const example = readFileSync(join(CHECKOUT, "test", "interop", "python", "ten_lines.py"), "utf8");
  expect(block("python").trim()).toBe(example.trim());
});

describe("commands", () => {
  const commands = [...new Set([...README.matchAll(/npx tailkeep (\w+)/g)].map((match) => match[1] as string))];

  test.each(commands)("tailkeep %s has a help text", async (command) => {
    const tailkeep = join(CHECKOUT, "server", "bin", "tailkeep.js");
    const { stdout } = await run(process.execPath, [tailkeep, command, "--help"]);
    expect(stdout).toContain(`Usage: tailkeep ${command}`);
  });

  test("npm scripts exist", () => {
    const { scripts } = JSON.parse(readFileSync(join(CHECKOUT, "package.json"), "utf8")) as { scripts: object };
    for (const [, script] of README.matchAll(/npm run (\w+)/g)) expect(Object.keys(scripts)).toContain(script);
  });
});

test("links lead to files that exist", () => {
  for (const [, target] of README.matchAll(/\]\((?!http)([^)#]+)\)/g)) {
    expect(() => readFileSync(join(CHECKOUT, target as string))).not.toThrow(/ENOENT/);
  }
});

test("the server prints what the README says", () => {
  const printed = server.output.replaceAll(server.grpcAddress, "127.0.0.1:50051");
  for (const line of [
    "Tailkeep is running",
    "gRPC       127.0.0.1:50051",
    "metrics    http://",
    "dashboard  http://",
  ]) {
    expect(README).toContain(line);
    expect(printed).toContain(line);
  }
});

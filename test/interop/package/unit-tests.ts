/**
 * The client's own unit tests, on another Node and against the packed package.
 *
 * Vitest 5 does not run on Node 20; version 4 does, and understands the same tests. They are copied beside a folder
 * `client/src` that is the installed package's `dist`, so that what they import is what users run.
 */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { promisify } from "node:util";
import { importsOf, sourceFiles } from "../../unit/shape/imports.js";
import { npm } from "./npm.js";
import { manifestOf } from "./project.js";

const TEST = join(import.meta.dirname, "..", "..");
const VITEST = "vitest@4.1.12";
const RUN_MS_MAX = 170_000;

/**
 * Random tests look at fewer cases than on the Node that they were made on: what may differ here is the language and its
 * library, and that the first cases show.
 */
const FEWER_CASES = `
import * as fc from "./node_modules/fast-check/lib/fast-check.js";
export * from "./node_modules/fast-check/lib/fast-check.js";
export const assert = (property, parameters = {}) =>
  fc.assert(property, { ...parameters, numRuns: Math.min(parameters.numRuns ?? 100, 40) });
export default { ...fc, assert };
`;

/** Most of the tests wait for timers and sockets most of the time. */
const CONFIG = `
export default {
  resolve: { alias: { "fast-check": new URL("fewer-cases.mjs", import.meta.url).pathname } },
  test: { include: ["test/unit/**/*.test.ts"], testTimeout: 60_000, hookTimeout: 60_000, maxWorkers: 2 },
};
`;

export interface UnitTestResult {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly files: readonly string[];
  /** For the person who reads about a failure. */
  readonly output: string;
}

/** Runs them in `folder`, where the packed packages are installed. */
export async function runUnitTests(node: string, folder: string): Promise<UnitTestResult> {
  const { devDependencies } = manifestOf(TEST) as { devDependencies: Record<string, string> };
  await npm(folder, "install", VITEST, `fast-check@${devDependencies["fast-check"]}`);
  const files = clientTests();
  for (const file of withWhatTheyImport(files)) {
    mkdirSync(dirname(join(folder, "test", file)), { recursive: true });
    cpSync(join(TEST, file), join(folder, "test", file));
  }
  mkdirSync(join(folder, "client"));
  symlinkSync(join(folder, "node_modules", "@tailkeep", "client", "dist"), join(folder, "client", "src"));
  writeFileSync(join(folder, "fewer-cases.mjs"), FEWER_CASES);
  writeFileSync(join(folder, "vitest.config.mjs"), CONFIG);
  const vitest = join(folder, "node_modules", "vitest", "vitest.mjs");
  const report = join(folder, "report.json");
  const args = [vitest, "run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const output = await promisify(execFile)(node, args, { cwd: folder, timeout: RUN_MS_MAX, maxBuffer: 64 << 20 }).then(
    ({ stdout, stderr }) => stdout + stderr,
    ({ stdout, stderr, message }: { stdout?: string; stderr?: string; message: string }) =>
      `${message}\n${stdout ?? ""}${stderr ?? ""}`,
  );
  const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(report, "utf8")) as {
    numPassedTests: number;
    numFailedTests: number;
    numPendingTests: number;
  };
  return { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests, files, output };
}

/** Test files that need the client alone: the server does not run on that Node. */
function clientTests(): string[] {
  return sourceFiles(TEST).filter((file) => {
    if (!/^unit\/.*\.test\.ts$/.test(file)) return false;
    const specifiers = withWhatTheyImport([file]).flatMap((each) => specifiersOf(each));
    const usesClient = specifiers.some((name) => name.includes("/client/src/") || name === "@tailkeep/client");
    return usesClient && specifiers.every(isThere);
  });
}

const THERE = ["vitest", "fast-check", "@grpc/grpc-js", "@tailkeep/client", "@tailkeep/proto"];

function isThere(specifier: string): boolean {
  if (specifier.startsWith(".")) return !specifier.includes("../server/") && !specifier.includes("../deploy/");
  return specifier.startsWith("node:") || THERE.includes(specifier);
}

/** The files, and the test files that they import, and so on. */
function withWhatTheyImport(files: readonly string[]): string[] {
  const found = new Set<string>();
  const visit = (file: string): void => {
    if (found.has(file)) return;
    found.add(file);
    for (const specifier of specifiersOf(file)) {
      if (!specifier.startsWith(".")) continue;
      const target = relative(TEST, resolve(TEST, dirname(file), specifier)).replace(/\.js$/, ".ts");
      if (!target.startsWith("..")) visit(target);
    }
  };
  for (const file of files) visit(file);
  return [...found];
}

let specifiers: Map<string, string[]> | undefined;

function specifiersOf(file: string): string[] {
  if (specifiers === undefined) {
    specifiers = new Map();
    for (const { from, specifier } of importsOf(TEST)) {
      const known = specifiers.get(from);
      if (known === undefined) specifiers.set(from, [specifier]);
      else known.push(specifier);
    }
  }
  return specifiers.get(file) ?? [];
}

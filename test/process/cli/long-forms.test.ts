// The commands for long runs say what they can do, and what they cannot.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..", "..", "..");
const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: Record<string, string> };
const LONG_FORMS = Object.entries(scripts).flatMap(([name, script]) => {
  const [, file] = /^node deploy\/local\/run\.js (test\/\S+)$/.exec(script) ?? [];
  return file === undefined ? [] : [{ name, file }];
});

function run(file: string, option: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const args = ["--import", join(ROOT, "deploy", "local", "resolve-typescript.js"), join(ROOT, file), option];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: ROOT }, (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), stdout, stderr });
    });
  });
}

test("there are six", () => {
  expect(LONG_FORMS.map(({ name }) => name).sort()).toEqual(["bench", "faults", "fuzz", "mutants", "overload", "sim"]);
});

test.each(LONG_FORMS)(
  "npm run $name has help, and names an option that it does not know",
  async ({ name, file }) => {
    const [help, unknown] = await Promise.all([run(file, "--help"), run(file, "--wat")]);
    expect(help).toMatchObject({ code: 0, stderr: "" });
    expect(help.stdout).toContain(`usage: npm run ${name} -- [options]`);
    expect(help.stdout.split("\n").filter((line) => line.startsWith("  --")).length).toBeGreaterThanOrEqual(2);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toBe(`${name}: Unknown option '--wat'; see: npm run ${name} -- --help\n`);
  },
  120_000,
);

// `node deploy/local/run.js FILE`: benchmarks and soaks are TypeScript that nothing compiles first.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

const HOOK = join(import.meta.dirname, "..", "..", "deploy", "local", "resolve-typescript.js");

test("imports written as TypeScript has them find the sources, and compiled files come first", () => {
  const folder = mkdtempSync(join(tmpdir(), "tailkeep-run-"));
  try {
    mkdirSync(join(folder, "sub"));
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    writeFileSync(
      join(folder, "main.ts"),
      'import { one } from "./sub/one.js";\nimport { two } from "./two.js";\nconsole.log(one satisfies string, two);\n',
    );
    writeFileSync(
      join(folder, "sub", "one.ts"),
      'import { two } from "../two.js";\nexport const one: string = "one+" + two;\n',
    );
    writeFileSync(join(folder, "two.ts"), 'export const two = "source";\n');
    writeFileSync(join(folder, "two.js"), 'export const two = "compiled";\n');
    const ran = spawnSync(process.execPath, ["--import", HOOK, join(folder, "main.ts")], { encoding: "utf8" });
    expect(ran).toMatchObject({ stdout: "one+compiled compiled\n", stderr: "", status: 0 });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

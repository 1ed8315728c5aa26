import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { runCommand } from "../../support/run-command.js";

const run = promisify(execFile);

const COMMANDS = [
  "serve",
  "import",
  "export",
  "tail",
  "doctor",
  "config",
  "demo",
  "completion",
  "backup",
  "restore",
  "migrate",
  "stats",
  "top",
];

async function hasShell(shell: string): Promise<boolean> {
  return await run(shell, ["-c", "exit 0"]).then(
    () => true,
    () => false,
  );
}

describe("bash", () => {
  /** What bash offers behind `tailkeep` and these words, the last of which is being typed. */
  async function offered(words: string[]): Promise<string[]> {
    const { stdout: script } = await runCommand(["completion", "bash"]);
    const file = join(tmpdir(), `tailkeep-completion-${process.pid}.bash`);
    const line = ["tailkeep", ...words].map((word) => `'${word}'`).join(" ");
    await writeFile(
      file,
      `${script}\nCOMP_WORDS=(${line}); COMP_CWORD=${words.length}; _tailkeep\nprintf '%s\\n' "\${COMPREPLY[@]}"\n`,
    );
    const { stdout, stderr } = await run("bash", ["--norc", file]);
    expect(stderr).toBe("");
    return stdout.split("\n").filter(Boolean);
  }

  test("completes commands, their options and the values of these", async (context) => {
    if (!(await hasShell("bash"))) return context.skip("no bash here");
    expect(await offered([""])).toEqual(expect.arrayContaining(COMMANDS));
    expect(await offered(["ex"])).toEqual(["export"]);
    expect(await offered(["export", "--form"])).toEqual(["--format"]);
    expect(await offered(["export", "--format", ""])).toEqual(["jsonl", "csv", "parquet"]);
    expect(await offered(["export", "--session", "run-1", "--s"])).toEqual(["--session", "--since", "--server"]);
    expect(await offered(["config", "s"])).toEqual(["show", "schema", "set"]);
    expect(await offered(["config", "set", "memoryLimits.s"])).toEqual([
      "memoryLimits.sessionHistory=",
      "memoryLimits.scoreHistory=",
    ]);
    expect(await offered(["config", "reset", "actionLimits.perG"])).toEqual(["actionLimits.perGame"]);
    expect(await offered(["config", "show", "--js"])).toEqual(["--json"]);
    expect(await offered(["completion", ""])).toEqual(expect.arrayContaining(["bash", "zsh", "fish"]));
    expect(await offered(["export", "out"])).toEqual([]);
  });
});

test.each(["zsh", "fish"])("%s gets a script that it can read, with every command", async (shell) => {
  const { code, stdout, stderr } = await runCommand(["completion", shell]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  for (const command of COMMANDS) expect(stdout).toContain(command);
  for (const option of ["follow", "oldest", "retention-days"]) expect(stdout).toContain(option);
  if (!(await hasShell(shell))) return;
  const file = join(tmpdir(), `tailkeep-completion-${process.pid}.${shell}`);
  await writeFile(file, stdout);
  await run(shell, ["-n", file]);
});

test("an unknown shell is wrong usage", async () => {
  expect(await runCommand(["completion", "tcsh"])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("bash, zsh, fish"),
  });
});

test("every command explains itself with an example", async () => {
  for (const command of [...COMMANDS, "config show", "config get", "config set", "config reset", "config history"]) {
    const { code, stdout, stderr } = await runCommand([...command.split(" "), "--help"]);
    expect({ command, code, stderr }).toEqual({ command, code: 0, stderr: "" });
    if (command !== "config show") expect(stdout).toMatch(new RegExp(`Examples:\\n.*tailkeep ${command}`));
  }
  expect(await runCommand([])).toMatchObject({ code: 2 });
  expect(await runCommand(["--version"])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
  });
  expect(await runCommand(["retain"])).toMatchObject({ code: 2, stderr: expect.stringContaining("unknown command") });
});

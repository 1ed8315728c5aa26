/** The `tailkeep` command in a process of its own. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";

const TAILKEEP = join(import.meta.dirname, "..", "..", "server", "bin", "tailkeep.js");

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function startCommand(
  args: readonly string[],
  { cwd, env }: CommandOptions = {},
): ChildProcessByStdio<null, Readable, Readable> {
  // Without the settings of whoever runs the tests.
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("TAILKEEP_")));
  return spawn(process.execPath, [TAILKEEP, ...args], {
    cwd,
    env: { ...own, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

export async function runCommand(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const child = startCommand(args, options);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code: child.exitCode, stdout, stderr };
}

/** Programs that a page or an example folder shows, run as a reader would run them. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const PROGRAM_MS_MAX = 60_000;

export interface ProgramRun {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a TypeScript file as it is. Rejects if it does not end well. */
export async function runProgram(
  file: string,
  cwd: string,
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): Promise<ProgramRun> {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith("TAILKEEP_") && name !== "NODE_OPTIONS");
  return await promisify(execFile)(process.execPath, [file, ...args], {
    cwd,
    env: { ...Object.fromEntries(own), ...env },
    timeout: PROGRAM_MS_MAX,
  });
}

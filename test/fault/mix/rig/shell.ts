/** The machine's own tools, run to their end. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);
/** mkfs on a busy machine took two seconds. */
const TOOL_MS_MAX = 20_000;

export async function run(command: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await execute(command, [...args], { timeout: TOOL_MS_MAX });
  return stdout;
}

export async function works(command: string, ...args: readonly string[]): Promise<boolean> {
  return await run(command, ...args).then(
    () => true,
    () => false,
  );
}

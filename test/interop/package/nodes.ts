/** The oldest Node that the client promises to run on, beside the one that runs the tests. */
import { execFile } from "node:child_process";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { cachedFolder } from "../../support/databases/cache-folder.js";
import { npm } from "./npm.js";

const run = promisify(execFile);
const VERSION = "20.20.2";

export type FoundNode = { readonly executable: string } | { readonly skipped: string };

/** The machine's own Node 20 if there is one, else one from npm, kept in the cache folder. */
export async function node20(): Promise<FoundNode> {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const executable = join(folder, "node");
    if (await isNode20(executable)) return { executable };
  }
  const name = `node-${process.platform}-${process.arch}`;
  try {
    const folder = await cachedFolder(`${name}-${VERSION}`, (target) => npm(target, "install", `${name}@${VERSION}`));
    const executable = join(folder, "node_modules", name, "bin", "node");
    if (await isNode20(executable)) return { executable };
    return { skipped: `${name}@${VERSION} does not run here` };
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim().split("\n")[0] || String(error);
    return { skipped: `there is no Node 20 on the PATH, and npm gave no ${name}@${VERSION}: ${said}` };
  }
}

async function isNode20(executable: string): Promise<boolean> {
  try {
    return (await run(executable, ["--version"])).stdout.startsWith("v20.");
  } catch {
    return false;
  }
}

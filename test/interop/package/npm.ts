/** npm in a folder of a test's own. */
import { execFile } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const NPM_MS_MAX = 300_000;
/** As a fresh checkout has it: no scripts are run; what npm has in its cache is not asked for again. */
const FLAGS = [
  "--ignore-scripts",
  "--no-audit",
  "--no-fund",
  "--no-package-lock",
  "--prefer-offline",
  "--loglevel=error",
  "--fetch-retries=1",
];

/** Runs an npm command in `folder`, which becomes an empty ESM package if it is none. Rejects with what npm wrote. */
export async function npm(folder: string, command: string, ...args: readonly string[]): Promise<void> {
  const manifest = join(folder, "package.json");
  if (!existsSync(manifest)) writeFileSync(manifest, '{ "name": "trainer", "private": true, "type": "module" }\n');
  await promisify(execFile)("npm", [command, ...FLAGS, ...args], {
    cwd: folder,
    env: foreignEnvironment(),
    timeout: NPM_MS_MAX,
  });
}

/** An npm that runs the tests tells its children about this checkout's package; the other one is none of it. */
function foreignEnvironment(): NodeJS.ProcessEnv {
  const isOurs = (name: string): boolean => /^npm_(package|lifecycle|config_local_prefix)|^TAILKEEP_/.test(name);
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isOurs(name)));
}

/** A Chromium: the one that is named or installed, else one that is fetched into the cache folder, else none. */
import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { type Browser, chromium } from "playwright-core";
import { cacheFolder } from "../databases/cache-folder.js";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
const INSTALLER = join(import.meta.dirname, "..", "..", "..", "node_modules", "playwright-core", "cli.js");
const INSTALL_MS_MAX = 240_000;

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function installed(): string | undefined {
  const named = process.env["TAILKEEP_TEST_BROWSER"];
  if (named) return named;
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram);
}

/** Undefined where there is none, and says once why and what to install. */
export async function launchBrowser(): Promise<Browser | undefined> {
  const executablePath = installed();
  // Containers run tests as root, where Chromium's own sandbox does not start; the pages are those of the test itself.
  const args = ["--no-sandbox"];
  try {
    if (executablePath !== undefined) return await chromium.launch({ executablePath, args });
    const folder = join(cacheFolder(), "browsers");
    process.env["PLAYWRIGHT_BROWSERS_PATH"] = folder;
    await promisify(execFile)(process.execPath, [INSTALLER, "install", "--only-shell", "chromium"], {
      timeout: INSTALL_MS_MAX,
    });
    return await chromium.launch({ args });
  } catch (error) {
    const [reason] = String(error instanceof Error ? error.message : error).split("\n");
    console.error(
      `browser tests are skipped: ${reason}; install Chromium (apt-get install chromium), or name one with TAILKEEP_TEST_BROWSER`,
    );
    return undefined;
  }
}

/** What was downloaded once for tests, kept between runs. */
import { randomBytes } from "node:crypto";
import { mkdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { exists } from "./installation.js";

export function cacheFolder(): string {
  return resolve(process.env["TAILKEEP_CACHE_DIR"] || join(homedir(), ".cache", "tailkeep"));
}

/**
 * The folder `name` of the cache, filled by `fill` if it is not there yet. It appears whole or not at all: it is filled
 * under another name, and of two processes that fill it at the same time the slower one discards its own.
 */
export async function cachedFolder(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(cacheFolder(), name);
  if (await exists(folder)) return folder;
  const unfinished = `${folder}.${randomBytes(4).toString("hex")}.unfinished`;
  await mkdir(unfinished, { recursive: true });
  try {
    await fill(unfinished);
    await rename(unfinished, folder).catch(async (error: unknown) => {
      if (!(await exists(folder))) throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return folder;
}

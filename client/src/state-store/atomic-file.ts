/** A file that is either as it was or as it is now to be, whatever happens in between. */

import { open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Begins the names of files that are being written. The owner's id follows, then a number. */
export const TEMPORARY_PREFIX = ".tmp-";

/** Windows refuses to replace a file that a virus scanner or a reader has open; it lets go in a moment. */
const RENAME_ATTEMPTS_MAX = 5;
const RENAME_WAIT_MS = 20;

let written = 0;

/**
 * @param durable Whether it must survive a crash of the machine: synced before it takes its name, its folder after
 * (Windows cannot sync a folder, and orders renames itself).
 */
export async function writeAtomically(path: string, text: string, owner: string, durable: boolean): Promise<void> {
  const temporary = join(dirname(path), `${TEMPORARY_PREFIX}${owner}-${++written}`);
  try {
    const file = await open(temporary, "wx");
    try {
      await file.writeFile(text);
      if (durable) await file.sync();
    } finally {
      await file.close();
    }
    await replace(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
  if (durable) await syncFolder(dirname(path));
}

/** The id of the owner that was writing this file; undefined for other files. */
export function ownerOfTemporary(file: string): string | undefined {
  if (!file.startsWith(TEMPORARY_PREFIX)) return undefined;
  return file.slice(TEMPORARY_PREFIX.length).split("-")[0];
}

export async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function replace(from: string, to: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await rename(from, to);
      return;
    } catch (error) {
      const code = errorCode(error);
      const isPassing = process.platform === "win32" && (code === "EPERM" || code === "EACCES" || code === "EBUSY");
      if (!isPassing || attempt >= RENAME_ATTEMPTS_MAX) throw error;
      await sleep(RENAME_WAIT_MS * attempt);
    }
  }
}

/** `ENOENT` and the like; an empty text for what is no error of the system. */
export function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/**
 * Takes over what dead processes left. Renaming a dead owner's folder into one's own elects one successor: the second one
 * finds nothing to rename. A successor that dies leaves the folders it took inside its own; they move up one level when it
 * is taken over itself, so that nothing is deeper than two for long.
 */

import fs from "node:fs";
import { join } from "node:path";
import { SPILL_UNFINISHED_MS_MIN } from "../limits.js";
import { type Disk, errorCode } from "./disk.js";
import { isOwnerFolder, isUnfinishedFolder, OWNER_FILES, type Owners } from "./owner.js";
import type { SpillProblems } from "./problems.js";

export interface AdoptSettings {
  readonly base: string;
  readonly disk: Disk;
  readonly owners: Owners;
  readonly problems: SpillProblems;
  /** This process's own folder, made when it is first asked for; undefined if it cannot be made. */
  readonly ownFolder: () => string | undefined;
  readonly isOwn: (name: string) => boolean;
}

/** Moves every dead owner's folder into the own one. Never rejects. */
export async function takeDeadFolders(settings: AdoptSettings): Promise<void> {
  const { base, problems, isOwn } = settings;
  for (const name of await foldersIn(settings.disk, base)) {
    if (isOwn(name)) continue;
    try {
      if (isUnfinishedFolder(name)) await removeUnfinished(settings.disk, join(base, name));
      else if (isOwnerFolder(name)) await takeIfDead(settings, name);
    } catch (error) {
      // Somebody else was faster, and that is all.
      if (errorCode(error) === "ENOENT") continue;
      problems.say(
        "SPILL_ADOPT_FAILED",
        `what a dead process spilled to ${join(base, name)} cannot be taken over (${String(error)}): give this user the ` +
          "right to rename it, and it is replayed by the next trainer that starts",
      );
    }
  }
}

async function takeIfDead(settings: AdoptSettings, name: string): Promise<void> {
  const { base, disk, problems, ownFolder } = settings;
  const folder = join(base, name);
  const liveness = await settings.owners.livenessOf(folder, name);
  if (liveness.is === "alive") return;
  if (liveness.is === "unknown") {
    problems.say(
      "SPILL_OWNER_UNKNOWN",
      `${folder} is left alone, because it cannot be told whether its owner lives: ${liveness.why}; if that one is gone, ` +
        "delete owner.json and owner.sock in it, and it is replayed",
    );
    return;
  }
  if ((await disk.list(folder)).every(({ name: file }) => OWNER_FILES.includes(file))) {
    await removeOwnerFolder(disk, folder);
    return;
  }
  const own = ownFolder();
  if (own !== undefined) await disk.rename(folder, join(own, name));
}

/** Brings folders inside the folders of `own`, however deep, up to the level of those. */
export async function flatten(disk: Disk, own: string): Promise<void> {
  const names = await foldersIn(disk, own);
  for (let name = names.pop(); name !== undefined; name = names.pop()) {
    if (!isOwnerFolder(name)) continue;
    for (const inner of await foldersIn(disk, join(own, name))) {
      if (!isOwnerFolder(inner)) continue;
      await disk.rename(join(own, name, inner), join(own, inner));
      names.push(inner);
    }
  }
}

/** Removes the signs of its owner, and the folder if nothing else is in it. */
export async function removeOwnerFolder(disk: Disk, folder: string): Promise<void> {
  for (const name of OWNER_FILES) {
    await disk.unlink(join(folder, name)).catch((error: unknown) => {
      if (errorCode(error) !== "ENOENT") throw error;
    });
  }
  await disk.removeFolder(folder).catch(() => undefined);
}

/** One that was never finished has no records. */
async function removeUnfinished(disk: Disk, folder: string): Promise<void> {
  const { mtimeMs } = await fs.promises.stat(folder);
  // The clock of the file system may be another one; a folder from the future waits for a later look.
  if (Date.now() - mtimeMs >= SPILL_UNFINISHED_MS_MIN) await removeOwnerFolder(disk, folder);
}

/** Folders, not links to folders; none if there is no such folder. */
export async function foldersIn(disk: Disk, path: string): Promise<string[]> {
  try {
    return (await disk.list(path)).filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
}

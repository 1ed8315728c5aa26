/**
 * A copy of the embedded store while its server writes.
 *
 * All of it is read in one read transaction, so the copy is the store at one moment, however long it takes; the server
 * goes on writing beside it. Until the end the pages that the server writes stay in its WAL file, which grows as long.
 */
import { chmodSync, closeSync, existsSync, fsyncSync, linkSync, openSync, rmSync, statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { type Contents, contentsOf, verifyStore } from "./verify.js";

/** Pages copied at once: 4 MiB, some milliseconds. */
const PAGES_A_STEP = 1_024;

/** Only its owner may read what trainers recorded. */
const FILE_MODE = 0o600;

export interface BackedUp {
  readonly bytes: number;
  readonly contents: Contents;
}

/** @param fraction what is copied; undefined while the copy is checked */
export type BackupProgress = (fraction: number | undefined) => void;

/** @throws Error in words, and then there is no file named `target` that was not there before */
export async function backUp(source: string, target: string, progress: BackupProgress): Promise<BackedUp> {
  if (!existsSync(source)) throw new Error(`${source}: no such file; name the store with --store sqlite:FILE`);
  if (existsSync(target)) throw new Error(`${target} is there already, and is not overwritten; name another file`);
  refuseFullDisk(source, target);
  const unfinished = `${target}.unfinished`;
  removeStore(unfinished);
  closeSync(openSync(unfinished, "wx", FILE_MODE));
  try {
    const held = await copy(source, unfinished, progress);
    makeSingleFile(unfinished);
    progress(undefined);
    const { contents, problems } = verifyStore(unfinished);
    if (problems.length > 0) throw new Error(`the copy is not sound: ${problems.join("; ")}`);
    if (JSON.stringify(contents) !== JSON.stringify(held)) throw new Error("the copy has other records than the store");
    chmodSync(unfinished, FILE_MODE);
    sync(unfinished);
    // Unlike a renaming, this fails where somebody else has made the file in the meantime.
    linkSync(unfinished, target);
    sync(dirname(target));
    return { bytes: statSync(target).size, contents };
  } finally {
    removeStore(unfinished);
  }
}

async function copy(source: string, unfinished: string, progress: BackupProgress): Promise<Contents> {
  const db = new DatabaseSync(source, { readOnly: true });
  try {
    // Without it the copy would begin anew at each of the server's commits.
    db.exec("BEGIN");
    const contents = contentsOf(db);
    await backup(db, unfinished, {
      rate: PAGES_A_STEP,
      progress: ({ totalPages, remainingPages }) => progress(1 - remainingPages / totalPages),
    });
    db.exec("COMMIT");
    return contents;
  } finally {
    db.close();
  }
}

/** The copy of a store says that it has a WAL file beside it. One file is easier to carry about. */
function makeSingleFile(file: string): void {
  const db = new DatabaseSync(file);
  try {
    db.exec("PRAGMA journal_mode=DELETE");
  } finally {
    db.close();
  }
}

function refuseFullDisk(source: string, target: string): void {
  const { bavail, bsize } = statfsSync(dirname(target));
  const needed = statSync(source).size;
  if (bavail * bsize < needed) {
    throw new Error(
      `${dirname(target)} has ${bavail * bsize} bytes free, the store has ${needed}; name another folder`,
    );
  }
}

export function removeStore(file: string): void {
  for (const end of ["", "-wal", "-shm", "-journal"]) rmSync(`${file}${end}`, { force: true });
}

/** Until it is on disk. */
export function sync(path: string): void {
  const handle = openSync(path, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

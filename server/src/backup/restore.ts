/**
 * Puts a backup in the place of the embedded store, whose server must not run. What was there is kept beside it.
 *
 * Killed at any moment, the store's name leads to the old store or to the new one, so a server that starts then makes no
 * empty one:
 *
 * 1. What the WAL file of the old store has is brought into the old store itself, which is whole without it then.
 * 2. The old store gets its second name. A run that is killed here leaves it under both; another run adds a third.
 * 3. WAL, index and journal files that are still there go to that name too. SQLite takes a WAL file or a journal for that
 *    of whatever file has the name, and would write the old pages over the new ones. Only a store that cannot be read
 *    needs them, and that one no server takes, with or without them.
 * 4. The new store takes the name in one step, once all of this is on disk.
 *
 * Writers that go on afterwards may have been told of records that the backup does not have. They say how far they were
 * when they open their streams again, and the server declares the numbers between as lost (store_regressed).
 */
import { chmodSync, copyFileSync, existsSync, linkSync, renameSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { SQLITE_BUSY_TIMEOUT_MS } from "../limits.js";
import { sqliteError } from "../store/sqlite/errors.js";
import { lockFile, lockOfServer } from "../store/sqlite/file-lock.js";
import { removeStore, sync } from "./back-up.js";
import { type Contents, verifyStore } from "./verify.js";

export interface Restored {
  readonly contents: Contents;
  /** Where the store that was there is now; undefined where there was none. */
  readonly replaced: string | undefined;
  /** Files beside a store that was moved away without them, under their new names. */
  readonly leftovers: readonly string[];
  /** What the replaced store had committed and the backup has not; undefined where it cannot be read. */
  readonly regression: Regression | undefined;
}

export interface Regression {
  /** Streams that go on at a lower number, or that the backup does not know. */
  readonly streams: number;
  /** Sum of the numbers between. */
  readonly records: number;
}

const NONE: Regression = { streams: 0, records: 0 };

/** What SQLite keeps beside a store that was not closed. */
const SIDE_FILES = ["-wal", "-shm", "-journal"] as const;

/** @throws Error in words; the store is as it was then. @param suffix what tells the replaced file from others */
export function restore(backupFile: string, store: string, suffix: string): Restored {
  if (!existsSync(backupFile)) throw new Error(`${backupFile}: no such file`);
  const { contents, problems } = verifyStore(backupFile);
  if (problems.length > 0) throw new Error(`${backupFile} is not sound: ${problems.join("; ")}`);
  const remedy = `a server has ${store} open; stop it, and restore then`;
  const lock = lockFile(lockOfServer(store), remedy);
  const incoming = `${store}.restoring`;
  try {
    removeStore(incoming);
    copyFileSync(backupFile, incoming);
    chmodSync(incoming, 0o600);
    sync(incoming);
    const replaced = `${store}.replaced-${suffix}`;
    for (const end of ["", ...SIDE_FILES])
      if (existsSync(`${replaced}${end}`)) throw new Error(`${replaced}${end} is there already; move it away`);
    const isThere = existsSync(store);
    const regression = isThere ? settleOld(store, incoming) : NONE;
    if (isThere) nameToo(store, replaced);
    const leftovers = moveSideFiles(store, replaced);
    sync(dirname(store));
    renameSync(incoming, store);
    sync(dirname(store));
    return isThere
      ? { contents, replaced, leftovers: [], regression }
      : { contents, replaced: undefined, leftovers, regression };
  } finally {
    removeStore(incoming);
    lock.release();
  }
}

/** Gives the old store a second name. Where there are no links it only changes its name, and for a moment none is there. */
function nameToo(store: string, replaced: string): void {
  try {
    linkSync(store, replaced);
  } catch {
    renameSync(store, replaced);
  }
}

function moveSideFiles(store: string, replaced: string): string[] {
  const found = SIDE_FILES.filter((end) => existsSync(`${store}${end}`));
  return found.map((end) => {
    renameSync(`${store}${end}`, `${replaced}${end}`);
    return `${replaced}${end}`;
  });
}

/** A store with one of these is why people restore; with any other it may be sound, and needs what its WAL file has. */
const UNREADABLE: readonly string[] = ["SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_IOERR"];

/**
 * Brings the WAL file of the old store into it, and compares the two.
 * @throws Error in words where the old store can be read and would lose what its WAL file has
 */
function settleOld(store: string, incoming: string): Regression | undefined {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(store, { timeout: SQLITE_BUSY_TIMEOUT_MS });
    if (db.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get()?.["busy"] === 1) {
      throw new Error(`somebody reads ${store}; let that end, and restore then`);
    }
    return regressionOf(db, incoming);
  } catch (error) {
    const { code, message } = sqliteError(error);
    if (UNREADABLE.includes(code)) return undefined;
    if (code === "UNKNOWN") throw error;
    const remedy = `correct that, or move ${store} away with its -wal, -shm and -journal files`;
    throw new Error(`${store} cannot be brought to rest before it is replaced (${code}: ${message}); ${remedy}`, {
      cause: error,
    });
  } finally {
    db?.close();
  }
}

function regressionOf(db: DatabaseSync, incoming: string): Regression | undefined {
  try {
    db.prepare("ATTACH ? AS incoming").run(incoming);
    const row = db
      .prepare(
        `SELECT COUNT(*) AS streams, COALESCE(SUM(o.committed_seq - COALESCE(n.committed_seq, 0)), 0) AS records
         FROM main.streams o LEFT JOIN incoming.streams n ON n.stream = o.stream
         WHERE o.committed_seq > COALESCE(n.committed_seq, 0)`,
      )
      .get();
    return { streams: Number(row?.["streams"]), records: Number(row?.["records"]) };
  } catch {
    // Torn further in, or none of Tailkeep's.
    return undefined;
  }
}

/**
 * Puts a backup in the place of the embedded store, whose server must not run. What was there is kept beside it.
 *
 * Writers that go on afterwards may have been told of records that the backup does not have. They say how far they were
 * when they open their streams again, and the server declares the numbers between as lost (store_regressed).
 */
import { chmodSync, copyFileSync, existsSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { lockFile, lockOfServer } from "../store/sqlite/file-lock.js";
import { removeStore, sync } from "./back-up.js";
import { type Contents, verifyStore } from "./verify.js";

export interface Restored {
  readonly contents: Contents;
  /** Where the store that was there is now; undefined where there was none. */
  readonly replaced: string | undefined;
  /** What the replaced store had committed and the backup has not; undefined where it cannot be read. */
  readonly regression: Regression | undefined;
}

export interface Regression {
  /** Streams that go on at a lower number, or that the backup does not know. */
  readonly streams: number;
  /** Sum of the numbers between. */
  readonly records: number;
}

/** @throws Error in words; the store is as it was then. @param suffix what tells the replaced file from others */
export function restore(backupFile: string, store: string, suffix: string): Restored {
  if (!existsSync(backupFile)) throw new Error(`${backupFile}: no such file`);
  const { contents, problems } = verifyStore(backupFile);
  if (problems.length > 0) throw new Error(`${backupFile} is not sound: ${problems.join("; ")}`);
  const remedy = `a server has ${store} open; stop it, and restore then`;
  const lock = lockFile(lockOfServer(store), remedy);
  try {
    const incoming = `${store}.restoring`;
    removeStore(incoming);
    copyFileSync(backupFile, incoming);
    chmodSync(incoming, 0o600);
    sync(incoming);
    if (!existsSync(store)) {
      renameSync(incoming, store);
      sync(dirname(store));
      return { contents, replaced: undefined, regression: { streams: 0, records: 0 } };
    }
    const regression = settleOld(store, incoming);
    const replaced = `${store}.replaced-${suffix}`;
    if (existsSync(replaced)) throw new Error(`${replaced} is there already; move it away`);
    // A WAL file that could not be settled belongs to what it was written for.
    for (const end of ["-wal", "-shm"])
      if (existsSync(`${store}${end}`)) renameSync(`${store}${end}`, `${replaced}${end}`);
    renameSync(store, replaced);
    renameSync(incoming, store);
    sync(dirname(store));
    rmSync(`${store}-journal`, { force: true });
    return { contents, replaced, regression };
  } finally {
    lock.release();
  }
}

/** Brings the WAL file of the old store into it, and compares the two. */
function settleOld(store: string, incoming: string): Regression | undefined {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(store);
    db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
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
    // A store that cannot be read is why people restore.
    return undefined;
  } finally {
    db?.close();
  }
}

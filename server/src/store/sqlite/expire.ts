/** Expiry on SQLite: slices of one table, and of the file. Run in the writer's thread, between other transactions. */
import type { DatabaseSync } from "node:sqlite";
import { EXPIRY_SLICE_PAGES, EXPIRY_SLICE_ROWS, FREE_PAGES_KEPT_SHARE } from "../../limits.js";
import type { Move } from "../pins.js";

/** Deletes some rows of a table that expire before `day`; returns how many. */
export function expireSlice(db: DatabaseSync, table: string, day: string): number {
  const some = `SELECT rowid FROM ${table} WHERE expires_on < ? ORDER BY expires_on LIMIT ${EXPIRY_SLICE_ROWS}`;
  return Number(db.prepare(`DELETE FROM ${table} WHERE rowid IN (${some})`).run(day).changes);
}

/** Gives some rows of a pinned or unpinned session another day; returns how many. */
export function movePinSlice(db: DatabaseSync, { namespace, sessionId, table, where, to }: Move): number {
  const some = `SELECT rowid FROM ${table} WHERE ${where} AND namespace_id = ? AND session_id = ? LIMIT ${EXPIRY_SLICE_ROWS}`;
  const move = db.prepare(`UPDATE ${table} SET expires_on = ? WHERE rowid IN (${some})`);
  return Number(move.run(to, namespace, sessionId).changes);
}

/** Gives some of the file's free pages back; false where what is free is worth keeping for rows to come. */
export function giveBackSlice(db: DatabaseSync): boolean {
  const pragma = (name: string) => Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
  if (pragma("auto_vacuum") !== INCREMENTAL) return false;
  if (pragma("freelist_count") <= pragma("page_count") * FREE_PAGES_KEPT_SHARE) return false;
  db.exec(`PRAGMA incremental_vacuum(${EXPIRY_SLICE_PAGES})`);
  return true;
}

const INCREMENTAL = 2;

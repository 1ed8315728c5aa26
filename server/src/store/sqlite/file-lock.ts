/**
 * One user of a file at a time: an exclusive transaction in a database beside it, which SQLite's own file locks end with
 * the process, whatever it dies of.
 */
import { DatabaseSync } from "node:sqlite";
import { StoreError } from "../errors.js";
import { sqliteError } from "./errors.js";

export interface FileLock {
  release(): void;
}

/** @param remedy what the error says where somebody has it. @throws StoreError with the code SECOND_SERVER */
export function lockFile(lockName: string, remedy: string): FileLock {
  const lock = new DatabaseSync(lockName);
  try {
    lock.exec("PRAGMA journal_mode=MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    if (sqliteError(error).code !== "SQLITE_BUSY") throw error;
    throw new StoreError("misconfigured", remedy, "SECOND_SERVER", { cause: error });
  }
  return { release: () => lock.close() };
}

/** The lock that a server holds for as long as it lives. */
export function lockOfServer(file: string): string {
  return `${file}-lock`;
}

/** Which error of node:sqlite means what. Codes are SQLite's extended result codes. */
import { StoreError, type StoreErrorKind } from "../errors.js";

/** Primary result codes (https://www.sqlite.org/rescode.html) that are not simply "refused, try again". */
const KINDS: Record<number, [StoreErrorKind, string]> = {
  5: ["contention", "SQLITE_BUSY"],
  6: ["contention", "SQLITE_LOCKED"],
  8: ["refused", "SQLITE_READONLY"],
  10: ["refused", "SQLITE_IOERR"],
  11: ["misconfigured", "SQLITE_CORRUPT"],
  13: ["refused", "SQLITE_FULL"],
  14: ["unavailable", "SQLITE_CANTOPEN"],
  18: ["poison", "SQLITE_TOOBIG"],
  19: ["poison", "SQLITE_CONSTRAINT"],
  20: ["poison", "SQLITE_MISMATCH"],
  26: ["misconfigured", "SQLITE_NOTADB"],
};

/** SQLITE_CONSTRAINT_PRIMARYKEY and SQLITE_CONSTRAINT_UNIQUE. */
const DUPLICATE_CODES = new Set([1555, 2067]);

export function sqliteError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const extended = (error as { errcode?: unknown }).errcode;
  if (typeof extended !== "number") return new StoreError("refused", message, "UNKNOWN", { cause: error });
  if (DUPLICATE_CODES.has(extended)) return new StoreError("duplicate", message, "SQLITE_CONSTRAINT_UNIQUE");
  const [kind, code] = KINDS[extended & 0xff] ?? ["refused", `SQLITE_${extended}`];
  return new StoreError(kind, message, code, { cause: error });
}

/** Which error of MySQL, MariaDB or the driver means what. */
import { StoreError, type StoreErrorKind } from "../errors.js";

/** Server errors by number. What is not listed is "refused": tried again, and said in the log. */
const KINDS = new Map<number, StoreErrorKind>();
const list = (kind: StoreErrorKind, ...numbers: number[]) => {
  for (const number of numbers) KINDS.set(number, kind);
};

// Lock wait timeout, deadlock (and Galera's certification failure), lock not available at once.
list("contention", 1205, 1213, 3572);
// Read-only: a machine that was demoted keeps its connections and answers every question, while new connections go to the
// one that was promoted in its place.
list("unavailable", 1290, 1836);
// Row exists already.
list("duplicate", 1062);
// Too many connections, server shutdown, host blocked, user's connections used up, Galera node not ready, connection
// killed, query interrupted, server gone.
list("unavailable", 1040, 1047, 1053, 1077, 1078, 1079, 1129, 1203, 1226, 1317, 1927, 2006, 2013, 3169);
// Column cannot be null, data truncated, out of range, wrong value, too long, bad string, wrong value for column, invalid
// date, trigger's signal, row too large for the page, invalid JSON, check constraint (MySQL, MariaDB), bad conversion.
list("poison", 1048, 1264, 1265, 1292, 1300, 1366, 1367, 1406, 1411, 1441, 1525, 1644, 139, 3140, 3819, 4025, 3854);
// Access denied, unknown database, command denied, unknown user.
list("misconfigured", 1044, 1045, 1049, 1142, 1143, 1227, 1698);

/** Errors of the driver and the network, all of which end the connection. */
const LOST = new Set([
  "PROTOCOL_CONNECTION_LOST",
  "PROTOCOL_SEQUENCE_TIMEOUT",
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EPIPE",
  "ETIMEDOUT",
  "ENOENT",
]);

interface DriverError {
  errno?: number;
  code?: string;
  fatal?: boolean;
}

/** Whether the connection cannot be used any more. */
export function endsConnection(error: unknown): boolean {
  const { code, fatal } = error as DriverError;
  return fatal === true || (code !== undefined && LOST.has(code)) || mysqlError(error).kind === "unavailable";
}

export function mysqlError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const { errno, code, fatal } = error as DriverError;
  const message = error instanceof Error ? error.message : String(error);
  const name = code ?? "UNKNOWN";
  if (LOST.has(name)) return new StoreError("unavailable", message || name, name, { cause: error });
  const kind = KINDS.get(errno ?? 0) ?? (fatal === true ? "unavailable" : "refused");
  return new StoreError(kind, message, name, { cause: error });
}

/**
 * What a read of no table fails with. It waits for no lock, so a lock wait is what a Galera node says that has lost the
 * majority of its cluster; to everything else that is a passing conflict.
 */
export function pingError(error: unknown): StoreError {
  const asked = mysqlError(error);
  if (asked.code !== "ER_LOCK_WAIT_TIMEOUT") return asked;
  const message = "the database node has lost the majority of its cluster; bring the other nodes back";
  return new StoreError("unavailable", message, "NODE_CUT_OFF", { cause: error });
}

/**
 * The whole table of who may call what. A method that is not in it is refused, and a test asks every service for its
 * methods.
 */
export const ROLES = ["write", "read", "admin"] as const;

/** `write`: what a trainer needs. `read`: what a person at a dashboard needs. `admin`: everything, in its namespace. */
export type Role = (typeof ROLES)[number];

/** Open: no key is asked for. Else the roles that permit it, besides admin. */
type Permission = "open" | readonly Exclude<Role, "admin">[];

const WRITE: Permission = ["write"];
const READ: Permission = ["read"];
const BOTH: Permission = ["write", "read"];
const ADMIN_ONLY: Permission = [];

export const PERMISSIONS: Readonly<Record<string, Permission>> = {
  "/tailkeep.v1.IngestService/Ingest": WRITE,
  "/tailkeep.v1.IngestService/WriteRecords": WRITE,

  // A trainer's containers read back what left memory, and its recorder names and ends its session.
  "/tailkeep.v1.HistoryService/GetSession": BOTH,
  "/tailkeep.v1.HistoryService/UpdateSession": WRITE,
  "/tailkeep.v1.HistoryService/ListRecords": BOTH,
  "/tailkeep.v1.HistoryService/TailRecords": BOTH,
  "/tailkeep.v1.HistoryService/ListSessions": READ,
  "/tailkeep.v1.HistoryService/WatchRecords": READ,
  "/tailkeep.v1.HistoryService/GetStatistics": READ,
  "/tailkeep.v1.HistoryService/ListSeries": READ,
  "/tailkeep.v1.HistoryService/GetSeries": READ,
  "/tailkeep.v1.HistoryService/DeleteSession": ADMIN_ONLY,

  "/tailkeep.v1.StateService/PutState": WRITE,
  "/tailkeep.v1.StateService/DeleteState": WRITE,
  "/tailkeep.v1.StateService/GetState": BOTH,
  "/tailkeep.v1.StateService/ListStates": BOTH,

  // Trainers follow the limits.
  "/tailkeep.v1.ConfigService/GetConfig": BOTH,
  "/tailkeep.v1.ConfigService/WatchConfig": BOTH,
  "/tailkeep.v1.ConfigService/ListConfigChanges": READ,
  "/tailkeep.v1.ConfigService/UpdateConfig": ADMIN_ONLY,

  "/tailkeep.v1.AdminService/ListGaps": READ,
  "/tailkeep.v1.AdminService/ListDeadLetters": READ,
  "/tailkeep.v1.AdminService/GetLedger": READ,
  "/tailkeep.v1.AdminService/GetRetention": READ,
  "/tailkeep.v1.AdminService/ConfirmStoringDay": ADMIN_ONLY,
  "/tailkeep.v1.AdminService/CreateKey": ADMIN_ONLY,
  "/tailkeep.v1.AdminService/ListKeys": ADMIN_ONLY,
  "/tailkeep.v1.AdminService/RotateKey": ADMIN_ONLY,
  "/tailkeep.v1.AdminService/RevokeKey": ADMIN_ONLY,

  // What a load balancer asks, which has no key.
  "/grpc.health.v1.Health/Check": "open",
  "/grpc.health.v1.Health/List": "open",
  "/grpc.health.v1.Health/Watch": "open",
  "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo": READ,
  "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": READ,
};

export function isOpen(path: string): boolean {
  return PERMISSIONS[path] === "open";
}

export function permits(roles: readonly Role[], path: string): boolean {
  const permission = Object.hasOwn(PERMISSIONS, path) ? PERMISSIONS[path] : undefined;
  if (permission === undefined) return false;
  return permission === "open" || roles.includes("admin") || permission.some((role) => roles.includes(role));
}

/** The roles that permit a method, as its caller is told. */
export function rolesFor(path: string): string {
  const permission = PERMISSIONS[path];
  return [...(permission === undefined || permission === "open" ? [] : permission), "admin"].join(" or ");
}

/** Of the stored text; what this server does not know permits nothing. */
export function rolesOf(text: string): Role[] {
  const named = text.split(",");
  return ROLES.filter((role) => named.includes(role));
}

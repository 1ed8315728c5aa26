// Who may call what: every method of every service has its line in the table.

import * as proto from "@tailkeep/proto";
import { PERMISSIONS, permits, rolesFor, rolesOf } from "@tailkeep/server/dist/access/permissions.js";
import { service as healthService } from "grpc-health-check";
import { expect, test } from "vitest";

/** Of everything that the package of protos exports under a service's name. */
function methodsOf(exported: Record<string, unknown>): string[] {
  return Object.entries(exported)
    .filter(([name]) => name.endsWith("ServiceService"))
    .flatMap(([, definition]) => Object.values(definition as Record<string, { path: string }>))
    .map(({ path }) => path);
}

test("every method of every service is in the table, and the table has no other", () => {
  const own = methodsOf(proto);
  expect(own.length).toBeGreaterThan(20);
  const others = [
    ...Object.values(healthService).map(({ path }) => path),
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
  ];
  expect(Object.keys(PERMISSIONS).sort()).toEqual([...own, ...others].sort());
});

test("only health is open", () => {
  const open = Object.entries(PERMISSIONS).filter(([, permission]) => permission === "open");
  for (const [path] of open) expect(path).toMatch(/^\/grpc\.health\.v1\./);
});

test("a method that is not in the table is permitted to nobody", () => {
  for (const path of ["/tailkeep.v1.AdminService/Unheard", "constructor", "__proto__"]) {
    expect(permits(["write", "read", "admin"], path)).toBe(false);
  }
});

test("admin may everything; no role may nothing but what is open", () => {
  for (const [path, permission] of Object.entries(PERMISSIONS)) {
    expect(permits(["admin"], path)).toBe(true);
    expect(permits([], path)).toBe(permission === "open");
  }
});

test("deleting, configuring, keys and the storing day are an admin's alone", () => {
  const alone = Object.keys(PERMISSIONS).filter((path) => !permits(["write", "read"], path));
  const names = alone.map((path) => path.split("/")[2] ?? "");
  expect(names.sort()).toEqual(
    "ConfirmStoringDay CreateKey DeleteSession ListKeys RevokeKey RotateKey UpdateConfig".split(" "),
  );
  expect(rolesFor("/tailkeep.v1.HistoryService/GetSession")).toBe("write or read or admin");
});

test("stored roles that this server does not know permit nothing", () => {
  expect(rolesOf("write,owner,ADMIN, admin")).toEqual(["write"]);
});

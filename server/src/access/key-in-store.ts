/**
 * Makes a key straight in the store, beside a server that may be running. Whoever can do this can do everything to the
 * database anyway, so it needs no key: it is how a closed door gets its first one.
 */
import { CreateKeyRequest, KeyRole } from "@tailkeep/proto";
import { systemClock } from "../base/clock.js";
import { StoreError } from "../store/errors.js";
import { fileOf, openStore, type StoreSettings } from "../store/open-store.js";
import { insertKeyBeside } from "../store/sqlite/api-keys.js";
import { keyForNamespace } from "./keys-service.js";
import type { Role } from "./permissions.js";

export interface KeyWanted {
  readonly namespace: string;
  readonly name: string;
  readonly roles: readonly Role[];
  readonly expiresAtUs: number | undefined;
  readonly streamsMax: number | undefined;
  readonly recordsPerSecondMax: number | undefined;
  readonly bytesPerSecondMax: number | undefined;
}

const ROLES: Record<Role, KeyRole> = { write: KeyRole.WRITE, read: KeyRole.READ, admin: KeyRole.ADMIN };

const big = (value: number | undefined) => (value === undefined ? undefined : BigInt(value));

/** @throws StoreError, RpcError where a field is not good */
export async function makeKeyInStore(
  settings: StoreSettings,
  wanted: KeyWanted,
): Promise<{ keyId: string; createdAtUs: number; secret: string }> {
  const request = CreateKeyRequest.create({
    name: wanted.name,
    roles: wanted.roles.map((role) => ROLES[role]),
    expiresAtUs: big(wanted.expiresAtUs),
    limits: {
      streamsMax: wanted.streamsMax,
      recordsPerSecondMax: big(wanted.recordsPerSecondMax),
      bytesPerSecondMax: big(wanted.bytesPerSecondMax),
    },
  });
  const { row, token } = keyForNamespace(wanted.namespace, request, systemClock.nowUs());
  const store = openStore(settings);
  try {
    await store.start();
    await store.keys.insert(row);
  } catch (error) {
    const file = fileOf(settings.store);
    const isHeld = error instanceof StoreError && error.code === "SECOND_SERVER";
    if (file === undefined || !isHeld) throw error;
    insertKeyBeside(file, row);
  } finally {
    await store.close();
  }
  return { keyId: row.keyId, createdAtUs: row.createdAtUs, secret: token };
}

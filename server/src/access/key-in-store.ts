/**
 * Makes a key straight in the store, beside a server that may be running. Whoever can do this can do everything to the
 * database anyway, so it needs no key: it is how a closed door gets its first one.
 */
import { CreateKeyRequest, KeyRole } from "@tailkeep/proto";
import { systemClock } from "../base/clock.js";
import { StoreError } from "../store/errors.js";
import { otherSchema } from "../store/moved.js";
import { fileOf, inspectStore, openStore, type StoreSettings } from "../store/open-store.js";
import { SCHEMA_VERSION } from "../store/schema.js";
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
  await refuseOlderSchema(settings);
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

/**
 * Starting a store brings its schema up to date. A file that nobody has open may have that; on a database server older
 * servers may be at work, which would not start again. Where there is no schema yet there are none.
 */
async function refuseOlderSchema({ store }: StoreSettings): Promise<void> {
  if (fileOf(store) !== undefined) return;
  const found = await inspectStore(store);
  if (found.kind !== "inspected" || found.schemaVersion === 0 || found.schemaVersion >= SCHEMA_VERSION) return;
  throw otherSchema("the database", found.schemaVersion);
}

/** CreateKey, ListKeys, RotateKey and RevokeKey, which AdminService has among its methods. */
import {
  type ApiKey,
  CreateKeyRequest,
  type CreateKeyResponse,
  KeyRole,
  ListKeysRequest,
  type ListKeysResponse,
  RevokeKeyRequest,
  RotateKeyRequest,
  type RotateKeyResponse,
} from "@tailkeep/proto";
import type { Clock } from "../base/clock.js";
import {
  ID_CHARS_MAX,
  KEY_NAME_CHARS_MAX,
  KEYS_LIVE_MAX,
  OPEN_STREAMS_MAX,
  PAGE_SIZE_DEFAULT,
  PAGE_SIZE_MAX,
  ROTATION_GRACE_SECONDS_DEFAULT,
  ROTATION_GRACE_SECONDS_MAX,
  SAFE_INTEGER_MAX,
} from "../limits.js";
import { idProblem, shortTextProblem } from "../record/text.js";
import { badField, RpcError } from "../rpc/errors.js";
import { decodePageToken, encodePageToken, pageSize } from "../rpc/page-token.js";
import { type Gate, unary } from "../rpc/unary.js";
import type { KeyRow } from "../store/api-keys.js";
import type { Store } from "../store/store.js";
import type { KeyDirectory } from "./key-directory.js";
import { limitsOf } from "./key-quota.js";
import { type Role, rolesOf } from "./permissions.js";
import { isKeyId, newKeyId, newSecret } from "./secret.js";

export interface KeysContext {
  store: Store;
  clock: Clock;
  keys: KeyDirectory;
}

const ROLE_OF = new Map<KeyRole, Role>([
  [KeyRole.WRITE, "write"],
  [KeyRole.READ, "read"],
  [KeyRole.ADMIN, "admin"],
]);

function roleMessage(role: Role): KeyRole {
  const found = [...ROLE_OF].find(([, name]) => name === role);
  return found?.[0] ?? KeyRole.UNSPECIFIED;
}

const optional = (value: number | null): bigint | undefined => (value === null ? undefined : BigInt(value));

function message(row: KeyRow, nowUs: number): ApiKey {
  const { streamsMax, recordsPerSecondMax, bytesPerSecondMax } = limitsOf(row);
  const isOver = row.previousUntilUs !== null && row.previousUntilUs <= nowUs;
  return {
    keyId: row.keyId,
    name: row.name,
    namespace: row.namespace,
    roles: rolesOf(row.roles).map(roleMessage),
    limits: {
      streamsMax,
      recordsPerSecondMax: BigInt(recordsPerSecondMax),
      bytesPerSecondMax: BigInt(bytesPerSecondMax),
    },
    createdAtUs: BigInt(row.createdAtUs),
    expiresAtUs: optional(row.expiresAtUs),
    revokedAtUs: optional(row.revokedAtUs),
    previousUntilUs: isOver ? undefined : optional(row.previousUntilUs),
  };
}

function between(field: string, value: bigint | number | undefined, least: number, most: number): number | null {
  if (value === undefined) return null;
  if (value >= least && value <= most) return Number(value);
  throw badField(field, `is ${value}; use a whole number from ${least} to ${most}`);
}

function requestedRoles(roles: readonly KeyRole[]): string {
  const names = roles.map((role) => {
    const name = ROLE_OF.get(role);
    if (name === undefined) throw badField("roles", `${role} is not a role; use WRITE, READ or ADMIN`);
    return name;
  });
  if (names.length === 0) throw badField("roles", "is empty; name WRITE, READ or ADMIN");
  return rolesOf(names.join(",")).join(",");
}

function newRow(namespace: string, request: CreateKeyRequest, nowUs: number): { row: KeyRow; token: string } {
  const problem = shortTextProblem(request.name, KEY_NAME_CHARS_MAX);
  if (problem !== undefined) throw badField("name", problem);
  const expiresAtUs = between("expires_at_us", request.expiresAtUs, 0, SAFE_INTEGER_MAX);
  if (expiresAtUs !== null && expiresAtUs <= nowUs) throw badField("expires_at_us", "is not in the future");
  const limits = request.limits;
  const keyId = newKeyId();
  const { token, hash } = newSecret(keyId);
  const row: KeyRow = {
    keyId,
    namespace,
    name: request.name,
    roles: requestedRoles(request.roles),
    secretHash: hash,
    previousHash: null,
    previousUntilUs: null,
    createdAtUs: nowUs,
    expiresAtUs,
    revokedAtUs: null,
    streamsMax: between("limits.streams_max", limits?.streamsMax, 1, OPEN_STREAMS_MAX),
    recordsPerSecondMax: between("limits.records_per_second_max", limits?.recordsPerSecondMax, 1, SAFE_INTEGER_MAX),
    bytesPerSecondMax: between("limits.bytes_per_second_max", limits?.bytesPerSecondMax, 1, SAFE_INTEGER_MAX),
  };
  return { row, token };
}

/**
 * Makes a key in a namespace that the maker names: for those who can write to the database itself.
 * @throws RpcError where a field is not good
 */
export function keyForNamespace(
  namespace: string,
  request: CreateKeyRequest,
  nowUs: number,
): { row: KeyRow; token: string; key: ApiKey } {
  const problem = idProblem(namespace, ID_CHARS_MAX);
  if (problem !== undefined) throw badField("namespace", problem);
  const made = newRow(namespace, request, nowUs);
  return { ...made, key: message(made.row, nowUs) };
}

/** Quotes ids alone: whoever takes a key's secret for its id must not find it in the logs of the client. */
function notFound(keyId: string): RpcError {
  const found = isKeyId(keyId)
    ? `there is no live key ${keyId}`
    : "is not an id of a key; use the part between the underscores of tk_<id>_<secret>";
  return new RpcError("NOT_FOUND", `key_id: ${found}; ListKeys has all`);
}

async function createKey(
  { store, clock, keys }: KeysContext,
  namespace: string,
  request: CreateKeyRequest,
): Promise<CreateKeyResponse> {
  const { row, token } = newRow(namespace, request, clock.nowUs());
  if (keys.liveCount >= KEYS_LIVE_MAX) {
    throw new RpcError("TOO_MANY_KEYS", `there are ${KEYS_LIVE_MAX} live keys; revoke those that nobody uses`);
  }
  await store.keys.insert(row);
  await keys.refresh();
  return { key: message(row, clock.nowUs()), secret: token };
}

async function listKeys(
  { store, clock }: KeysContext,
  namespace: string,
  request: ListKeysRequest,
): Promise<ListKeysResponse> {
  const limit = pageSize(request.pageSize, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX);
  const question = ["keys", namespace];
  const token = decodePageToken(request.pageToken, question, ["string"]);
  const rows = await store.reads.listKeys(namespace, String(token?.[0] ?? ""), limit);
  const last = rows.at(-1);
  const nowUs = clock.nowUs();
  return {
    keys: rows.map((row) => message(row, nowUs)),
    nextPageToken: last !== undefined && rows.length === limit ? encodePageToken(question, [last.keyId]) : "",
  };
}

async function rotateKey(
  { store, clock, keys }: KeysContext,
  namespace: string,
  request: RotateKeyRequest,
): Promise<RotateKeyResponse> {
  const asked = between("grace_seconds", request.graceSeconds, 0, ROTATION_GRACE_SECONDS_MAX);
  const graceSeconds = asked ?? ROTATION_GRACE_SECONDS_DEFAULT;
  const { token, hash } = newSecret(request.keyId);
  const nowUs = clock.nowUs();
  const rotated = await store.keys.rotate(namespace, request.keyId, {
    secretHash: hash,
    previousUntilUs: graceSeconds === 0 ? null : nowUs + graceSeconds * 1_000_000,
    nowUs,
  });
  const row = rotated ? await store.reads.key(namespace, request.keyId) : undefined;
  if (row === undefined) throw notFound(request.keyId);
  await keys.refresh();
  return { key: message(row, nowUs), secret: token };
}

async function revokeKey(
  { store, clock, keys }: KeysContext,
  namespace: string,
  request: RevokeKeyRequest,
): Promise<ApiKey> {
  const revoked = await store.keys.revoke(namespace, request.keyId, clock.nowUs());
  const row = revoked ? await store.reads.key(namespace, request.keyId) : undefined;
  if (row === undefined) throw notFound(request.keyId);
  await keys.refresh();
  return message(row, clock.nowUs());
}

export function keyMethods(context: KeysContext, gate: Gate) {
  return {
    createKey: unary("CreateKey", gate, CreateKeyRequest, (namespace, request) =>
      createKey(context, namespace, request),
    ),
    listKeys: unary("ListKeys", gate, ListKeysRequest, (namespace, request) => listKeys(context, namespace, request)),
    rotateKey: unary("RotateKey", gate, RotateKeyRequest, (namespace, request) =>
      rotateKey(context, namespace, request),
    ),
    revokeKey: unary("RevokeKey", gate, RevokeKeyRequest, (namespace, request) =>
      revokeKey(context, namespace, request),
    ),
  };
}

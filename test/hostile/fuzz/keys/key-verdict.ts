/** How a call of a key method may end, by who made it, and what a taken request must have been like. */

import { type StatusObject, status } from "@grpc/grpc-js";
import {
  ApiKey,
  CreateKeyRequest,
  CreateKeyResponse,
  type KeyRole,
  ListKeysResponse,
  RotateKeyRequest,
  RotateKeyResponse,
} from "@tailkeep/proto";
import { wrongEnding } from "../verdict.js";
import { type KeyRing, ROLES } from "./key-ring.js";

export type Caller = "admin" | "write" | "read" | "nobody" | "liar";

const REFUSAL: Readonly<Record<Exclude<Caller, "admin">, status>> = {
  write: status.PERMISSION_DENIED,
  read: status.PERMISSION_DENIED,
  nobody: status.UNAUTHENTICATED,
  liar: status.UNAUTHENTICATED,
};
const TAKEN = new Set([status.OK, status.INVALID_ARGUMENT, status.NOT_FOUND, status.RESOURCE_EXHAUSTED]);

const NAME_CHARS_MAX = 128;
const STREAMS_MAX = 12_000;
const GRACE_SECONDS_MAX = 2_592_000;

export function wrongKeyEnding(
  ring: KeyRing,
  caller: Caller,
  method: string,
  ending: StatusObject,
): string | undefined {
  const { code, details, metadata } = ending;
  const said = `${method} of ${caller} ended ${status[code]}: ${details}`;
  const given = ring.secretIn(`${details} ${JSON.stringify(metadata.toJSON())}`);
  if (given !== undefined) return `the secret of ${given} in an error: ${said}`;
  if (caller !== "admin") return code === REFUSAL[caller] ? undefined : said;
  return TAKEN.has(code) ? wrongEnding(method, ending) : said;
}

const notWithin = (value: bigint | number | undefined, most: bigint | number) =>
  value !== undefined && (value < 1 || value > most);

/** Why a key should not have been made of this, as the comments in admin.proto have it. */
function unsound({ name, roles, expiresAtUs, limits }: CreateKeyRequest): string | undefined {
  if (Array.from(name).length > NAME_CHARS_MAX) return "a name too long";
  if (roles.length === 0 || roles.some((role) => !ROLES.includes(role))) return `roles ${roles.join()}`;
  if (expiresAtUs !== undefined && expiresAtUs <= BigInt(Date.now() - 60_000) * 1_000n) return "an end in the past";
  if (notWithin(limits?.streamsMax, STREAMS_MAX)) return "its streams_max";
  if (notWithin(limits?.recordsPerSecondMax, Number.MAX_SAFE_INTEGER)) return "its records_per_second_max";
  if (notWithin(limits?.bytesPerSecondMax, Number.MAX_SAFE_INTEGER)) return "its bytes_per_second_max";
  return undefined;
}

/** Looks at what was answered to the admin, and notes on the ring what changed. */
export function wrongAnswer(ring: KeyRing, method: string, sent: Buffer, answer: Buffer): string | undefined {
  if (method === "CreateKey") return wrongNewKey(ring, CreateKeyRequest.decode(sent), CreateKeyResponse.decode(answer));
  if (method === "ListKeys") {
    const other = ListKeysResponse.decode(answer).keys.find(({ namespace }) => namespace !== "default");
    if (other !== undefined) return `ListKeys has a key of ${other.namespace}`;
    return ring.secretIn(answer.toString("latin1")) === undefined ? undefined : "ListKeys has a secret";
  }
  if (method === "RotateKey") {
    const { graceSeconds } = RotateKeyRequest.decode(sent);
    if (graceSeconds !== undefined && (graceSeconds < 0 || graceSeconds > GRACE_SECONDS_MAX)) {
      return `RotateKey took a grace of ${graceSeconds} seconds`;
    }
    const { key, secret } = RotateKeyResponse.decode(answer);
    if (!secret.startsWith(`tk_${key?.keyId}_`)) return `RotateKey of ${key?.keyId} gave another one's secret`;
    return notOwned(ring, method, key);
  }
  const key = ApiKey.decode(answer);
  ring.revoked(key.keyId);
  if (key.revokedAtUs === undefined) return `RevokeKey answered with ${key.keyId} live`;
  return notOwned(ring, method, key);
}

function notOwned(ring: KeyRing, method: string, key: ApiKey | undefined): string | undefined {
  if (key !== undefined && key.namespace === "default" && ring.owns(key.keyId)) return undefined;
  return `${method} changed ${key?.keyId} of ${key?.namespace}, which it should not have`;
}

const inOrder = (roles: Iterable<KeyRole>) => [...roles].sort((a, b) => a - b).join();

function wrongNewKey(ring: KeyRing, asked: CreateKeyRequest, { key, secret }: CreateKeyResponse): string | undefined {
  if (key === undefined) return "CreateKey answered without the key";
  ring.add({ keyId: key.keyId, secret });
  const problem = unsound(asked);
  if (problem !== undefined) return `CreateKey took ${problem}`;
  if (key.namespace !== "default" || key.name !== asked.name) return `CreateKey made ${key.name} of ${key.namespace}`;
  const wanted = inOrder(new Set(asked.roles));
  if (inOrder(key.roles) !== wanted) return `CreateKey gave roles ${key.roles.join()} instead of ${wanted}`;
  return undefined;
}

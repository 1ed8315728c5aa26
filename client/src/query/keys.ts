/** The keys of a namespace: who may do what. */

import * as wire from "@tailkeep/proto";
import { safeNumber } from "../records/safe-number.js";
import type { CallOptions, UnaryCaller } from "../transport/unary-call.js";
import { type Listing, listing } from "./pages.js";

/** What a key permits; `admin` permits everything. */
export type KeyRoleName = "write" | "read" | "admin";

/** What all users of a key together may take from one server. */
export interface KeyLimits {
  /** Open ingest streams, 1 to 12,000. @default 10,000 */
  readonly streamsMax: number;
  /** Records a second. @default 1,000,000 */
  readonly recordsPerSecondMax: number;
  /** Encoded bytes of batches a second. @default 536,870,912 */
  readonly bytesPerSecondMax: number;
}

/** A key, without its secret. */
export interface ApiKey {
  readonly keyId: string;
  readonly name: string;
  readonly namespace: string;
  readonly roles: readonly KeyRoleName[];
  readonly limits: KeyLimits;
  /** Microseconds since 1970. */
  readonly createdAtUs: number;
  /** Refused from then on: microseconds since 1970; undefined: never. */
  readonly expiresAtUs: number | undefined;
  /** Refused since then: microseconds since 1970; undefined: not revoked. */
  readonly revokedAtUs: number | undefined;
  /** Until then the secret before the last rotation is accepted too: microseconds since 1970. */
  readonly previousUntilUs: number | undefined;
}

/** A key and its secret, which is shown this once. */
export interface KeyWithSecret {
  readonly key: ApiKey;
  /** `tk_<id>_<secret>`: for TAILKEEP_API_KEY, or a file that TAILKEEP_API_KEY_FILE names. */
  readonly secret: string;
}

/** A key to be made. */
export interface NewKey {
  /** At least one. */
  readonly roles: readonly KeyRoleName[];
  /** What it is for, at most 128 characters. @default "" */
  readonly name?: string | undefined;
  /** In the future: microseconds since 1970. @default never */
  readonly expiresAtUs?: number | undefined;
  /** @default each limit's own */
  readonly limits?: Partial<KeyLimits> | undefined;
}

const service = wire.AdminServiceService;

const ROLES: ReadonlyMap<KeyRoleName, wire.KeyRole> = new Map([
  ["write", wire.KeyRole.WRITE],
  ["read", wire.KeyRole.READ],
  ["admin", wire.KeyRole.ADMIN],
]);

/** `client.keys`; for callers with the role `admin`. */
export class KeysClient {
  readonly #caller: UnaryCaller;

  constructor(caller: UnaryCaller) {
    this.#caller = caller;
  }

  /** Makes a key for the caller's namespace. Never repeated by itself: each call makes one. */
  async create(key: NewKey, options: CallOptions = {}): Promise<KeyWithSecret> {
    const { streamsMax, recordsPerSecondMax, bytesPerSecondMax } = key.limits ?? {};
    const request = {
      name: key.name ?? "",
      roles: key.roles.map((role) => ROLES.get(role) ?? wire.KeyRole.UNSPECIFIED),
      expiresAtUs: big(key.expiresAtUs),
      limits: {
        streamsMax,
        recordsPerSecondMax: big(recordsPerSecondMax),
        bytesPerSecondMax: big(bytesPerSecondMax),
      },
    };
    return withSecret(await this.#caller.call(service.createKey, request, options, "once"));
  }

  /** The namespace's keys by id, those that have ended included. */
  list(
    question: { readonly pageSize?: number | undefined; readonly limit?: number | undefined } = {},
    options: CallOptions = {},
  ): Listing<ApiKey> {
    const fetch = async (pageToken: string) => {
      const request = { pageSize: question.pageSize ?? 0, pageToken };
      const answer = await this.#caller.call(service.listKeys, request, options);
      return { items: answer.keys.map(apiKey), nextPageToken: answer.nextPageToken };
    };
    return listing(fetch, { itemsMax: question.limit });
  }

  /** Gives a key a new secret; the one before goes on for `graceSeconds`. @default 86,400. Never repeated by itself. */
  async rotate(
    keyId: string,
    { graceSeconds, ...options }: CallOptions & { readonly graceSeconds?: number | undefined } = {},
  ): Promise<KeyWithSecret> {
    return withSecret(await this.#caller.call(service.rotateKey, { keyId, graceSeconds }, options, "once"));
  }

  /** Ends a key, and within 30 seconds everything that was opened with it. May be repeated. */
  async revoke(keyId: string, options: CallOptions = {}): Promise<ApiKey> {
    return apiKey(await this.#caller.call(service.revokeKey, { keyId }, options));
  }
}

function big(value: number | undefined): bigint | undefined {
  return value === undefined ? undefined : BigInt(Math.trunc(value));
}

function withSecret({ key, secret }: wire.CreateKeyResponse | wire.RotateKeyResponse): KeyWithSecret {
  if (key === undefined) throw new Error("the server's answer has no key");
  return { key: apiKey(key), secret };
}

function apiKey(key: wire.ApiKey): ApiKey {
  const time = (value: bigint | undefined, field: string) =>
    value === undefined ? undefined : safeNumber(value, field);
  const names = [...ROLES].filter(([, role]) => key.roles.includes(role)).map(([name]) => name);
  return {
    keyId: key.keyId,
    name: key.name,
    namespace: key.namespace,
    roles: names,
    limits: {
      streamsMax: key.limits?.streamsMax ?? 0,
      recordsPerSecondMax: Number(key.limits?.recordsPerSecondMax ?? 0n),
      bytesPerSecondMax: Number(key.limits?.bytesPerSecondMax ?? 0n),
    },
    createdAtUs: safeNumber(key.createdAtUs, "created_at_us"),
    expiresAtUs: time(key.expiresAtUs, "expires_at_us"),
    revokedAtUs: time(key.revokedAtUs, "revoked_at_us"),
    previousUntilUs: time(key.previousUntilUs, "previous_until_us"),
  };
}

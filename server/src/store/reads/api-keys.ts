/** API keys: those that are live, one of them, or a page of all that a namespace ever had. */
import type { KeyRow, KeysVersion } from "../api-keys.js";
import { type ApiKeysTable, run, type Source } from "./database.js";

/** Columns of api_keys that are written, in the order of `keyValues`. */
export const KEY_COLUMNS: readonly string[] = [
  "key_id",
  "namespace_id",
  "name",
  "roles",
  "secret_hash",
  "previous_hash",
  "previous_until_us",
  "created_at_us",
  "expires_at_us",
  "revoked_at_us",
  "streams_max",
  "records_per_second_max",
  "bytes_per_second_max",
];

export function keyValues(row: KeyRow): (string | number | null)[] {
  return [
    row.keyId,
    row.namespace,
    row.name,
    row.roles,
    row.secretHash,
    row.previousHash,
    row.previousUntilUs,
    row.createdAtUs,
    row.expiresAtUs,
    row.revokedAtUs,
    row.streamsMax,
    row.recordsPerSecondMax,
    row.bytesPerSecondMax,
  ];
}

const orNull = (value: number | null): number | null => (value === null ? null : Number(value));

function keyRow(row: ApiKeysTable): KeyRow {
  return {
    keyId: row.key_id,
    namespace: row.namespace_id,
    name: row.name,
    roles: row.roles,
    secretHash: row.secret_hash,
    previousHash: row.previous_hash,
    previousUntilUs: orNull(row.previous_until_us),
    createdAtUs: Number(row.created_at_us),
    expiresAtUs: orNull(row.expires_at_us),
    revokedAtUs: orNull(row.revoked_at_us),
    streamsMax: orNull(row.streams_max),
    recordsPerSecondMax: orNull(row.records_per_second_max),
    bytesPerSecondMax: orNull(row.bytes_per_second_max),
  };
}

export async function keysVersion(source: Source): Promise<KeysVersion> {
  const query = source.db
    .selectFrom("api_keys")
    .select(({ fn }) => [fn.countAll().as("keys"), fn.sum("changes").as("changes")]);
  const [row] = await run(source.execute, query);
  return { keys: Number(row?.keys ?? 0), changes: Number(row?.changes ?? 0) };
}

/** Neither revoked nor expired, of every namespace; at most `limit`. */
export async function liveKeys(source: Source, nowUs: number, limit: number): Promise<KeyRow[]> {
  const query = source.db
    .selectFrom("api_keys")
    .selectAll()
    .where("revoked_at_us", "is", null)
    .where((where) => where.or([where("expires_at_us", "is", null), where("expires_at_us", ">", nowUs)]))
    .orderBy("key_id")
    .limit(limit);
  return (await run(source.execute, query)).map(keyRow);
}

export async function key(source: Source, namespace: string, keyId: string): Promise<KeyRow | undefined> {
  const query = source.db
    .selectFrom("api_keys")
    .selectAll()
    .where("namespace_id", "=", namespace)
    .where("key_id", "=", keyId);
  return (await run(source.execute, query)).map(keyRow)[0];
}

/** By id, from the one after `afterId`. */
export async function listKeys(source: Source, namespace: string, afterId: string, limit: number): Promise<KeyRow[]> {
  const query = source.db
    .selectFrom("api_keys")
    .selectAll()
    .where("namespace_id", "=", namespace)
    .where("key_id", ">", afterId)
    .orderBy("key_id")
    .limit(limit);
  return (await run(source.execute, query)).map(keyRow);
}

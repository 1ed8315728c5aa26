/** API keys in the database. A row is never deleted, so that a database that once had a key stays closed to callers without. */

export interface KeyRow {
  keyId: string;
  namespace: string;
  name: string;
  /** Separated by commas: `read,write`. */
  roles: string;
  /** Of the secret, in hex. */
  secretHash: string;
  /** Of the secret before the last rotation, and until when it is accepted; both are null, or neither. */
  previousHash: string | null;
  previousUntilUs: number | null;
  createdAtUs: number;
  expiresAtUs: number | null;
  revokedAtUs: number | null;
  /** Null where the server's default holds. */
  streamsMax: number | null;
  recordsPerSecondMax: number | null;
  bytesPerSecondMax: number | null;
}

/** Moves with every change, whichever server made it: both numbers only grow. */
export interface KeysVersion {
  keys: number;
  changes: number;
}

export interface KeyRotation {
  secretHash: string;
  /** Null: the secret before ends at once. */
  previousUntilUs: number | null;
  nowUs: number;
}

export interface KeyStore {
  /** @throws StoreError (duplicate) where the id is taken */
  insert(row: KeyRow): Promise<void>;
  /** False where there is no such key, or it has ended. */
  rotate(namespace: string, keyId: string, rotation: KeyRotation): Promise<boolean>;
  /** False where there is none; one that was revoked before keeps its time. */
  revoke(namespace: string, keyId: string, nowUs: number): Promise<boolean>;
}

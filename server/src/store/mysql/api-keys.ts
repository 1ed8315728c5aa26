/** API keys on MySQL. */
import type { KeyRotation, KeyRow, KeyStore } from "../api-keys.js";
import { KEY_COLUMNS, keyValues } from "../reads/api-keys.js";
import type { Session } from "./connection.js";
import { literal, textLiteral } from "./literal.js";

type Transaction = <Result>(work: (session: Session) => Promise<Result>) => Promise<Result>;

export class MysqlKeys implements KeyStore {
  readonly #transaction: Transaction;

  constructor(transaction: Transaction) {
    this.#transaction = transaction;
  }

  insert(row: KeyRow): Promise<void> {
    return this.#transaction(async (session) => {
      const values = keyValues(row).map(literal).join(", ");
      await session.query(`INSERT INTO api_keys (${KEY_COLUMNS.join(", ")}, changes) VALUES (${values}, 1)`);
    });
  }

  rotate(namespace: string, keyId: string, { secretHash, previousUntilUs, nowUs }: KeyRotation): Promise<boolean> {
    const previous = previousUntilUs === null ? "NULL" : "secret_hash";
    // MySQL assigns from left to right: the hash before must be kept before it is replaced.
    const set = `previous_hash = ${previous}, previous_until_us = ${literal(previousUntilUs)},
      secret_hash = ${textLiteral(secretHash)}`;
    const isLive = `revoked_at_us IS NULL AND (expires_at_us IS NULL OR expires_at_us > ${nowUs})`;
    return this.#change(namespace, keyId, set, `AND ${isLive}`);
  }

  revoke(namespace: string, keyId: string, nowUs: number): Promise<boolean> {
    return this.#change(namespace, keyId, `revoked_at_us = COALESCE(revoked_at_us, ${nowUs})`, "");
  }

  #change(namespace: string, keyId: string, set: string, condition: string): Promise<boolean> {
    return this.#transaction(async (session) => {
      const result: unknown = await session.query(
        `UPDATE api_keys SET ${set}, changes = changes + 1
         WHERE key_id = ${textLiteral(keyId)} AND namespace_id = ${textLiteral(namespace)} ${condition}`,
      );
      return (result as { affectedRows: number }).affectedRows > 0;
    });
  }
}

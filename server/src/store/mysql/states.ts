/** State documents on MySQL. */
import type { Clock } from "../../base/clock.js";
import type { DeleteOutcome, PutOutcome, StateStore } from "../state.js";
import type { Session } from "./connection.js";
import { textLiteral } from "./literal.js";

type Transaction = <Result>(work: (session: Session) => Promise<Result>) => Promise<Result>;

export class MysqlStates implements StateStore {
  readonly #transaction: Transaction;
  readonly #clock: Clock;

  constructor(transaction: Transaction, clock: Clock) {
    this.#transaction = transaction;
    this.#clock = clock;
  }

  put(namespace: string, name: string, valueJson: string, expectedVersion: number | null): Promise<PutOutcome> {
    return this.#transaction(async (session): Promise<PutOutcome> => {
      const found = await this.#version(session, namespace, name);
      if (expectedVersion !== null && expectedVersion !== (found ?? 0))
        return { kind: "mismatch", version: found ?? 0 };
      const version = (found ?? 0) + 1;
      const now = this.#clock.nowUs();
      const value = textLiteral(valueJson);
      // A document that someone else inserts meanwhile is a duplicate, and the transaction is run again.
      await session.query(
        found === undefined
          ? `INSERT INTO states (namespace_id, name, version, value, updated_at_us)
             VALUES (${textLiteral(namespace)}, ${textLiteral(name)}, ${version}, ${value}, ${now})`
          : `UPDATE states SET version = ${version}, value = ${value}, updated_at_us = ${now}
             WHERE namespace_id = ${textLiteral(namespace)} AND name = ${textLiteral(name)}`,
      );
      return { kind: "written", version, updatedAtUs: now };
    });
  }

  delete(namespace: string, name: string, expectedVersion: number | null): Promise<DeleteOutcome> {
    return this.#transaction(async (session): Promise<DeleteOutcome> => {
      const found = await this.#version(session, namespace, name);
      if (found === undefined) return { kind: "missing" };
      if (expectedVersion !== null && expectedVersion !== found) return { kind: "mismatch", version: found };
      await session.query(
        `DELETE FROM states WHERE namespace_id = ${textLiteral(namespace)} AND name = ${textLiteral(name)}`,
      );
      return { kind: "deleted" };
    });
  }

  async #version(session: Session, namespace: string, name: string): Promise<number | undefined> {
    const [row] = await session.query(
      `SELECT version FROM states WHERE namespace_id = ${textLiteral(namespace)} AND name = ${textLiteral(name)}
       FOR UPDATE`,
    );
    return row === undefined ? undefined : Number(row["version"]);
  }
}

/** Changes of the central configuration on MySQL. */
import type { AppendOutcome, ConfigRow, ConfigStore } from "../config.js";
import type { Session } from "./connection.js";
import { textLiteral } from "./literal.js";

type Transaction = <Result>(work: (session: Session) => Promise<Result>) => Promise<Result>;

export class MysqlConfig implements ConfigStore {
  readonly #transaction: Transaction;

  constructor(transaction: Transaction) {
    this.#transaction = transaction;
  }

  append(row: ConfigRow): Promise<AppendOutcome> {
    return this.#transaction(async (session): Promise<AppendOutcome> => {
      const [newest] = await session.query("SELECT COALESCE(MAX(version), 0) AS version FROM config_changes");
      const version = Number(newest?.["version"]);
      if (version !== row.version - 1) return { kind: "mismatch", version };
      const texts = [row.author, row.comment, row.changesJson, row.overridesJson].map(textLiteral);
      // A version that someone else inserts meanwhile is a duplicate; the transaction is run again, and finds it.
      await session.query(
        `INSERT INTO config_changes (version, created_at_us, author, comment, changes, overrides)
         VALUES (${row.version}, ${row.createdAtUs}, ${texts.join(", ")})`,
      );
      return { kind: "written" };
    });
  }
}

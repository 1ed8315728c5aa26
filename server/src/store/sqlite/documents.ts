/** State documents and changes of the central configuration: each is written only over the version that its writer knows. */
import { nowUs } from "../../record/time.js";
import type { AppendOutcome, ConfigRow } from "../config.js";
import type { DeleteOutcome, PutOutcome } from "../state.js";
import type { Connection } from "./connection.js";

export class Documents {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** @param expectedVersion null: whatever there is */
  putState(namespace: string, name: string, valueJson: string, expectedVersion: number | null): PutOutcome {
    return this.#connection.transaction(() => {
      const found = this.#versionOf(namespace, name) ?? 0;
      if (expectedVersion !== null && expectedVersion !== found) return { kind: "mismatch", version: found };
      const now = nowUs();
      this.#connection.run(
        `INSERT INTO states (namespace_id, name, version, value, updated_at_us) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (namespace_id, name)
         DO UPDATE SET version = excluded.version, value = excluded.value, updated_at_us = excluded.updated_at_us`,
        [namespace, name, found + 1, valueJson, now],
      );
      return { kind: "written", version: found + 1, updatedAtUs: now };
    });
  }

  deleteState(namespace: string, name: string, expectedVersion: number | null): DeleteOutcome {
    return this.#connection.transaction(() => {
      const version = this.#versionOf(namespace, name);
      if (version === undefined) return { kind: "missing" };
      if (expectedVersion !== null && expectedVersion !== version) return { kind: "mismatch", version };
      this.#connection.run("DELETE FROM states WHERE namespace_id = ? AND name = ?", [namespace, name]);
      return { kind: "deleted" };
    });
  }

  appendConfig(row: ConfigRow): AppendOutcome {
    return this.#connection.transaction(() => {
      const newest = this.#connection.get("SELECT COALESCE(MAX(version), 0) AS version FROM config_changes");
      const version = Number(newest?.["version"]);
      if (version !== row.version - 1) return { kind: "mismatch", version };
      this.#connection.run(
        `INSERT INTO config_changes (version, created_at_us, author, comment, changes, overrides)
         VALUES (?, ?, ?, ?, ?, ?)`,
        [row.version, row.createdAtUs, row.author, row.comment, row.changesJson, row.overridesJson],
      );
      return { kind: "written" };
    });
  }

  #versionOf(namespace: string, name: string): number | undefined {
    const row = this.#connection.get("SELECT version FROM states WHERE namespace_id = ? AND name = ?", [
      namespace,
      name,
    ]);
    return row === undefined ? undefined : Number(row["version"]);
  }
}

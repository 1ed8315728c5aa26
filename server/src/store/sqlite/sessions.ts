/** Rows of `sessions`: changed, seen, lost, and deleted with all that is theirs. */
import { DELETE_SLICE_ROWS, LOST_AFTER_MS } from "../../limits.js";
import { nowUs } from "../../record/time.js";
import { RECORD_TABLES, SLICED_TABLES } from "../deletions.js";
import { DELETING } from "../model.js";
import { BEING_UNPINNED, pinState, UNPINNED } from "../pins.js";
import type { SessionChange } from "../store.js";
import type { Connection } from "./connection.js";
import type { SideRows } from "./side-rows.js";

export interface DeletedSlice {
  /** Records that went. */
  records: number;
  /** Nothing of the session is left. */
  isLast: boolean;
}

export class Sessions {
  readonly #connection: Connection;
  readonly #sideRows: SideRows;

  constructor(connection: Connection, sideRows: SideRows) {
    this.#connection = connection;
    this.#sideRows = sideRows;
  }

  /** False where there is none. */
  update(namespace: string, sessionId: string, change: SessionChange): boolean {
    return this.#connection.transaction(() => {
      const row = this.#connection.get("SELECT * FROM sessions WHERE namespace_id = ? AND session_id = ?", [
        namespace,
        sessionId,
      ]);
      if (row === undefined || row["state"] === DELETING) return false;
      const state = change.state ?? String(row["state"]);
      const ended = state === "running" ? null : (row["ended_at_us"] ?? nowUs());
      this.#connection.run(
        `UPDATE sessions SET name = ?, labels = ?, config = ?, state = ?, ended_at_us = ?, pinned = ?
         WHERE namespace_id = ? AND session_id = ?`,
        [
          change.name ?? (row["name"] as string),
          change.labels === undefined ? (row["labels"] as string) : JSON.stringify(change.labels),
          change.configJson ?? (row["config"] as string),
          state,
          ended,
          pinState(Number(row["pinned"]), change.pinned),
          namespace,
          sessionId,
        ],
      );
      return true;
    });
  }

  unpinned(namespace: string, sessionId: string): void {
    this.#connection.transaction(() =>
      this.#connection.run("UPDATE sessions SET pinned = ? WHERE namespace_id = ? AND session_id = ? AND pinned = ?", [
        UNPINNED,
        namespace,
        sessionId,
        BEING_UNPINNED,
      ]),
    );
  }

  touch(sessions: readonly { namespace: string; sessionId: string }[]): void {
    this.#connection.transaction(() => {
      const now = nowUs();
      for (const { namespace, sessionId } of sessions) {
        this.#connection.run(
          `UPDATE sessions SET last_seen_at_us = ?, ended_at_us = CASE state WHEN 'lost' THEN NULL ELSE ended_at_us END,
             state = CASE state WHEN 'lost' THEN 'running' ELSE state END
           WHERE namespace_id = ? AND session_id = ? AND last_seen_at_us < ?`,
          [now, namespace, sessionId, now],
        );
      }
    });
  }

  /** Those that nobody has written to for long. */
  markLost(): void {
    this.#connection.transaction(() =>
      this.#connection.run(
        `UPDATE sessions SET state = 'lost', ended_at_us = last_seen_at_us
         WHERE state = 'running' AND last_seen_at_us < ?`,
        [nowUs() - LOST_AFTER_MS * 1_000],
      ),
    );
  }

  /** First step of a deletion: its streams go, and none is opened, so that no writer adds to it any more. */
  fence(namespace: string, sessionId: string, abandonedBeforeUs?: number): boolean {
    return this.#connection.transaction(() => {
      const args = [namespace, sessionId];
      const mark = "UPDATE sessions SET state = ?, ended_at_us = ? WHERE namespace_id = ? AND session_id = ?";
      const marked =
        abandonedBeforeUs === undefined
          ? this.#connection.run(mark, [DELETING, nowUs(), ...args])
          : this.#connection.run(`${mark} AND state = ? AND ended_at_us < ?`, [
              DELETING,
              nowUs(),
              ...args,
              DELETING,
              abandonedBeforeUs,
            ]);
      if (marked === 0) return false;
      this.#connection.run("DELETE FROM streams WHERE namespace_id = ? AND session_id = ?", args);
      return true;
    });
  }

  /** Some of a session's rows in a transaction that does not hold up ingest. */
  deleteSlice(namespace: string, sessionId: string): DeletedSlice {
    return this.#connection.transaction(() => {
      const args = [namespace, sessionId];
      // Says that the deletion goes on, and finds out if another one has ended it: the session may be a new one by now.
      const mark = "UPDATE sessions SET ended_at_us = ? WHERE namespace_id = ? AND session_id = ? AND state = ?";
      if (this.#connection.run(mark, [nowUs(), ...args, DELETING]) === 0) return { records: 0, isLast: true };
      for (const name of SLICED_TABLES) {
        const deleted = this.#connection.run(
          `DELETE FROM ${name} WHERE rowid IN
             (SELECT rowid FROM ${name} WHERE namespace_id = ? AND session_id = ? LIMIT ${DELETE_SLICE_ROWS})`,
          args,
        );
        if (deleted === 0) continue;
        if (name === "dead_letters") this.#sideRows.countAgain();
        return { records: RECORD_TABLES.includes(name) ? deleted : 0, isLast: false };
      }
      this.#connection.run("DELETE FROM sessions WHERE namespace_id = ? AND session_id = ?", args);
      return { records: 0, isLast: true };
    });
  }
}

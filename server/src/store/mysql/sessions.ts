/** Rows of `sessions` on MySQL: changed, seen, lost, and deleted with all that is theirs. */
import type { Clock } from "../../base/clock.js";
import { DELETE_SLICE_ROWS, LOST_AFTER_MS } from "../../limits.js";
import { RECORD_TABLES, SLICED_TABLES } from "../deletions.js";
import { DELETING } from "../model.js";
import { pinState } from "../pins.js";
import type { SessionChange } from "../store.js";
import type { Session } from "./connection.js";
import { textLiteral } from "./literal.js";

type Transaction = <Result>(work: (session: Session) => Promise<Result>) => Promise<Result>;

/** A condition on the columns that every table has. */
export const ownedBy = ({ namespace, sessionId }: { namespace: string; sessionId: string }) =>
  `namespace_id = ${textLiteral(namespace)} AND session_id = ${textLiteral(sessionId)}`;

export class MysqlSessions {
  readonly #transaction: Transaction;
  readonly #clock: Clock;

  constructor(transaction: Transaction, clock: Clock) {
    this.#transaction = transaction;
    this.#clock = clock;
  }

  update(namespace: string, sessionId: string, change: SessionChange): Promise<boolean> {
    return this.#transaction(async (session) => {
      const owner = ownedBy({ namespace, sessionId });
      const [row] = await session.query(`SELECT state, ended_at_us, pinned FROM sessions WHERE ${owner} FOR UPDATE`);
      if (row === undefined || row["state"] === DELETING) return false;
      const sets: string[] = [];
      if (change.name !== undefined) sets.push(`name = ${textLiteral(change.name)}`);
      if (change.labels !== undefined) sets.push(`labels = ${textLiteral(JSON.stringify(change.labels))}`);
      if (change.configJson !== undefined) sets.push(`config = ${textLiteral(change.configJson)}`);
      if (change.pinned !== undefined) {
        sets.push(`pinned = ${pinState(Number(row["pinned"]), change.pinned)}`);
      }
      if (change.state !== undefined) {
        const ended = change.state === "running" ? "NULL" : String(row["ended_at_us"] ?? this.#clock.nowUs());
        sets.push(`state = '${change.state}'`, `ended_at_us = ${ended}`);
      }
      if (sets.length > 0) await session.query(`UPDATE sessions SET ${sets.join(", ")} WHERE ${owner}`);
      return true;
    });
  }

  /** First its streams, and none is opened any more; then its rows, in slices that do not hold up ingest. */
  async delete(namespace: string, sessionId: string, abandonedBeforeUs?: number): Promise<number | "missing"> {
    const owner = ownedBy({ namespace, sessionId });
    const mark = (session: Session, which = owner) => {
      const set = `state = '${DELETING}', ended_at_us = ${this.#clock.nowUs()}`;
      return session.query(`UPDATE sessions SET ${set} WHERE ${which}`);
    };
    const meant =
      abandonedBeforeUs === undefined
        ? owner
        : `${owner} AND state = '${DELETING}' AND ended_at_us < ${abandonedBeforeUs}`;
    const exists = await this.#transaction(async (session) => {
      // Streams of a session that was not marked are those of the next one.
      if (affected(await mark(session, meant)) === 0) return false;
      await session.query(`DELETE FROM streams WHERE ${owner}`);
      return true;
    });
    if (!exists) return "missing";
    // Says that the deletion goes on, and finds out if another one has ended it: the session may be a new one by now.
    const stillDeleting = async (session: Session): Promise<boolean> => {
      const [row] = await session.query(`SELECT state FROM sessions WHERE ${owner} FOR UPDATE`);
      if (row?.["state"] !== DELETING) return false;
      await mark(session);
      return true;
    };
    let deleted = 0;
    for (const table of SLICED_TABLES) {
      for (;;) {
        const slice = await this.#transaction(async (session) => {
          if (!(await stillDeleting(session))) return 0;
          return affected(await session.query(`DELETE FROM ${table} WHERE ${owner} LIMIT ${DELETE_SLICE_ROWS}`));
        });
        if (RECORD_TABLES.includes(table)) deleted += slice;
        if (slice < DELETE_SLICE_ROWS) break;
      }
    }
    await this.#transaction(async (session) => {
      if (await stillDeleting(session)) await session.query(`DELETE FROM sessions WHERE ${owner}`);
    });
    return deleted;
  }

  async touch(sessions: readonly { namespace: string; sessionId: string }[]): Promise<void> {
    const now = this.#clock.nowUs();
    for (const { namespace, sessionId } of sessions) {
      await this.#transaction((session) =>
        session.query(
          `UPDATE sessions SET last_seen_at_us = ${now},
             ended_at_us = CASE state WHEN 'lost' THEN NULL ELSE ended_at_us END,
             state = CASE state WHEN 'lost' THEN 'running' ELSE state END
           WHERE namespace_id = ${textLiteral(namespace)}
           AND session_id = ${textLiteral(sessionId)} AND last_seen_at_us < ${now}`,
        ),
      );
    }
  }

  /** Those that nobody has written to for long. */
  async markLost(): Promise<void> {
    const silentSinceUs = this.#clock.nowUs() - LOST_AFTER_MS * 1_000;
    await this.#transaction((session) =>
      session.query(
        `UPDATE sessions SET state = 'lost', ended_at_us = last_seen_at_us
         WHERE state = 'running' AND last_seen_at_us < ${silentSinceUs}`,
      ),
    );
  }
}

/** Rows that a statement changed; the driver gives no rows for these. */
function affected(result: unknown): number {
  return (result as { affectedRows: number }).affectedRows;
}

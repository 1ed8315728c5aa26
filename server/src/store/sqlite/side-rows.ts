/** Gaps and dead letters: few, beside the rows of the same transaction. */
import type { RejectedEntry } from "../../record/batch.js";
import type { RunData } from "../store.js";
import type { Connection } from "./connection.js";

export interface SideRowOptions {
  readonly deadLetterBytesMax: number;
  /** The day on which losses of a namespace expire that are stored now. */
  readonly expiresOn: (namespace: string) => string;
}

export class SideRows {
  readonly #connection: Connection;
  readonly #options: SideRowOptions;
  /** Bytes of dead letters by namespace, as far as they were asked for. */
  readonly #usedBytes = new Map<string, number>();

  constructor(connection: Connection, options: SideRowOptions) {
    this.#connection = connection;
    this.#options = options;
    connection.onRollback(() => this.countAgain());
  }

  /** Dead letters went, or did not come after all. */
  countAgain(): void {
    this.#usedBytes.clear();
  }

  insertGap(
    key: bigint,
    owner: { namespace: string; sessionId: string },
    gap: { firstSeq: number; lastSeq: number; type: number; cause: number },
    now: number,
  ): void {
    this.#connection.run(
      `INSERT INTO gaps (stream, first_seq, last_seq, namespace_id, session_id, type, cause, created_at_us, expires_on)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      [
        key,
        gap.firstSeq,
        gap.lastSeq,
        owner.namespace,
        owner.sessionId,
        gap.type,
        gap.cause,
        now,
        this.#options.expiresOn(owner.namespace),
      ],
    );
  }

  insertDeadLetter(run: RunData, entry: RejectedEntry, now: number): void {
    this.#connection.run(
      `INSERT INTO dead_letters (stream, seq, namespace_id, session_id, type, reason, field, message, body,
         created_at_us, expires_on) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      [
        run.key,
        entry.seq,
        run.namespace,
        run.sessionId,
        entry.type,
        entry.reason,
        entry.field,
        entry.message,
        this.#withinQuota(run.namespace, entry.body),
        now,
        this.#options.expiresOn(run.namespace),
      ],
    );
  }

  #withinQuota(namespace: string, body: Uint8Array | null): Uint8Array | null {
    if (body === null) return null;
    let used = this.#usedBytes.get(namespace);
    if (used === undefined) {
      const sum = "SELECT COALESCE(SUM(LENGTH(body)), 0) AS bytes FROM dead_letters WHERE namespace_id = ?";
      used = Number(this.#connection.get(sum, [namespace])?.["bytes"]);
    }
    const kept = used + body.length <= this.#options.deadLetterBytesMax;
    this.#usedBytes.set(namespace, kept ? used + body.length : used);
    return kept ? body : null;
  }
}

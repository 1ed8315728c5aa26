/** What the server asks of its store outside of transactions: what is committed at the moment of the answer. */
import type { RejectedEntry } from "@tailkeep/server/dist/record/batch.js";
import { byTime, type StoredRow } from "@tailkeep/server/dist/record/stored-row.js";
import {
  type GapRow,
  Reads,
  type SessionStream,
  type SessionVersion,
  sessionVersion,
} from "@tailkeep/server/dist/store/reads/reads.js";
import type { RecordCursor, RecordQuery } from "@tailkeep/server/dist/store/reads/records.js";
import type { Database, StreamState } from "./database.js";

export class SimulatedReads extends Reads {
  readonly #database: Database;
  readonly #trip: () => Promise<void>;

  constructor(database: Database, trip: () => Promise<void>) {
    super(undefined as never, undefined as never, { hintsIndexes: false, keyBlocks: false });
    this.#database = database;
    this.#trip = trip;
  }

  override async listRecords(query: RecordQuery): Promise<{ rows: StoredRow[]; next: RecordCursor | undefined }> {
    await this.#trip();
    const rows = newestRows(this.#database, query.sessionId ?? "", query.tables, query.limit + 1);
    if (rows.length <= query.limit) return { rows, next: undefined };
    // Nobody in the simulation turns a page: that there is one more is all that is asked.
    return { rows: rows.slice(0, query.limit), next: {} as RecordCursor };
  }

  override async listStreamPage(
    stream: bigint,
    fromSeq: number,
    toSeq: number,
    tables: readonly number[],
    limit: number,
  ): Promise<{ rows: StoredRow[]; upTo: number }> {
    await this.#trip();
    const rows = [...(this.#database.streams.get(stream)?.rows.values() ?? [])]
      .filter((row) => row.seq >= fromSeq && row.seq <= toSeq && tables.includes(row.table.index))
      .sort((a, b) => a.seq - b.seq);
    const next = rows[limit];
    return { rows: rows.slice(0, limit), upTo: next === undefined ? toSeq : next.seq - 1 };
  }

  /** Sessions are never deleted here: no two of the same id are to be told apart. */
  override async session(): Promise<undefined> {
    await this.#trip();
  }

  override async streamsOf(namespace: string, sessionIds: readonly string[]): Promise<SessionStream[]> {
    await this.#trip();
    return this.#streams(namespace, sessionIds).map(({ key, identity, row }) => ({
      key,
      sessionId: identity.sessionId,
      streamId: identity.streamId,
      epoch: row.epoch,
      committedSeq: row.committedSeq,
      sessionStartedAtUs: 0,
    }));
  }

  override async sessionVersion(namespace: string, sessionId: string): Promise<SessionVersion> {
    await this.#trip();
    const streams = this.#streams(namespace, [sessionId]);
    const sum = (of: (stream: StreamState) => bigint) => streams.reduce((total, stream) => total + of(stream), 0n);
    return sessionVersion(
      0,
      streams.length,
      sum(({ key }) => key),
      sum(({ row }) => BigInt(row.epoch)),
      sum(({ row }) => BigInt(row.committedSeq)),
    );
  }

  override async gapsBetween(stream: bigint, fromSeq: number, toSeq: number, limit: number): Promise<GapRow[]> {
    await this.#trip();
    return (this.#database.streams.get(stream)?.gaps ?? [])
      .filter((gap) => gap.lastSeq >= fromSeq && gap.firstSeq <= toSeq)
      .sort((a, b) => a.firstSeq - b.firstSeq)
      .slice(0, limit);
  }

  override async deadLettersBetween(
    stream: bigint,
    fromSeq: number,
    toSeq: number,
    limit: number,
  ): Promise<RejectedEntry[]> {
    await this.#trip();
    return [...(this.#database.streams.get(stream)?.deadLetters.values() ?? [])]
      .filter(({ seq }) => seq >= fromSeq && seq <= toSeq)
      .sort((a, b) => a.seq - b.seq)
      .slice(0, limit)
      .map((letter) => ({ ...letter, body: null }));
  }

  #streams(namespace: string, sessionIds: readonly string[]): StreamState[] {
    return [...this.#database.streams.values()].filter(
      ({ identity }) => identity.namespace === namespace && sessionIds.includes(identity.sessionId),
    );
  }
}

/** The newest rows of a session, newest first, as they are committed now. */
export function newestRows(
  database: Database,
  sessionId: string,
  tables: readonly number[],
  limit: number,
): StoredRow[] {
  const rows: StoredRow[] = [];
  for (const { identity, rows: own } of database.streams.values()) {
    if (identity.sessionId !== sessionId) continue;
    for (const row of own.values()) if (tables.includes(row.table.index)) rows.push(row);
  }
  return rows.sort((a, b) => byTime(b, a)).slice(0, limit);
}

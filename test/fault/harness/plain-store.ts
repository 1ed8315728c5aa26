/** The database as plain SQL sees it, without a line of the server's. */
import type { RecordTypeName } from "@tailkeep/client";

export interface PlainStream {
  /** 63 bits, as text. */
  readonly key: string;
  readonly sessionId: string;
  readonly streamId: string;
  readonly committedSeq: number;
  readonly stored: number;
  readonly rejected: number;
  readonly gapped: number;
}

export interface PlainRow {
  readonly type: RecordTypeName;
  readonly seq: number;
  /** Microseconds since 1970. */
  readonly timeUs: number;
  /** As text that sorts as time does. */
  readonly createdAt: string;
  readonly columns: Readonly<Record<string, unknown>>;
}

export interface PlainGap {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly cause: number;
}

export interface PlainStore {
  streams(sessionId: string): Promise<PlainStream[]>;
  /** Of one stream and table: in the order in which they were inserted where the database keeps one, else by seq. */
  rows(key: string, type: RecordTypeName): Promise<PlainRow[]>;
  gaps(key: string): Promise<PlainGap[]>;
  deadLetterSeqs(key: string): Promise<number[]>;
  /** Records, gaps and dead letters of all streams together, and how many gaps tell of a store that forgot. */
  totals(): Promise<{ rows: number; gapped: number; deadLetters: number; committed: number; regressions: number }>;
  /** For lies that the oracle must find. */
  execute(sql: string): Promise<void>;
  close(): Promise<void>;
}

/** Cause of a gap that the server writes where the database has forgotten acked records. */
export const STORE_REGRESSED = 5;

export function timeUsOf(timestamp: string): number {
  const second = Date.parse(`${timestamp.slice(0, 10)}T${timestamp.slice(11, 19)}Z`);
  return second * 1_000 + Number(timestamp.slice(20).padEnd(6, "0"));
}

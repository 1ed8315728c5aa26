/**
 * What the trainers know, written down in the one process that is never killed: each number that was sent with the hash
 * of its content, what was declared lost, what is bad and must be refused, and how far the acks came.
 */
import type { RecordTypeName } from "@tailkeep/client";

export interface SentRecord {
  readonly type: RecordTypeName;
  readonly hash: number;
  /** The server chose the event time; the hash is without it. */
  readonly isTimeless: boolean;
  /** Breaks a rule of the schema, so it belongs into the dead letters. */
  readonly isBad: boolean;
}

export class StreamJournal {
  readonly sessionId: string;
  readonly streamId: string;
  /** By seq; 0 is unused. Undefined where the number belongs to a gap. */
  readonly sent: (SentRecord | undefined)[] = [undefined];
  readonly gaps: { readonly firstSeq: number; readonly lastSeq: number }[] = [];
  readonly rejectedSeqs = new Set<number>();
  /** Numbers that a database was made to forget, and of which the server said so. */
  readonly forgottenSeqs = new Set<number>();
  /** Ack that went back, if one did. */
  ackRegression: { readonly from: number; readonly to: number } | undefined;
  /** Why the stream stopped before its end, if it did. */
  failure: string | undefined;
  #ackedSeq = 0;

  constructor(sessionId: string, streamId: string) {
    this.sessionId = sessionId;
    this.streamId = streamId;
  }

  get name(): string {
    return `${this.sessionId}/${this.streamId}`;
  }
  get sentSeq(): number {
    return this.sent.length - 1;
  }
  get ackedSeq(): number {
    return this.#ackedSeq;
  }

  recordSent(seq: number, record: SentRecord): void {
    this.#expectNext(seq);
    this.sent.push(record);
  }

  gapSent(lastSeq: number, count: number): void {
    this.#expectNext(lastSeq - count + 1);
    for (let at = 0; at < count; at++) this.sent.push(undefined);
    this.gaps.push({ firstSeq: lastSeq - count + 1, lastSeq });
  }

  acked(seq: number): void {
    if (seq < this.#ackedSeq) this.ackRegression ??= { from: this.#ackedSeq, to: seq };
    else this.#ackedSeq = seq;
  }

  rejected(seq: number): void {
    this.rejectedSeqs.add(seq);
  }

  #expectNext(seq: number): void {
    if (seq !== this.sent.length) throw new Error(`${this.name}: ${seq} was given out after ${this.sentSeq}`);
  }
}

export function bySession(journals: readonly StreamJournal[]): Map<string, StreamJournal[]> {
  const sessions = new Map<string, StreamJournal[]>();
  for (const journal of journals) {
    const own = sessions.get(journal.sessionId);
    if (own === undefined) sessions.set(journal.sessionId, [journal]);
    else own.push(journal);
  }
  return sessions;
}

/** Gaps and dead letters: few, beside the rows of the same transaction. */
import type { GapEntry, RejectedEntry } from "../../record/batch.js";
import type { Session } from "./connection.js";
import { blobLiteral, textLiteral } from "./literal.js";

interface Owner {
  key: bigint;
  namespace: string;
  sessionId: string;
}

export interface OwnedGap {
  owner: Owner;
  gap: GapEntry;
}

export interface OwnedLetter {
  owner: Owner;
  entry: RejectedEntry;
  body: Uint8Array | null;
}

/** In statements that the server takes; a row that alone is larger has one to itself. */
export async function insertInParts(
  session: Session,
  head: string,
  tuples: readonly string[],
  end = "",
): Promise<void> {
  let part: string[] = [];
  let chars = head.length + end.length;
  const flush = async () => {
    if (part.length > 0) await session.query(head + part.join(",") + end);
    part = [];
    chars = head.length + end.length;
  };
  for (const tuple of tuples) {
    if (chars + tuple.length >= session.insertCharsMax) await flush();
    part.push(tuple);
    chars += tuple.length + 1;
  }
  await flush();
}

export async function insertGaps(
  session: Session,
  gaps: readonly OwnedGap[],
  nowUs: number,
  dayOf: (namespace: string) => string,
): Promise<void> {
  const tuples = gaps.map(({ owner, gap }) => {
    const names = `${textLiteral(owner.namespace)},${textLiteral(owner.sessionId)}`;
    return `(${owner.key},${gap.firstSeq},${gap.lastSeq},${names},${gap.type},${gap.cause},${nowUs},'${dayOf(owner.namespace)}')`;
  });
  await insertInParts(
    session,
    `INSERT INTO gaps (stream, first_seq, last_seq, namespace_id, session_id, type, cause, created_at_us, expires_on)
     VALUES `,
    tuples,
  );
}

export async function insertDeadLetters(
  session: Session,
  letters: readonly OwnedLetter[],
  nowUs: number,
  dayOf: (namespace: string) => string,
): Promise<void> {
  const tuples = letters.map(({ owner, entry, body }) => {
    const names = `${textLiteral(owner.namespace)},${textLiteral(owner.sessionId)}`;
    const texts = `${textLiteral(entry.field)},${textLiteral(entry.message)}`;
    const numbers = `${entry.type},${entry.reason}`;
    return `(${owner.key},${entry.seq},${names},${numbers},${texts},${blobLiteral(body)},${nowUs},'${dayOf(owner.namespace)}')`;
  });
  await insertInParts(
    session,
    `INSERT INTO dead_letters (stream, seq, namespace_id, session_id, type, reason, field, message, body,
       created_at_us, expires_on) VALUES `,
    tuples,
  );
}

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

/** Dead letters in one statement: with bodies of 512 KiB as hexadecimal digits it stays below 16 MB. */
const LETTERS_PER_STATEMENT = 8;
const GAPS_PER_STATEMENT = 500;

export async function insertGaps(
  session: Session,
  gaps: readonly OwnedGap[],
  nowUs: number,
  day: string,
): Promise<void> {
  for (let from = 0; from < gaps.length; from += GAPS_PER_STATEMENT) {
    const tuples = gaps.slice(from, from + GAPS_PER_STATEMENT).map(({ owner, gap }) => {
      const names = `${textLiteral(owner.namespace)},${textLiteral(owner.sessionId)}`;
      return `(${owner.key},${gap.firstSeq},${gap.lastSeq},${names},${gap.type},${gap.cause},${nowUs},'${day}')`;
    });
    await session.query(
      `INSERT INTO gaps (stream, first_seq, last_seq, namespace_id, session_id, type, cause, created_at_us, expires_on)
       VALUES ${tuples.join(",")}`,
    );
  }
}

export async function insertDeadLetters(
  session: Session,
  letters: readonly OwnedLetter[],
  nowUs: number,
  day: string,
): Promise<void> {
  for (let from = 0; from < letters.length; from += LETTERS_PER_STATEMENT) {
    const tuples = letters.slice(from, from + LETTERS_PER_STATEMENT).map(({ owner, entry, body }) => {
      const names = `${textLiteral(owner.namespace)},${textLiteral(owner.sessionId)}`;
      const texts = `${textLiteral(entry.field)},${textLiteral(entry.message)}`;
      const numbers = `${entry.type},${entry.reason}`;
      return `(${owner.key},${entry.seq},${names},${numbers},${texts},${blobLiteral(body)},${nowUs},'${day}')`;
    });
    await session.query(
      `INSERT INTO dead_letters (stream, seq, namespace_id, session_id, type, reason, field, message, body,
         created_at_us, expires_on) VALUES ${tuples.join(",")}`,
    );
  }
}

/** Rows of `streams`: locked one by one by their full key, in key order, and written back in one statement. */
import type { StreamRow } from "../admit.js";
import { STORED_COLUMNS } from "../schema.js";
import type { Session } from "./connection.js";
import { textLiteral } from "./literal.js";

/** Point selects in one UNION ALL; the statement stays below 64 KiB. */
const LOCKS_PER_STATEMENT = 200;

const COLUMNS = `writer_id, epoch, committed_seq, ${STORED_COLUMNS.join(", ")}, rejected, gapped`;

function streamRow(row: Record<string, unknown>): StreamRow {
  return {
    writerId: String(row["writer_id"]),
    epoch: Number(row["epoch"]),
    committedSeq: Number(row["committed_seq"]),
    storedByTable: STORED_COLUMNS.map((column) => Number(row[column])),
    rejected: Number(row["rejected"]),
    gapped: Number(row["gapped"]),
  };
}

/**
 * Locks and reads rows. `keys` rise, so that two transactions never wait for each other. Point selects joined by
 * UNION ALL, because `IN (...) FOR UPDATE` scans a small table and locks streams that are not ours.
 */
export async function lockStreams(session: Session, keys: readonly bigint[]): Promise<Map<bigint, StreamRow>> {
  const found = new Map<bigint, StreamRow>();
  for (let from = 0; from < keys.length; from += LOCKS_PER_STATEMENT) {
    const selects = keys
      .slice(from, from + LOCKS_PER_STATEMENT)
      .map((key) => `(SELECT stream, ${COLUMNS} FROM streams WHERE stream = ${key} FOR UPDATE)`);
    for (const row of await session.query(selects.join(" UNION ALL "))) {
      found.set(BigInt(row["stream"] as string), streamRow(row));
    }
  }
  return found;
}

export interface StreamUpdate {
  key: bigint;
  namespace: string;
  sessionId: string;
  row: StreamRow;
}

const UPDATED = ["writer_id", "epoch", "committed_seq", ...STORED_COLUMNS, "rejected", "gapped"];

/** Writes back rows that this transaction has locked; the INSERT never inserts, it names many rows by their key. */
export async function saveStreams(session: Session, updates: readonly StreamUpdate[]): Promise<void> {
  if (updates.length === 0) return;
  const tuples = updates.map(({ key, namespace, sessionId, row }) => {
    const numbers = [row.epoch, row.committedSeq, ...row.storedByTable, row.rejected, row.gapped];
    const owner = `${textLiteral(namespace)},${textLiteral(sessionId)},''`;
    return `(${key},${owner},${textLiteral(row.writerId)},${numbers.join(",")},0)`;
  });
  await session.query(
    `INSERT INTO streams (stream, namespace_id, session_id, stream_id, ${UPDATED.join(", ")}, opened_at_us)
     VALUES ${tuples.join(",")}
     ON DUPLICATE KEY UPDATE ${UPDATED.map((column) => `${column} = VALUES(${column})`).join(", ")}`,
  );
}

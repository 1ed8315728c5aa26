/** Checkpoints of rollups on MySQL. */
import { DELETING } from "../model.js";
import type { Checkpoint, CheckpointOutcome, RollupStore } from "../rollups.js";
import type { Session } from "./connection.js";
import { blobLiteral, textLiteral } from "./literal.js";
import { insertInParts } from "./side-rows.js";

type Transaction = <Result>(work: (session: Session) => Promise<Result>) => Promise<Result>;

export class MysqlRollups implements RollupStore {
  readonly #transaction: Transaction;
  readonly #expiresOn: () => string;

  constructor(transaction: Transaction, expiresOn: () => string) {
    this.#transaction = transaction;
    this.#expiresOn = expiresOn;
  }

  write(checkpoints: readonly Checkpoint[]): Promise<CheckpointOutcome[]> {
    // In the order of their keys, so that two servers never wait for each other.
    const sorted = [...checkpoints].sort((a, b) => (ownerOf(a) < ownerOf(b) ? -1 : 1));
    return this.#transaction(async (session) => {
      const outcomes = new Map<Checkpoint, CheckpointOutcome>();
      for (const checkpoint of sorted) outcomes.set(checkpoint, await this.#write(session, checkpoint));
      return checkpoints.map((checkpoint) => outcomes.get(checkpoint) as CheckpointOutcome);
    });
  }

  async #write(session: Session, checkpoint: Checkpoint): Promise<CheckpointOutcome> {
    const { key, fromSeq, toSeq, summary, nodes } = checkpoint;
    // The session's row is what a deletion changes first: whoever holds it is before or after the whole of it.
    const [owner] = await session.query(`SELECT state FROM sessions WHERE ${ownerOf(checkpoint)} FOR UPDATE`);
    if (owner === undefined || owner["state"] === DELETING) return "lost";
    const [stream] = await session.query(`SELECT 1 AS one FROM streams WHERE stream = ${key}`);
    if (stream === undefined) return "lost";
    const [row] = await session.query(`SELECT rolled_seq FROM rollup_streams WHERE stream = ${key} FOR UPDATE`);
    if (Number(row?.["rolled_seq"] ?? 0) !== fromSeq) return "lost";
    const names = `${textLiteral(checkpoint.namespace)},${textLiteral(checkpoint.sessionId)}`;
    const day = `'${this.#expiresOn()}'`;
    await session.query(
      row === undefined
        ? `INSERT INTO rollup_streams (stream, namespace_id, session_id, rolled_seq, summary, expires_on)
           VALUES (${key},${names},${toSeq},${textLiteral(summary)},${day})`
        : `UPDATE rollup_streams SET rolled_seq = ${toSeq}, summary = ${textLiteral(summary)}, expires_on = ${day}
           WHERE stream = ${key}`,
    );
    await insertInParts(
      session,
      `INSERT INTO rollup_nodes (stream, type_index, game, level, node, namespace_id, session_id, body, expires_on) VALUES `,
      nodes.map(
        ({ table, game, level, node, body }) =>
          `(${key},${table},${game},${level},${node},${names},${blobLiteral(body)},${day})`,
      ),
      " ON DUPLICATE KEY UPDATE body = VALUES(body), expires_on = VALUES(expires_on)",
    );
    return "written";
  }
}

function ownerOf({ namespace, sessionId }: Checkpoint): string {
  return `namespace_id = ${textLiteral(namespace)} AND session_id = ${textLiteral(sessionId)}`;
}

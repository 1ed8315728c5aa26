/** Checkpoints of rollups on SQLite; run in the writer's thread, inside of a transaction. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Checkpoint, CheckpointOutcome } from "../rollups.js";

export class RollupWriter {
  readonly #isThere: StatementSync;
  readonly #rolled: StatementSync;
  readonly #stream: StatementSync;
  readonly #node: StatementSync;

  constructor(db: DatabaseSync) {
    this.#isThere = db.prepare("SELECT 1 AS one FROM streams WHERE stream = ?");
    this.#rolled = db.prepare("SELECT rolled_seq FROM rollup_streams WHERE stream = ?");
    this.#stream = db.prepare(
      `INSERT INTO rollup_streams (stream, namespace_id, session_id, rolled_seq, summary, expires_on)
       VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (stream) DO UPDATE
       SET rolled_seq = excluded.rolled_seq, summary = excluded.summary, expires_on = excluded.expires_on`,
    );
    this.#node = db.prepare(
      `INSERT INTO rollup_nodes (stream, type_index, game, level, node, namespace_id, session_id, body, expires_on)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (stream, type_index, game, level, node)
       DO UPDATE SET body = excluded.body, expires_on = excluded.expires_on`,
    );
  }

  write(checkpoint: Checkpoint, expiresOn: string): CheckpointOutcome {
    const { key, namespace, sessionId, fromSeq, toSeq, summary, nodes } = checkpoint;
    if (this.#isThere.get(key) === undefined) return "lost";
    if (Number(this.#rolled.get(key)?.["rolled_seq"] ?? 0) !== fromSeq) return "lost";
    this.#stream.run(key, namespace, sessionId, toSeq, summary, expiresOn);
    for (const { table, game, level, node, body } of nodes) {
      this.#node.run(key, table, game, level, node, namespace, sessionId, body, expiresOn);
    }
    return "written";
  }
}

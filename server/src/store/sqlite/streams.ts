/** Rows of `streams`, and how a stream is opened. */
import { GapCause } from "@tailkeep/proto";
import { SESSION_STREAMS_MAX } from "../../limits.js";
import { nowUs } from "../../record/time.js";
import { countsOf, type StreamRow } from "../admit.js";
import { nextKey, streamKey } from "../keys.js";
import { DELETING } from "../model.js";
import { mergeLabels, openDecision } from "../open.js";
import { STORED_COLUMNS } from "../schema.js";
import type { OpenOutcome, OpenRequest } from "../store.js";
import type { Connection } from "./connection.js";
import type { SideRows } from "./side-rows.js";

export class Streams {
  readonly #connection: Connection;
  readonly #sideRows: SideRows;

  constructor(connection: Connection, sideRows: SideRows) {
    this.#connection = connection;
    this.#sideRows = sideRows;
  }

  open(request: OpenRequest): OpenOutcome {
    const now = nowUs();
    const owner = [request.namespace, request.sessionId];
    const session = this.#connection.get(
      "SELECT state, started_at_us FROM sessions WHERE namespace_id = ? AND session_id = ?",
      owner,
    );
    if (session?.["state"] === DELETING) return { kind: "deleting" };
    const { key, row } = this.#find(request);
    const decision = openDecision(request, row);
    if (decision.kind === "fenced") return decision;
    if (row === undefined) {
      const count = "SELECT COUNT(*) AS n FROM streams WHERE namespace_id = ? AND session_id = ?";
      if (Number(this.#connection.get(count, owner)?.["n"]) >= SESSION_STREAMS_MAX) return { kind: "tooManyStreams" };
    }
    this.#upsertSession(request, now);
    this.#connection.run(
      `INSERT INTO streams (stream, namespace_id, session_id, stream_id, writer_id, epoch, committed_seq,
           ${STORED_COLUMNS.join(", ")}, rejected, gapped, opened_at_us)
         VALUES (?, ?, ?, ?, ?, 0, 0, ${STORED_COLUMNS.map(() => "0").join(", ")}, 0, 0, ?)
         ON CONFLICT (stream) DO NOTHING`,
      [key, request.namespace, request.sessionId, request.streamId, request.writerId, now],
    );
    this.save(key, decision.row);
    if (decision.regressed !== null) {
      const gap = { ...decision.regressed, type: 0, cause: GapCause.STORE_REGRESSED };
      this.#sideRows.insertGap(key, request, gap, now);
    }
    return {
      kind: "opened",
      key,
      epoch: decision.row.epoch,
      committedSeq: decision.row.committedSeq,
      counts: countsOf(decision.row),
      regressed: decision.regressed,
      sessionStartedAtUs: Number(session?.["started_at_us"] ?? now),
    };
  }

  row(key: bigint): StreamRow | undefined {
    const row = this.#connection.get(
      `SELECT writer_id, epoch, committed_seq, ${STORED_COLUMNS.join(", ")}, rejected, gapped
       FROM streams WHERE stream = ?`,
      [key],
    );
    if (row === undefined) return undefined;
    return {
      writerId: String(row["writer_id"]),
      epoch: Number(row["epoch"]),
      committedSeq: Number(row["committed_seq"]),
      storedByTable: STORED_COLUMNS.map((column) => Number(row[column])),
      rejected: Number(row["rejected"]),
      gapped: Number(row["gapped"]),
    };
  }

  save(key: bigint, row: StreamRow): void {
    this.#connection.run(
      `UPDATE streams SET writer_id = ?, epoch = ?, committed_seq = ?,
         ${STORED_COLUMNS.map((column) => `${column} = ?`).join(", ")}, rejected = ?, gapped = ? WHERE stream = ?`,
      [row.writerId, row.epoch, row.committedSeq, ...row.storedByTable, row.rejected, row.gapped, key],
    );
  }

  /** The stream's key and row; a key that another identity has is passed over. */
  #find(request: OpenRequest): { key: bigint; row: StreamRow | undefined } {
    for (let key = streamKey(request); ; key = nextKey(key)) {
      const owner = this.#connection.get("SELECT namespace_id, session_id, stream_id FROM streams WHERE stream = ?", [
        key,
      ]);
      if (owner === undefined) return { key, row: undefined };
      const same =
        owner["namespace_id"] === request.namespace &&
        owner["session_id"] === request.sessionId &&
        owner["stream_id"] === request.streamId;
      if (same) return { key, row: this.row(key) };
    }
  }

  #upsertSession(request: OpenRequest, now: number): void {
    const owner = [request.namespace, request.sessionId];
    const row = this.#connection.get("SELECT labels FROM sessions WHERE namespace_id = ? AND session_id = ?", owner);
    if (row === undefined) {
      this.#connection.run(
        `INSERT INTO sessions (namespace_id, session_id, name, labels, config, state, started_at_us, last_seen_at_us)
         VALUES (?, ?, '', ?, '', 'running', ?, ?)`,
        [...owner, mergeLabels("{}", request.labels), now, now],
      );
    } else {
      this.#connection.run(
        `UPDATE sessions SET labels = ?, state = 'running', ended_at_us = NULL, last_seen_at_us = ?
         WHERE namespace_id = ? AND session_id = ?`,
        [mergeLabels(String(row["labels"]), request.labels), now, ...owner],
      );
    }
  }
}

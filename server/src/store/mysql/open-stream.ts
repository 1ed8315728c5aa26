/** How a stream is opened on MySQL: its session, its row and its epoch in one transaction. */
import { GapCause } from "@tailkeep/proto";
import { SESSION_STREAMS_MAX } from "../../limits.js";
import { countsOf, type StreamRow } from "../admit.js";
import { nextKey, streamKey } from "../keys.js";
import { DELETING } from "../model.js";
import { mergeLabels, openDecision } from "../open.js";
import { STORED_COLUMNS } from "../schema.js";
import type { OpenOutcome, OpenRequest } from "../store.js";
import type { Session } from "./connection.js";
import { textLiteral } from "./literal.js";
import { ownedBy } from "./sessions.js";
import { insertGaps } from "./side-rows.js";
import { lockStreams, saveStreams } from "./streams.js";

/** @param expiresOn the day on which losses of a namespace expire that are stored now */
export async function openStream(
  session: Session,
  request: OpenRequest,
  now: number,
  expiresOn: (namespace: string) => string,
): Promise<OpenOutcome> {
  const owner = ownedBy(request);
  // Before its streams, as a deletion does it, so that the two never wait for each other.
  const [found] = await session.query(`SELECT labels, state, started_at_us FROM sessions WHERE ${owner} FOR UPDATE`);
  if (found?.["state"] === DELETING) return { kind: "deleting" };
  const { key, row } = await findStream(session, request);
  const decision = openDecision(request, row);
  if (decision.kind === "fenced") return decision;
  if (row === undefined) {
    const [count] = await session.query(`SELECT COUNT(*) AS n FROM streams WHERE ${owner}`);
    if (Number(count?.["n"]) >= SESSION_STREAMS_MAX) return { kind: "tooManyStreams" };
    const identity = [request.namespace, request.sessionId, request.streamId, request.writerId].map(textLiteral);
    const zeros = STORED_COLUMNS.map(() => "0").join(", ");
    await session.query(
      `INSERT INTO streams (stream, namespace_id, session_id, stream_id, writer_id, epoch, committed_seq,
         ${STORED_COLUMNS.join(", ")}, rejected, gapped, opened_at_us)
       VALUES (${key}, ${identity.join(", ")}, 0, 0, ${zeros}, 0, 0, ${now})`,
    );
  }
  await upsertSession(session, request, found, owner, now);
  await saveStreams(session, [{ key, ...request, row: decision.row }]);
  if (decision.regressed !== null) {
    const gap = { ...decision.regressed, type: 0, cause: GapCause.STORE_REGRESSED } as const;
    await insertGaps(session, [{ owner: { key, ...request }, gap }], now, expiresOn);
  }
  return {
    kind: "opened",
    key,
    epoch: decision.row.epoch,
    committedSeq: decision.row.committedSeq,
    counts: countsOf(decision.row),
    regressed: decision.regressed,
    sessionStartedAtUs: Number(found?.["started_at_us"] ?? now),
  };
}

/** The stream's key and locked row; a key that another identity has is passed over. */
async function findStream(
  session: Session,
  request: OpenRequest,
): Promise<{ key: bigint; row: StreamRow | undefined }> {
  for (let key = streamKey(request); ; key = nextKey(key)) {
    const row = (await lockStreams(session, [key])).get(key);
    if (row === undefined) return { key, row };
    const [owner] = await session.query(
      `SELECT namespace_id, session_id, stream_id FROM streams WHERE stream = ${key}`,
    );
    const same =
      owner?.["namespace_id"] === request.namespace &&
      owner["session_id"] === request.sessionId &&
      owner["stream_id"] === request.streamId;
    if (same) return { key, row };
  }
}

async function upsertSession(
  session: Session,
  request: OpenRequest,
  row: Record<string, unknown> | undefined,
  owner: string,
  now: number,
): Promise<void> {
  if (row === undefined) {
    const names = `${textLiteral(request.namespace)}, ${textLiteral(request.sessionId)}`;
    await session.query(
      `INSERT INTO sessions (namespace_id, session_id, name, labels, config, state, started_at_us, last_seen_at_us)
       VALUES (${names}, '', ${textLiteral(mergeLabels("{}", request.labels))}, '', 'running', ${now}, ${now})`,
    );
    return;
  }
  const labels = textLiteral(mergeLabels(String(row["labels"]), request.labels));
  await session.query(
    `UPDATE sessions SET labels = ${labels}, state = 'running', ended_at_us = NULL, last_seen_at_us = ${now}
     WHERE ${owner}`,
  );
}

/** AdminService: gaps, dead letters, the ledger and retention; and keys, whose methods are access/keys-service.ts. */
import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import {
  AdminServiceService,
  ConfirmStoringDayRequest,
  type DeadLetter,
  GetLedgerRequest,
  type GetLedgerResponse,
  GetRetentionRequest,
  ListDeadLettersRequest,
  type ListDeadLettersResponse,
  ListGapsRequest,
  type ListGapsResponse,
  Record as ProtoRecord,
} from "@tailkeep/proto";
import { DEAD_LETTER_BODY_BYTES_MAX, PAGE_BYTES_MAX, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX } from "../limits.js";
import { optionalId, requiredId } from "../rpc/fields.js";
import { countsMessage, gapMessage } from "../rpc/messages.js";
import { decodePageToken, encodePageToken, pageSize } from "../rpc/page-token.js";
import type { Service } from "../rpc/server.js";
import { type Gate, unary } from "../rpc/unary.js";
import type { DeadLetterRow, StreamCursor } from "../store/reads/reads.js";
import type { Store } from "../store/store.js";
import { confirmStoringDay, getRetention } from "./retention.js";

function streamCursor(token: readonly (string | number)[] | undefined): StreamCursor | undefined {
  if (token === undefined) return undefined;
  const [stream, seq] = token;
  return { stream: BigInt(stream as string), seq: Number(seq) };
}

async function listGaps(store: Store, namespace: string, request: ListGapsRequest): Promise<ListGapsResponse> {
  const sessionId = optionalId("session_id", request.sessionId);
  const limit = pageSize(request.pageSize, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX);
  const question = ["gaps", namespace, sessionId];
  const after = streamCursor(decodePageToken(request.pageToken, question, ["key", "number"]));
  const rows = await store.reads.listGaps(namespace, sessionId, after, limit);
  const last = rows.at(-1);
  return {
    gaps: rows.map(gapMessage),
    nextPageToken:
      last !== undefined && rows.length === limit
        ? encodePageToken(question, [String(last.stream), last.firstSeq])
        : "",
  };
}

function decodedBody(body: Uint8Array | null): ProtoRecord | undefined {
  if (body === null) return undefined;
  try {
    return ProtoRecord.decode(body);
  } catch {
    return undefined;
  }
}

function letterMessage(row: DeadLetterRow): DeadLetter {
  return {
    sessionId: row.sessionId,
    streamId: row.streamId,
    rejection: { seq: BigInt(row.seq), reason: row.reason as never, field: row.field, message: row.message },
    type: row.type as never,
    record: decodedBody(row.body),
    createdAtUs: BigInt(row.createdAtUs),
  };
}

/** Dead letters fetched at once: their bodies may have half a megabyte each. */
const LETTERS_FETCHED = Math.floor((2 * PAGE_BYTES_MAX) / DEAD_LETTER_BODY_BYTES_MAX);

async function listDeadLetters(
  store: Store,
  namespace: string,
  request: ListDeadLettersRequest,
): Promise<ListDeadLettersResponse> {
  const sessionId = optionalId("session_id", request.sessionId);
  const limit = pageSize(request.pageSize, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX);
  const question = ["deadLetters", namespace, sessionId];
  let after = streamCursor(decodePageToken(request.pageToken, question, ["key", "number"]));
  const deadLetters: DeadLetter[] = [];
  let bytes = 0;
  while (deadLetters.length < limit) {
    const wanted = Math.min(LETTERS_FETCHED, limit - deadLetters.length);
    const rows = await store.reads.listDeadLetters(namespace, sessionId, after, wanted);
    for (const row of rows) {
      bytes += row.body?.length ?? 0;
      if (deadLetters.length > 0 && bytes > PAGE_BYTES_MAX) break;
      deadLetters.push(letterMessage(row));
      after = { stream: row.stream, seq: row.seq };
    }
    if (bytes > PAGE_BYTES_MAX) break;
    if (rows.length < wanted) return { deadLetters, nextPageToken: "" };
  }
  return {
    deadLetters,
    nextPageToken: after === undefined ? "" : encodePageToken(question, [String(after.stream), after.seq]),
  };
}

async function getLedger(store: Store, namespace: string, request: GetLedgerRequest): Promise<GetLedgerResponse> {
  const sessionId = requiredId("session_id", request.sessionId);
  const limit = pageSize(request.pageSize, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX);
  const question = ["ledger", namespace, sessionId];
  const token = decodePageToken(request.pageToken, question, ["string"]);
  const rows = await store.reads.ledger(namespace, sessionId, String(token?.[0] ?? ""), limit);
  const last = rows.at(-1);
  return {
    streams: rows.map((row) => ({
      streamId: row.streamId,
      writerId: row.writerId,
      epoch: BigInt(row.epoch),
      committedSeq: BigInt(row.committedSeq),
      counts: countsMessage(row.counts),
    })),
    nextPageToken: last !== undefined && rows.length === limit ? encodePageToken(question, [last.streamId]) : "",
  };
}

export function adminService(store: Store, keyMethods: UntypedServiceImplementation, gate: Gate): Service {
  return {
    definition: AdminServiceService,
    implementation: {
      listGaps: unary("ListGaps", gate, ListGapsRequest, (namespace, request) => listGaps(store, namespace, request)),
      listDeadLetters: unary("ListDeadLetters", gate, ListDeadLettersRequest, (namespace, request) =>
        listDeadLetters(store, namespace, request),
      ),
      ...keyMethods,
      getLedger: unary("GetLedger", gate, GetLedgerRequest, (namespace, request) =>
        getLedger(store, namespace, request),
      ),
      getRetention: unary("GetRetention", gate, GetRetentionRequest, (namespace) => getRetention(store, namespace)),
      confirmStoringDay: unary("ConfirmStoringDay", gate, ConfirmStoringDayRequest, (_, request) =>
        confirmStoringDay(store, request),
      ),
    },
  };
}

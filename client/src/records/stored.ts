/** What the server stores, as this API shows it. */

import type * as wire from "@tailkeep/proto";
import { ProtocolError } from "../errors/errors.js";
import { gapCauseName, recordTypeName } from "./names.js";
import { safeNumber } from "./safe-number.js";
import type { GapCauseName, HistoryRecord, JsonValue, RecordTypeName, TrainingRecord } from "./training-record.js";

/** A declared hole in a stream. */
export interface HistoryGap {
  readonly sessionId: string;
  readonly streamId: string;
  /** First missing number. */
  readonly firstSeq: number;
  /** Last missing number. */
  readonly lastSeq: number;
  /** Type of the lost records; absent if unknown or mixed. */
  readonly type: RecordTypeName | undefined;
  readonly cause: GapCauseName;
  /** When it was stored: microseconds since 1970. */
  readonly createdAtUs: number;
}

/** Throws ProtocolError if the server sends what its own contract rules out. */
export function historyRecord(stored: wire.StoredRecord): HistoryRecord {
  if (stored.record === undefined) throw broken("a stored record is empty");
  const record = trainingRecord(stored.record);
  if (record === undefined) throw broken(`record ${stored.streamId}/${stored.seq} is of an unknown type`);
  return Object.assign(record, {
    gameId: record.gameId ?? "unknown",
    eventTimeUs: record.eventTimeUs ?? 0,
    sessionId: stored.sessionId,
    streamId: stored.streamId,
    seq: safeNumber(stored.seq, "seq"),
  });
}

export function historyGap(gap: wire.StoredGap): HistoryGap {
  return {
    sessionId: gap.sessionId,
    streamId: gap.streamId,
    firstSeq: safeNumber(gap.firstSeq, "first_seq"),
    lastSeq: safeNumber(gap.lastSeq, "last_seq"),
    type: recordTypeName(gap.type),
    cause: gapCauseName(gap.cause),
    createdAtUs: safeNumber(gap.createdAtUs, "created_at_us"),
  };
}

/** Fields that are absent stay absent. Undefined for a kind that only a newer server knows. */
export function trainingRecord(record: wire.Record): TrainingRecord | undefined {
  const { kind } = record;
  if (kind === undefined) return undefined;
  const eventTimeUs = record.eventTimeUs === undefined ? undefined : safeNumber(record.eventTimeUs, "event_time_us");
  const common = present({ gameId: kind.value.gameId || undefined, eventTimeUs });
  switch (kind.$case) {
    case "performanceHistory": {
      const { score, winRate, learningEfficiency, metadataJson } = kind.value;
      const fields = { score, winRate, learningEfficiency, metadata: json(metadataJson) };
      return { type: "performance_history", ...common, ...present(fields) };
    }
    case "sessionHistory": {
      const { status, durationSeconds, actionsTaken, score, win, metadataJson } = kind.value;
      const fields = {
        status,
        durationSeconds,
        actionsTaken: actionsTaken === undefined ? undefined : safeNumber(actionsTaken, "actions_taken"),
        score,
        win,
        metadata: json(metadataJson),
      };
      return { type: "session_history", ...common, ...present(fields) };
    }
    case "actionTracking": {
      const { actionType, actionSequenceJson, effectiveness, contextJson } = kind.value;
      const fields = {
        actionType,
        actionSequence: json(actionSequenceJson),
        effectiveness,
        context: json(contextJson),
      };
      return { type: "action_tracking", ...common, ...present(fields) };
    }
    case "scoreHistory": {
      const { score, scoreType } = kind.value;
      return { type: "score_history", ...common, ...present({ score, scoreType }) };
    }
    case "coordinateTracking": {
      const { coordinateX, coordinateY, actionType, success, contextJson } = kind.value;
      const fields = { coordinateX, coordinateY, actionType, success, context: json(contextJson) };
      return { type: "coordinate_tracking", ...common, ...present(fields) };
    }
    case "frameTracking": {
      const { frameHash, frameAnalysisJson, stagnationDetected } = kind.value;
      const fields = { frameHash, frameAnalysis: json(frameAnalysisJson), stagnationDetected };
      return { type: "frame_tracking", ...common, ...present(fields) };
    }
    default:
      return undefined;
  }
}

/** JSON text of the server. A dead letter may hold text that is no JSON: it is then shown as that text. */
export function json(text: string | undefined): JsonValue | undefined {
  if (text === undefined || text === "") return undefined;
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return text;
  }
}

/** Leaves out what is undefined, so that records compare and print as they were written. */
function present<Fields extends object>(fields: Fields): Fields {
  for (const name in fields) if (fields[name] === undefined) return withoutUndefined(fields);
  return fields;
}

/** Anew rather than by `delete`, which makes an object slow to read and to copy for the rest of its life. */
function withoutUndefined<Fields extends object>(fields: Fields): Fields {
  const kept = {} as Fields;
  for (const name in fields) if (fields[name] !== undefined) kept[name] = fields[name];
  return kept;
}

function broken(what: string): ProtocolError {
  return new ProtocolError(`${what}: the server is newer than this client, or broken`, {
    code: "BAD_ANSWER",
    retryable: false,
  });
}

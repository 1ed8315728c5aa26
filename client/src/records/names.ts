/** Names of the schema's enumerations, as this API shows them: lower case, without the prefix. */

import { GapCause, RecordType, RejectionReason, SessionState } from "@tailkeep/proto";
import { InvalidArgumentError } from "../errors/errors.js";
import type { GapCauseName, RecordTypeName } from "./training-record.js";

/** Why a record was refused. */
export type RejectionReasonName = "unspecified" | "bad_text" | "bad_json" | "out_of_range" | "refused_by_store";

/** What a session is doing: not ended, ended as its trainer said, or went silent. */
export type SessionStateName = "running" | "finished" | "lost";

const TYPE_NUMBERS: Readonly<Record<RecordTypeName, RecordType>> = Object.freeze({
  performance_history: RecordType.PERFORMANCE_HISTORY,
  session_history: RecordType.SESSION_HISTORY,
  action_tracking: RecordType.ACTION_TRACKING,
  score_history: RecordType.SCORE_HISTORY,
  coordinate_tracking: RecordType.COORDINATE_TRACKING,
  frame_tracking: RecordType.FRAME_TRACKING,
});

const CAUSE_NUMBERS: Readonly<Record<GapCauseName, GapCause>> = Object.freeze({
  unspecified: GapCause.UNSPECIFIED,
  overflow: GapCause.OVERFLOW,
  fenced: GapCause.FENCED,
  invalid: GapCause.INVALID,
  spill_corrupt: GapCause.SPILL_CORRUPT,
  store_regressed: GapCause.STORE_REGRESSED,
});

const REASON_NAMES: ReadonlyMap<number, RejectionReasonName> = new Map<number, RejectionReasonName>([
  [RejectionReason.BAD_TEXT, "bad_text"],
  [RejectionReason.BAD_JSON, "bad_json"],
  [RejectionReason.OUT_OF_RANGE, "out_of_range"],
  [RejectionReason.REFUSED_BY_STORE, "refused_by_store"],
]);

const STATE_NUMBERS: Readonly<Record<SessionStateName, SessionState>> = Object.freeze({
  running: SessionState.RUNNING,
  finished: SessionState.FINISHED,
  lost: SessionState.LOST,
});

const TYPE_NAMES = inverse(TYPE_NUMBERS);
const CAUSE_NAMES = inverse(CAUSE_NUMBERS);
const STATE_NAMES = inverse(STATE_NUMBERS);

/** A caller without types may pass anything. Throws InvalidArgumentError for what is the name of no type. */
export function recordTypeNamed(type: RecordTypeName): RecordTypeName {
  if (Object.hasOwn(TYPE_NUMBERS, type)) return type;
  throw new InvalidArgumentError(
    `type must be one of ${Object.keys(TYPE_NUMBERS).join(", ")}, but is ${String(type)}` +
      (typeof type === "number" ? ": was a list copied by its constructor? Copy it with [...list]" : ""),
    { code: "BAD_FIELD", retryable: false, grpcStatus: 3 },
  );
}

export function recordTypeNumber(name: RecordTypeName): RecordType {
  return TYPE_NUMBERS[name];
}

/** Undefined for "not said" and for numbers of a newer server. */
export function recordTypeName(number: number): RecordTypeName | undefined {
  return TYPE_NAMES.get(number);
}

export function gapCauseNumber(name: GapCauseName): GapCause {
  return CAUSE_NUMBERS[name];
}

export function gapCauseName(number: number): GapCauseName {
  return CAUSE_NAMES.get(number) ?? "unspecified";
}

export function rejectionReasonName(number: number): RejectionReasonName {
  return REASON_NAMES.get(number) ?? "unspecified";
}

export function sessionStateNumber(name: SessionStateName | undefined): SessionState {
  return name === undefined ? SessionState.UNSPECIFIED : STATE_NUMBERS[name];
}

/** A state that a newer server may know is shown as running: the session has not said that it ended. */
export function sessionStateName(number: number): SessionStateName {
  return STATE_NAMES.get(number) ?? "running";
}

function inverse<Name extends string>(numbers: Readonly<Record<Name, number>>): ReadonlyMap<number, Name> {
  return new Map((Object.entries(numbers) as [Name, number][]).map(([name, number]) => [number, name]));
}

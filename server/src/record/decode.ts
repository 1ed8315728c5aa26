/**
 * Decodes ingest messages straight into rows, and judges every record on the way.
 *
 * Three outcomes for what is wrong: bytes that are not protobuf, or an entry without a type, refuse the whole batch
 * (BatchError); a record whose values may not be stored becomes a rejected entry and its neighbours live.
 */
import { GapCause, type RecordType, RejectionReason } from "@tailkeep/proto";
import {
  BATCH_ENTRIES_MAX,
  DEAD_LETTER_BODY_BYTES_MAX,
  GAP_COUNT_MAX,
  ID_CHARS_MAX,
  SAFE_INTEGER_MAX,
  SHORT_TEXT_CHARS_MAX,
} from "../limits.js";
import { type Batch, emptyRows, type Rows } from "./batch.js";
import { type Column, SCORE_TYPE_DEFAULT, TABLE_COUNT, type Table, tableAt, UNKNOWN_ID, type Value } from "./tables.js";
import { idProblem, jsonProblem, shortTextProblem } from "./text.js";
import { MalformedError, WIRE_64, WIRE_BYTES, WIRE_VARINT, Wire } from "./wire.js";

export type BatchErrorCode = "MALFORMED" | "UNKNOWN_TYPE" | "BAD_FIELD" | "BATCH_TOO_LARGE";

/** The batch as a whole cannot be taken. `message` names the field and the remedy. */
export class BatchError extends Error {
  override readonly name = "BatchError";
  constructor(
    readonly code: BatchErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** One value that may not be stored; caught per record. */
class ValueProblem {
  constructor(
    readonly reason: RejectionReason,
    readonly field: string,
    readonly message: string,
  ) {}
}

/** Field number of the first table in `Record.kind`; tables follow in order. */
const KIND_FIELD_FIRST = 2;

const wire = new Wire();

/** What a column holds where the record does not say. */
function absent(column: Column): Value {
  if (column.kind === "id") return UNKNOWN_ID;
  return column.name === "score_type" ? SCORE_TYPE_DEFAULT : null;
}

const WIRE_TYPE_OF_KIND = {
  id: WIRE_BYTES,
  text: WIRE_BYTES,
  json: WIRE_BYTES,
  double: WIRE_64,
  int32: WIRE_VARINT,
  int64: WIRE_VARINT,
  bool: WIRE_VARINT,
} as const;

const ABSENT: readonly (readonly Value[])[] = Array.from({ length: TABLE_COUNT }, (_, index) =>
  tableAt(index).columns.map(absent),
);

// Trainers name the same game, action and score type again and again: the last text of each column is kept and
// reused when the bytes are the same, which saves making it, checking it and holding it twice.
const lastTexts: (string | undefined)[][] = Array.from({ length: TABLE_COUNT }, () => []);
const lastTextBytes: (Buffer | undefined)[][] = Array.from({ length: TABLE_COUNT }, () => []);

function textOf(bytes: Buffer, table: Table, at: number, column: Column, length: number): Value | ValueProblem {
  const start = wire.at;
  const previous = lastTextBytes[table.index]?.[at];
  if (
    previous !== undefined &&
    previous.length === length &&
    bytes.compare(previous, 0, length, start, start + length) === 0
  ) {
    wire.at = start + length;
    return lastTexts[table.index]?.[at] as string;
  }
  // An id or a score type that is empty is one that is missing; in other columns an empty text is a value.
  if (length === 0) return absent(column) ?? "";
  const text = wire.text(length);
  const problem = column.kind === "id" ? idProblem(text, ID_CHARS_MAX) : shortTextProblem(text, SHORT_TEXT_CHARS_MAX);
  if (problem !== undefined) {
    return new ValueProblem(RejectionReason.BAD_TEXT, `${table.name}.${column.name}`, problem);
  }
  (lastTextBytes[table.index] as Buffer[])[at] = Buffer.from(bytes.subarray(start, start + length));
  (lastTexts[table.index] as string[])[at] = text;
  return text;
}

function columnValue(bytes: Buffer, table: Table, at: number, column: Column): Value | ValueProblem {
  switch (column.kind) {
    case "double":
      // Neither store keeps the sign of zero, so nothing in memory has it either: -0 + 0 is 0.
      return wire.double() + 0;
    case "bool":
      return wire.bool();
    case "int32":
      return wire.int32();
    case "int64": {
      const value = wire.int64();
      if (!Number.isNaN(value)) return value;
      const message = `is beyond ±${SAFE_INTEGER_MAX}; send a smaller number`;
      return new ValueProblem(RejectionReason.OUT_OF_RANGE, `${table.name}.${column.name}`, message);
    }
    case "json": {
      const length = wire.length();
      const text = wire.text(length);
      const problem = jsonProblem(text, length);
      if (problem === undefined) return text;
      return new ValueProblem(RejectionReason.BAD_JSON, `${table.name}.${column.name}_json`, problem);
    }
    default:
      return textOf(bytes, table, at, column, wire.length());
  }
}

/** Reads the message of one type, up to `end`, and appends its values; returns the first problem it has. */
function decodeValues(bytes: Buffer, table: Table, end: number, values: Value[]): ValueProblem | undefined {
  const base = values.length;
  for (const value of ABSENT[table.index] as readonly Value[]) values.push(value);
  const outerEnd = wire.end;
  wire.end = end;
  let problem: ValueProblem | undefined;
  while (wire.at < end) {
    const tag = wire.tag();
    const at = table.columnOfField[tag >>> 3];
    const column = at === undefined ? undefined : table.columns[at];
    if (at === undefined || column === undefined || WIRE_TYPE_OF_KIND[column.kind] !== (tag & 7)) {
      wire.skip(tag & 7);
      continue;
    }
    const value = columnValue(bytes, table, at, column);
    if (value instanceof ValueProblem) problem ??= value;
    else values[base + at] = value;
  }
  wire.end = outerEnd;
  return problem;
}

/** Takes NaN and the infinities, which neither store can hold, out of a row; returns their description, or null. */
function takeNonfinite(table: Table, values: Value[], base: number): string | null {
  let found: string | null = null;
  for (let at = 0; at < table.columns.length; at++) {
    const value = values[base + at];
    if (typeof value === "number" && !Number.isFinite(value)) {
      const text = `${(table.columns[at] as Column).name}=${value}`;
      found = found === null ? text : `${found},${text}`;
      values[base + at] = null;
    }
  }
  return found;
}

/** One `Record` message between wire.at and `end`. */
function decodeRecord(batch: Batch, end: number, seq: number, receivedUs: number, index: number): void {
  const start = wire.at;
  const outerEnd = wire.end;
  wire.end = end;
  let timeUs = receivedUs;
  let table: Table | undefined;
  let bodyStart = 0;
  let bodyEnd = 0;
  while (wire.at < end) {
    const tag = wire.tag();
    const field = tag >>> 3;
    if (field === 1 && (tag & 7) === WIRE_VARINT) {
      timeUs = wire.int64();
    } else if (field >= KIND_FIELD_FIRST && field < KIND_FIELD_FIRST + TABLE_COUNT && (tag & 7) === WIRE_BYTES) {
      const length = wire.length();
      table = tableAt(field - KIND_FIELD_FIRST);
      bodyStart = wire.at;
      bodyEnd = bodyStart + length;
      wire.at = bodyEnd;
    } else wire.skip(tag & 7);
  }
  wire.end = outerEnd;
  if (table === undefined) {
    throw new BatchError(
      "UNKNOWN_TYPE",
      `batch.entries[${index}].record: no record type that this server knows is set; set one of performance_history, ` +
        "session_history, action_tracking, score_history, coordinate_tracking, frame_tracking",
    );
  }
  let rows = batch.rows[table.index];
  if (rows === undefined) {
    rows = emptyRows();
    batch.rows[table.index] = rows;
  }
  const base = rows.values.length;
  wire.at = bodyStart;
  let problem = decodeValues(batch.bytes, table, bodyEnd, rows.values);
  wire.at = end;
  if (Number.isNaN(timeUs)) {
    const message = `is beyond ±${SAFE_INTEGER_MAX} microseconds; send microseconds since 1970`;
    problem ??= new ValueProblem(RejectionReason.OUT_OF_RANGE, "record.event_time_us", message);
  }
  if (problem !== undefined) {
    rows.values.length = base;
    reject(batch, table.type, seq, problem, start, end);
    return;
  }
  rows.nonfinite.push(takeNonfinite(table, rows.values, base));
  rows.seqs.push(seq);
  rows.timesUs.push(timeUs);
  rows.starts.push(start);
  rows.ends.push(end);
  batch.rowCount++;
}

function reject(batch: Batch, type: RecordType, seq: number, problem: ValueProblem, start: number, end: number): void {
  const kept = end - start <= DEAD_LETTER_BODY_BYTES_MAX;
  batch.rejected.push({
    seq,
    type,
    reason: problem.reason,
    field: problem.field,
    message: problem.message,
    body: kept ? Buffer.from(batch.bytes.subarray(start, end)) : null,
  });
}

/** One `Gap` message between wire.at and `end`; returns how many numbers it takes. */
function decodeGap(batch: Batch, end: number, seq: number, index: number): number {
  const outerEnd = wire.end;
  wire.end = end;
  let count = 0;
  let type: RecordType = 0;
  let cause: GapCause = GapCause.UNSPECIFIED;
  while (wire.at < end) {
    const tag = wire.tag();
    if (tag === 0x08) count = wire.int64();
    else if (tag === 0x10) type = wire.int32() as RecordType;
    else if (tag === 0x18) cause = wire.int32() as GapCause;
    else wire.skip(tag & 7);
  }
  wire.end = outerEnd;
  if (!(count >= 1 && count <= GAP_COUNT_MAX)) {
    throw new BatchError("BAD_FIELD", `batch.entries[${index}].gap.count: must be 1 to ${GAP_COUNT_MAX}`);
  }
  if (type !== 0 && !(type >= KIND_FIELD_FIRST && type < KIND_FIELD_FIRST + TABLE_COUNT)) {
    throw new BatchError("BAD_FIELD", `batch.entries[${index}].gap.type: ${type} is not a record type; leave it unset`);
  }
  if (cause === GapCause.STORE_REGRESSED || !(cause >= 0 && cause < GapCause.STORE_REGRESSED)) {
    throw new BatchError(
      "BAD_FIELD",
      `batch.entries[${index}].gap.cause: ${cause} is not a cause that writers may give`,
    );
  }
  batch.gaps.push({ firstSeq: seq, lastSeq: seq + count - 1, type, cause });
  return count;
}

/** One `Entry` message between wire.at and `end`; returns how many numbers it takes. */
function decodeEntry(batch: Batch, end: number, seq: number, receivedUs: number, index: number): number {
  const outerEnd = wire.end;
  wire.end = end;
  let field = 0;
  let bodyStart = 0;
  let bodyEnd = 0;
  while (wire.at < end) {
    const tag = wire.tag();
    if (tag === 0x0a || tag === 0x12) {
      field = tag >>> 3;
      const length = wire.length();
      bodyStart = wire.at;
      bodyEnd = bodyStart + length;
      wire.at = bodyEnd;
    } else wire.skip(tag & 7);
  }
  let numbers = 1;
  wire.at = bodyStart;
  if (field === 1) decodeRecord(batch, bodyEnd, seq, receivedUs, index);
  else if (field === 2) numbers = decodeGap(batch, bodyEnd, seq, index);
  else {
    throw new BatchError("UNKNOWN_TYPE", `batch.entries[${index}]: neither record nor gap is set; set one of them`);
  }
  wire.at = end;
  wire.end = outerEnd;
  return numbers;
}

/**
 * The `RecordBatch` message between `start` and `end` of `bytes`. The batch keeps `bytes`.
 * @param receivedUs event time of records that have none
 * @throws BatchError where the batch as a whole cannot be taken
 */
export function decodeBatch(bytes: Buffer, start: number, end: number, receivedUs: number): Batch {
  const batch: Batch = {
    firstSeq: 0,
    lastSeq: 0,
    rows: new Array<Rows | undefined>(TABLE_COUNT).fill(undefined),
    gaps: [],
    rejected: [],
    rowCount: 0,
    bytes,
  };
  let index = 0;
  let next = 0;
  let pending: [number, number][] | undefined;
  wire.reset(bytes);
  wire.at = start;
  wire.end = end;
  const count = (entries: number) => {
    if (entries <= BATCH_ENTRIES_MAX) return;
    throw new BatchError("BATCH_TOO_LARGE", `batch.entries: more than ${BATCH_ENTRIES_MAX}; send smaller batches`);
  };
  const entry = (entryStart: number, entryEnd: number) => {
    count(index + 1);
    wire.at = entryStart;
    const numbers = decodeEntry(batch, entryEnd, next, receivedUs, index);
    // Before they are added: beyond the last safe integer a sum would be rounded back to it.
    if (numbers > SAFE_INTEGER_MAX - next + 1) {
      throw new BatchError("BAD_FIELD", `batch.first_seq: numbers end at ${SAFE_INTEGER_MAX}; use a new stream`);
    }
    next += numbers;
    index++;
  };
  try {
    while (wire.at < end) {
      const tag = wire.tag();
      if (tag === 0x08) {
        if (index > 0)
          throw new BatchError("BAD_FIELD", "batch.first_seq: is set after entries that have it; set it once");
        batch.firstSeq = wire.int64();
        next = batch.firstSeq;
      } else if (tag === 0x12) {
        const length = wire.length();
        const entryEnd = wire.at + length;
        // first_seq comes first from every known encoder; one that writes it last is served too.
        if (next === 0) {
          pending ??= [];
          pending.push([wire.at, entryEnd]);
          wire.at = entryEnd;
          count(pending.length);
        } else entry(wire.at, entryEnd);
      } else wire.skip(tag & 7);
    }
    if (pending !== undefined && batch.firstSeq >= 1) {
      for (const [entryStart, entryEnd] of pending) entry(entryStart, entryEnd);
    }
  } catch (error) {
    if (error instanceof MalformedError) {
      throw new BatchError(
        "MALFORMED",
        `batch.entries[${index}]: ${error.message}; encode it with the stubs of tailkeep.v1`,
      );
    }
    throw error;
  }
  if (!(batch.firstSeq >= 1)) {
    throw new BatchError("BAD_FIELD", "batch.first_seq: must be 1 or more; it is the number of the first entry");
  }
  batch.lastSeq = next - 1;
  if (index === 0) throw new BatchError("BAD_FIELD", "batch.entries: is empty; send at least one");
  return batch;
}

/** Where the only top-level field of an IngestRequest stands, without decoding it. */
export interface RequestPart {
  kind: "open" | "batch" | "none";
  start: number;
  end: number;
}

/** Finds `open` or `batch` in an IngestRequest. @throws BatchError (MALFORMED) */
export function requestPart(bytes: Buffer): RequestPart {
  const part: RequestPart = { kind: "none", start: 0, end: 0 };
  try {
    wire.reset(bytes);
    while (wire.at < bytes.length) {
      const tag = wire.tag();
      if (tag === 0x0a || tag === 0x12) {
        const length = wire.length();
        part.kind = tag === 0x0a ? "open" : "batch";
        part.start = wire.at;
        part.end = wire.at + length;
        wire.at = part.end;
      } else wire.skip(tag & 7);
    }
  } catch (error) {
    if (error instanceof MalformedError) {
      throw new BatchError("MALFORMED", `request ${error.message}; encode it with the stubs of tailkeep.v1`);
    }
    throw error;
  }
  return part;
}

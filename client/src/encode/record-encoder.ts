/**
 * A record, encoded as one `entries` field of RecordBatch:
 *
 *   12 length  0a length  08 time  tag length  fields of the kind
 *   entry      .record    .time    .kind
 *
 * Nothing is written where anything is refused: `encode` either advances the buffer by one whole entry or leaves it.
 */

import { UnencodableError } from "../errors/errors.js";
import { ENTRY_BYTES_MAX, SMALL_JSON_BYTES_MAX } from "../limits.js";
import type { TrainingRecord } from "../records/training-record.js";
import { jsonText } from "./json-text.js";
import { writeSmallJson } from "./small-json.js";
import { int64Width, lengthWidth, type WireBuffer, writeInt64, writeLength } from "./wire-buffer.js";

const TAG_ENTRIES = 0x12;
const TAG_ENTRY_RECORD = 0x0a;
const TAG_EVENT_TIME = 0x08;

/** Field numbers of the kinds in Record. */
const KIND_PERFORMANCE = 2;
const KIND_SESSION = 3;
const KIND_ACTION = 4;
const KIND_SCORE = 5;
const KIND_COORDINATE = 6;
const KIND_FRAME = 7;

/** Room for all fields of fixed size of the largest kind and for every tag and length in front of a text. */
const FIXED_BYTES_MAX = 128;

/** Writes records into a WireBuffer. One per stream: it remembers the widths that lengths had last. */
export class RecordEncoder {
  readonly #out: WireBuffer;
  /** Bytes of an entry before the fields of its kind, guessed from the entry before, time not counted. */
  #headerGuess = 9;
  /** Bytes of the length of the last small JSON. */
  #jsonWidthGuess = 1;

  constructor(out: WireBuffer) {
    this.#out = out;
  }

  /** Appends one entry. Throws UnencodableError and leaves the buffer as it was if the record cannot be encoded. */
  encode(record: TrainingRecord): void {
    const out = this.#out;
    const start = out.position;
    try {
      this.#encode(record, start);
    } catch (error) {
      out.position = start;
      throw error;
    }
  }

  #encode(record: TrainingRecord, start: number): void {
    const out = this.#out;
    const time = record.eventTimeUs == null ? undefined : wholeNumber(record.eventTimeUs, "eventTimeUs");
    const timeBytes = time === undefined ? 0 : 1 + int64Width(time);
    const headerGuess = this.#headerGuess + timeBytes;

    out.reserve(FIXED_BYTES_MAX);
    out.position = start + headerGuess;
    const kind = this.#fields(record);
    const end = out.position;
    const fieldsLength = end - start - headerGuess;

    const recordLength = timeBytes + 1 + lengthWidth(fieldsLength) + fieldsLength;
    const entryLength = 1 + lengthWidth(recordLength) + recordLength;
    const total = 1 + lengthWidth(entryLength) + entryLength;
    if (total > ENTRY_BYTES_MAX) throw tooLarge(total);

    const { bytes } = out;
    const header = total - fieldsLength;
    if (header !== headerGuess) {
      bytes.copyWithin(start + header, start + headerGuess, end);
      this.#headerGuess = header - timeBytes;
    }
    bytes[start] = TAG_ENTRIES;
    let at = writeLength(bytes, start + 1, entryLength);
    bytes[at++] = TAG_ENTRY_RECORD;
    at = writeLength(bytes, at, recordLength);
    if (time !== undefined) {
      bytes[at++] = TAG_EVENT_TIME;
      at = writeInt64(bytes, at, time);
    }
    bytes[at++] = (kind << 3) | 2;
    writeLength(bytes, at, fieldsLength);
    out.position = start + total;
  }

  /** Writes the fields and returns the field number of the kind. Tags are `field << 3 | wire type`. */
  #fields(record: TrainingRecord): number {
    this.#text(0x0a, record.gameId, "gameId", false);
    switch (record.type) {
      case "performance_history":
        this.#double(0x11, record.score, "score");
        this.#double(0x19, record.winRate, "winRate");
        this.#double(0x21, record.learningEfficiency, "learningEfficiency");
        this.#json(0x2a, record.metadata, "metadata");
        return KIND_PERFORMANCE;
      case "session_history":
        this.#text(0x12, record.status, "status", true);
        this.#double(0x19, record.durationSeconds, "durationSeconds");
        if (record.actionsTaken != null) this.#out.int64(0x20, wholeNumber(record.actionsTaken, "actionsTaken", true));
        this.#double(0x29, record.score, "score");
        this.#bool(0x30, record.win, "win");
        this.#json(0x3a, record.metadata, "metadata");
        return KIND_SESSION;
      case "action_tracking":
        this.#text(0x12, record.actionType, "actionType", true);
        this.#json(0x1a, record.actionSequence, "actionSequence");
        this.#double(0x21, record.effectiveness, "effectiveness");
        this.#json(0x2a, record.context, "context");
        return KIND_ACTION;
      case "score_history":
        this.#double(0x11, record.score, "score");
        this.#text(0x1a, record.scoreType, "scoreType", true);
        return KIND_SCORE;
      case "coordinate_tracking":
        this.#int32(0x10, record.coordinateX, "coordinateX");
        this.#int32(0x18, record.coordinateY, "coordinateY");
        this.#text(0x22, record.actionType, "actionType", true);
        this.#bool(0x28, record.success, "success");
        this.#json(0x32, record.context, "context");
        return KIND_COORDINATE;
      case "frame_tracking":
        this.#text(0x12, record.frameHash, "frameHash", true);
        this.#json(0x1a, record.frameAnalysis, "frameAnalysis");
        this.#bool(0x20, record.stagnationDetected, "stagnationDetected");
        return KIND_FRAME;
      default:
        throw new UnencodableError(
          `type is ${show((record as { readonly type?: unknown }).type)}, which is not one of the six record types`,
          { code: "UNKNOWN_TYPE", retryable: false },
        );
    }
  }

  #double(tag: number, value: number | undefined, field: string): void {
    if (value == null) return;
    if (typeof value !== "number") throw badField(field, "a number", value);
    this.#out.double(tag, value);
  }

  #int32(tag: number, value: number | undefined, field: string): void {
    if (value == null) return;
    if (typeof value !== "number" || (value | 0) !== value) throw badField(field, "a 32-bit integer", value);
    this.#out.int64(tag, value);
  }

  #bool(tag: number, value: boolean | undefined, field: string): void {
    if (value == null) return;
    if (typeof value !== "boolean") throw badField(field, "true or false", value);
    this.#out.bool(tag, value);
  }

  #json(tag: number, value: unknown, field: string): void {
    if (value === undefined) return;
    if (!this.#smallJson(tag, value)) this.#text(tag, jsonText(value, field), field, true);
  }

  /** False, and nothing written, for what is not small and plain. */
  #smallJson(tag: number, value: unknown): boolean {
    const out = this.#out;
    out.reserve(FIXED_BYTES_MAX + SMALL_JSON_BYTES_MAX);
    const { bytes, position } = out;
    const guess = this.#jsonWidthGuess;
    const begin = position + 1 + guess;
    const end = writeSmallJson(bytes, begin, value);
    if (end < 0) return false;
    const length = end - begin;
    const width = lengthWidth(length);
    if (width !== guess) {
      bytes.copyWithin(position + 1 + width, begin, end);
      this.#jsonWidthGuess = width;
    }
    bytes[position] = tag;
    out.position = writeLength(bytes, position + 1, length) + length;
    return true;
  }

  /** `explicit`: an empty text is written, because the field is optional in the schema and empty is not absent. */
  #text(tag: number, value: string | undefined, field: string, explicit: boolean): void {
    if (value == null) return;
    if (typeof value !== "string") throw badField(field, "a text", value);
    if (value.length === 0 && !explicit) return;
    if (value.length > ENTRY_BYTES_MAX) throw tooLarge(value.length);
    this.#out.reserve(FIXED_BYTES_MAX + 3 * value.length);
    this.#out.text(tag, value);
  }
}

function wholeNumber(value: number, field: string, exact = false): number {
  if (typeof value !== "number") throw badField(field, "a safe integer", value);
  const whole = exact ? value : Math.trunc(value);
  if (!Number.isSafeInteger(whole)) throw badField(field, "a safe integer", value);
  return whole === 0 ? 0 : whole;
}

function badField(field: string, expected: string, value: unknown): UnencodableError {
  return new UnencodableError(`${field} must be ${expected}, but is ${show(value)}`, {
    code: "BAD_FIELD",
    retryable: false,
  });
}

function tooLarge(bytes: number): UnencodableError {
  return new UnencodableError(
    `the record takes ${bytes} bytes encoded, more than ${ENTRY_BYTES_MAX}: split it or shorten its JSON`,
    { code: "RECORD_TOO_LARGE", retryable: false },
  );
}

function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value);
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : "an object";
  return String(value);
}

/** A record as every reader sees it, whether it comes from memory or from a table. */
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { type Record as ProtoRecord, StoredRecord } from "@tailkeep/proto";
import type { Batch, Rows } from "./batch.js";
import { firstAbove } from "./batch.js";
import { type Column, type Table, tableAt, type Value } from "./tables.js";

export interface StoredRow {
  table: Table;
  sessionId: string;
  streamId: string;
  stream: bigint;
  seq: number;
  timeUs: number;
  /** Columns whose value is not finite: `score=NaN,win_rate=-Infinity`; their value is null. */
  nonfinite: string | null;
  /** Values of the table's own columns. */
  values: readonly Value[];
  /** Its field of an answer, once somebody has read it: the newest records are read again and again. */
  encoded?: Uint8Array;
  /** Its `rowBytes`, once somebody has asked: counting bytes means reading the texts. */
  bytes?: number;
}

/** Bytes of a row's texts in UTF-8 and of its numbers, about: what pages, caches and watchers count. */
export function rowBytes(row: StoredRow): number {
  if (row.bytes !== undefined) return row.bytes;
  let bytes = 64 + row.values.length * 8;
  for (const value of row.values) if (typeof value === "string") bytes += Buffer.byteLength(value);
  row.bytes = bytes;
  return bytes;
}

function messageValue(column: Column, value: Value): unknown {
  if (value === null) return undefined;
  if (column.kind === "bool") return value !== 0;
  return column.kind === "int64" ? BigInt(value) : value;
}

function nonfiniteValues(text: string): Map<string, number> {
  return new Map(
    text.split(",").map((part) => {
      const [name, value] = part.split("=");
      return [name as string, Number(value)];
    }),
  );
}

export function recordMessage(row: StoredRow): ProtoRecord {
  const message: { [property: string]: unknown } = {};
  const { columns } = row.table;
  for (let at = 0; at < columns.length; at++) {
    const column = columns[at] as Column;
    message[column.property] = messageValue(column, row.values[at] as Value);
  }
  if (row.nonfinite !== null) {
    for (const [name, value] of nonfiniteValues(row.nonfinite)) {
      const column = columns.find((each) => each.name === name);
      if (column !== undefined) message[column.property] = value;
    }
  }
  const $case = row.table.name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return { eventTimeUs: BigInt(row.timeUs), kind: { $case, value: message } as unknown as ProtoRecord["kind"] };
}

export function storedMessage(row: StoredRow): StoredRecord {
  return { sessionId: row.sessionId, streamId: row.streamId, seq: BigInt(row.seq), record: recordMessage(row) };
}

/** Number of the field that holds records in ListRecordsResponse, TailRecordsResponse and WatchRecordsResponse. */
const RECORDS_TAG = (1 << 3) | 2;

function encodeRecord(row: StoredRow): Uint8Array {
  row.encoded ??= new BinaryWriter()
    .uint32(RECORDS_TAG)
    .bytes(StoredRecord.encode(storedMessage(row)).finish())
    .finish();
  return row.encoded;
}

/** Rows as that field, each a StoredRecord; other fields of the message may follow. */
export function encodeRecords(rows: readonly StoredRow[]): Uint8Array {
  return Buffer.concat(rows.map(encodeRecord));
}

/** Whose rows a batch has. */
export interface RowOwner {
  key: bigint;
  sessionId: string;
  streamId: string;
}

function batchRow(rows: Rows, at: number, table: Table, owner: RowOwner): StoredRow {
  const own = table.columns.length;
  return {
    table,
    sessionId: owner.sessionId,
    streamId: owner.streamId,
    stream: owner.key,
    seq: rows.seqs[at] as number,
    timeUs: rows.timesUs[at] as number,
    nonfinite: rows.nonfinite[at] as string | null,
    values: rows.values.slice(at * own, (at + 1) * own),
  };
}

function isRising(numbers: readonly number[]): boolean {
  for (let at = 1; at < numbers.length; at++) if ((numbers[at] as number) < (numbers[at - 1] as number)) return false;
  return true;
}

/** The rows of one table of a batch that are newest by event time, at most `limit`, oldest first. */
export function newestTableRows(batch: Batch, index: number, owner: RowOwner, limit: number): StoredRow[] {
  const rows = batch.rows[index];
  if (rows === undefined) return [];
  const table = tableAt(index);
  const { timesUs } = rows;
  // The order of numbers is the order of time for nearly every trainer.
  if (isRising(timesUs)) {
    const newest: StoredRow[] = [];
    for (let at = Math.max(0, timesUs.length - limit); at < timesUs.length; at++) {
      newest.push(batchRow(rows, at, table, owner));
    }
    return newest;
  }
  const places = Array.from(timesUs.keys());
  places.sort((a, b) => (timesUs[a] as number) - (timesUs[b] as number) || a - b);
  return places.slice(-limit).map((at) => batchRow(rows, at, table, owner));
}

/** All rows of a batch with numbers above `aboveSeq`, in order. */
export function batchRows(batch: Batch, owner: RowOwner, aboveSeq: number): StoredRow[] {
  const found: StoredRow[] = [];
  for (const [index, rows] of batch.rows.entries()) {
    if (rows === undefined) continue;
    const table = tableAt(index);
    for (let at = firstAbove(rows.seqs, aboveSeq); at < rows.seqs.length; at++)
      found.push(batchRow(rows, at, table, owner));
  }
  return found.sort((a, b) => a.seq - b.seq);
}

/** Order of a tail: event time, then stream, then number. */
export function byTime(a: StoredRow, b: StoredRow): number {
  if (a.timeUs !== b.timeUs) return a.timeUs - b.timeUs;
  if (a.stream !== b.stream) return a.stream < b.stream ? -1 : 1;
  return a.seq - b.seq;
}

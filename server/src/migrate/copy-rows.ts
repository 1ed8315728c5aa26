/**
 * Copies rows of the six tables, stream by stream in the order of their numbers.
 *
 * How far a stream is says its highest number in the target, so nothing else need be remembered: a slice is one
 * transaction, and after any kind of death the next run goes on behind the last one that was committed.
 */
import { INSERT_CHARS_MAX, INSERT_ROWS_MAX } from "../limits.js";
import { TABLES, type Table } from "../record/tables.js";
import type { Session } from "../store/mysql/connection.js";
import { insertInParts } from "../store/mysql/side-rows.js";
import { rowsTable, writtenColumns } from "../store/schema.js";
import type { Cell, Source, SourceStream } from "./source.js";
import { cellLiteral, charsOf, isSame, type Target } from "./target.js";

/** Streams looked at together: their places in the target are one question a table. */
const STREAMS_A_PAGE = 500;

/** Whichever is reached first; a row has up to 512 KiB of JSON. */
const ROWS_A_SLICE = INSERT_ROWS_MAX;
const CHARS_A_SLICE = 2 * INSERT_CHARS_MAX;

export type OnCopied = (rows: number) => void;

/** Streams by key, and the watermark up to which they were copied: what has not moved is not looked at again. */
export type Passed = Map<bigint, bigint>;

/** One look at all streams. Returns the number of rows that were copied. */
export async function copyNewRows(
  source: Source,
  target: Target,
  passed: Passed,
  onCopied: OnCopied,
  signal: AbortSignal,
): Promise<number> {
  let copied = 0;
  let above = -1n;
  for (;;) {
    const page = source.streamsAbove(above, STREAMS_A_PAGE);
    const last = page.at(-1);
    if (last === undefined || signal.aborted) return copied;
    above = last.key;
    const moved = page.filter(({ key, committedSeq }) => passed.get(key) !== committedSeq);
    if (moved.length === 0) continue;
    for (const table of TABLES) {
      const streams = moved.filter(({ has }) => has[table.index]);
      copied += await copyTable(source, target, table, streams, onCopied, signal);
    }
    if (!signal.aborted) for (const { key, committedSeq } of moved) passed.set(key, committedSeq);
  }
}

async function copyTable(
  source: Source,
  target: Target,
  table: Table,
  streams: readonly SourceStream[],
  onCopied: OnCopied,
  signal: AbortSignal,
): Promise<number> {
  if (streams.length === 0) return 0;
  const places = await placesOf(target, table, streams);
  let copied = 0;
  let slice: Cell[][] = [];
  let chars = 0;
  const isFull = () => slice.length >= ROWS_A_SLICE || chars >= CHARS_A_SLICE;
  const flush = async () => {
    if (slice.length === 0) return;
    await insertChecked(target, table, slice);
    copied += slice.length;
    onCopied(slice.length);
    slice = [];
    chars = 0;
  };
  for (const { key } of streams) {
    let behind = places.get(String(key)) ?? 0n;
    for (;;) {
      if (signal.aborted) return copied;
      // Read without a pause up to a full slice: the source's read transaction ends before the target is waited for.
      for (const row of source.rowsBehind(table, key, behind)) {
        slice.push(row);
        chars += row.reduce<number>((sum, cell) => sum + charsOf(cell), 0);
        behind = row[1] as bigint;
        if (isFull()) break;
      }
      if (!isFull()) break;
      await flush();
    }
  }
  await flush();
  return copied;
}

/** Highest number of each stream in the target. */
async function placesOf(
  target: Target,
  table: Table,
  streams: readonly SourceStream[],
): Promise<ReadonlyMap<string, bigint>> {
  const keys = streams.map(({ key }) => key).join(",");
  const rows = await target.query(
    `SELECT stream, MAX(seq) AS seq FROM ${rowsTable(table)} WHERE stream IN (${keys}) GROUP BY stream`,
  );
  return new Map(rows.map((row) => [String(row["stream"]), BigInt(String(row["seq"]))]));
}

/** Nothing is committed that does not come back from the database value by value as it was. */
async function insertChecked(target: Target, table: Table, slice: readonly Cell[][]): Promise<void> {
  const columns = writtenColumns(table);
  const tuples = slice.map((row) => `(${row.map(cellLiteral).join(",")})`);
  await target.lanes.transaction(async (session) => {
    await insertInParts(session, `INSERT INTO ${rowsTable(table)} (${columns.join(",")}) VALUES `, tuples);
    await readBack(session, table, columns, slice);
  });
}

async function readBack(session: Session, table: Table, columns: readonly string[], slice: readonly Cell[][]) {
  const found = new Map<string, Record<string, unknown>>();
  for (const { stream, first, last } of rangesOf(slice)) {
    const rows = await session.query(
      `SELECT ${columns.join(",")} FROM ${rowsTable(table)} WHERE stream = ${stream} AND seq BETWEEN ${first} AND ${last}`,
    );
    for (const row of rows) found.set(`${String(row["stream"])} ${String(row["seq"])}`, row);
  }
  for (const row of slice) {
    const read = found.get(`${String(row[0])} ${String(row[1])}`);
    const wrong = columns.find((column, at) => !isSame(row[at] as Cell, read?.[column]));
    if (wrong === undefined) continue;
    throw new Error(
      `${table.name}.${wrong} of number ${String(row[1])} in stream ${String(row[0])} does not come back as it was ` +
        "written; nothing of this slice was kept: please report it",
    );
  }
  if (found.size !== slice.length) throw new Error(`${table.name}: the database has rows that were not copied`);
}

/** Slices are in the order of streams and numbers. */
function rangesOf(slice: readonly Cell[][]): { stream: bigint; first: bigint; last: bigint }[] {
  const ranges: { stream: bigint; first: bigint; last: bigint }[] = [];
  for (const row of slice) {
    const [stream, seq] = row as [bigint, bigint];
    const range = ranges.at(-1);
    if (range?.stream === stream) range.last = seq;
    else ranges.push({ stream, first: seq, last: seq });
  }
  return ranges;
}

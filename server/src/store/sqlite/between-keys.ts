/** Which rows of a statement need no entry in the key index; see key-index.ts. */
import type { Table, Value } from "../../record/tables.js";
import { KEY_BLOCK_BITS } from "../key-index.js";
import type { RunData } from "../store.js";

type TableRows = NonNullable<RunData["rows"][number]>;

/** A shift would cut numbers to 32 bits. */
const BLOCK_NUMBERS = 2 ** KEY_BLOCK_BITS;

/**
 * Places in `rows`, from `from` on, that lie between a row of the same key before and one after them. Only where time
 * follows the numbers and all are of one block, for a reader takes the first and the last entry of a key in a block for
 * the earliest and the latest of its rows there.
 */
export function rowsBetweenKeys(
  table: Table,
  rows: TableRows,
  from: number,
  count: number,
): ReadonlySet<number> | undefined {
  if (count < 3) return undefined;
  const { seqs, timesUs } = rows;
  const last = from + count - 1;
  const blockOf = (at: number) => Math.floor((seqs[at] as number) / BLOCK_NUMBERS);
  if (blockOf(from) !== blockOf(last)) return undefined;
  const between = new Set<number>();
  const newest = new Map<Value, { at: number; isFirst: boolean }>();
  for (let at = from; at <= last; at++) {
    if (at > from && (timesUs[at] as number) < (timesUs[at - 1] as number)) return undefined;
    const key = keyOf(table, rows, at);
    const before = newest.get(key);
    if (before === undefined) newest.set(key, { at, isFirst: true });
    else {
      if (!before.isFirst) between.add(before.at);
      before.at = at;
      before.isFirst = false;
    }
  }
  return between;
}

function keyOf(table: Table, rows: TableRows, at: number): Value {
  const start = at * table.columns.length;
  const [first, second] = table.keyPlaces;
  const value = rows.values[start + (first as number)] as Value;
  return second === undefined ? value : `${value},${rows.values[start + second]}`;
}

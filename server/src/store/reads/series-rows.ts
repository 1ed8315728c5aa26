/** Records as far as their series are asked for, one by one. */
import { type RawBuilder, sql } from "kysely";
import type { Table, Value } from "../../record/tables.js";
import { timestampUs } from "../../record/time.js";
import { rowsTable } from "../schema.js";
import { run, type Source } from "./database.js";

export interface SeriesRow {
  seq: number;
  timeUs: number;
  gameId: string;
  /** Of the columns that were asked for, in their order. */
  values: Value[];
}

/** Which records of a stream. */
export interface SeriesRange {
  readonly key: bigint;
  /** At least those of this game; undefined: those of all games. */
  readonly gameId: string | undefined;
  /** Both ends included. */
  readonly fromSeq: number;
  readonly toSeq: number;
}

export interface SeriesPage {
  readonly rows: SeriesRow[];
  /** Number of the first record that the page does not reach; undefined where there are no more. */
  readonly next: number | undefined;
  /** Bytes of the longest JSON value that was met, on the page or right behind it. */
  readonly longest: number;
}

/**
 * Records of one type in the order of their numbers: at most `limit`, and up to the first with a JSON value of more than
 * `bytesMax` bytes. So a page has a bound in bytes, whatever is stored: the database does not send what is too long.
 */
export async function seriesRows(
  source: Source,
  table: Table,
  { key, gameId, fromSeq, toSeq }: SeriesRange,
  columns: readonly string[],
  limit: number,
  bytesMax: number,
): Promise<SeriesPage> {
  // Both axes of a question may lie in the same column.
  const distinct = [...new Set(columns)];
  const kinds = distinct.map((name) => table.columns.find((column) => column.name === name)?.kind);
  let query = source.db
    .selectFrom(rowsTable(table) as "score_history_rows")
    .select([
      "seq",
      "timestamp",
      "game_id",
      ...distinct.flatMap((name, at): ReturnType<RawBuilder<Value>["as"]>[] => {
        const column = sql.ref(name);
        if (kinds[at] !== "json") return [sql<Value>`${column}`.as(`value_${at}`)];
        return [
          sql<Value>`case when octet_length(${column}) <= ${bytesMax} then ${column} end`.as(`value_${at}`),
          sql<Value>`octet_length(${column})`.as(`bytes_${at}`),
        ];
      }),
    ])
    .where("stream", "=", key)
    .where("seq", ">=", fromSeq)
    .where("seq", "<=", toSeq);
  // MySQL pads when it compares: "a" equals "a " there.
  if (gameId !== undefined) query = query.where("game_id", "=", gameId);
  const found = (await run(source.execute, query.orderBy("seq").limit(limit))) as unknown as Record<string, Value>[];
  const places = columns.map((name) => distinct.indexOf(name));
  const rows: SeriesRow[] = [];
  let longest = 0;
  for (const row of found) {
    for (const at of distinct.keys()) longest = Math.max(longest, Number(row[`bytes_${at}`] ?? 0));
    const seq = Number(row["seq"]);
    if (longest > bytesMax) return { rows, next: seq, longest };
    rows.push({
      seq,
      timeUs: timestampUs(row["timestamp"] as string),
      gameId: row["game_id"] as string,
      values: places.map((at) => {
        const value = row[`value_${at}`] as Value;
        return kinds[at] === "int64" && value !== null ? Number(value) : value;
      }),
    });
  }
  const last = rows.at(-1);
  return { rows, next: last === undefined || rows.length < limit ? undefined : last.seq + 1, longest };
}

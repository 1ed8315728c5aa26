/**
 * What has changed in rows that were copied already, while the server of the source ran: pinned sessions have another
 * expiry day, expired rows and deleted sessions are gone. Whole groups of rows (a stream's that expire on one day) are
 * compared on both sides; what differs is removed from the target, and the next copy brings it again as it is now.
 */
import { DELETE_SLICE_ROWS, MIGRATION_STATEMENT_MS_MAX } from "../limits.js";
import { TABLES, type Table } from "../record/tables.js";
import { rowsTable } from "../store/schema.js";
import { GROUP_PRINT, type Group, groupOf, type Source } from "./source.js";
import type { Target } from "./target.js";

const STREAMS_A_RANGE = 1_000;
const KEY_MAX = (1n << 63n) - 1n;

/** Number of groups that differed and were removed from the target, up to where it was interrupted. */
export async function removeWhatDiffers(source: Source, target: Target, signal: AbortSignal): Promise<number> {
  let differing = 0;
  let from = 0n;
  for (;;) {
    const last = source.streamsAbove(from - 1n, STREAMS_A_RANGE).at(-1);
    // The last range has what lies above all streams of the source too.
    const to = last === undefined ? KEY_MAX : last.key;
    for (const table of TABLES) differing += await settleRange(source, target, table, from, to);
    if (to === KEY_MAX || signal.aborted) return differing;
    from = to + 1n;
  }
}

async function settleRange(source: Source, target: Target, table: Table, from: bigint, to: bigint): Promise<number> {
  const ours = new Map(source.groups(table, from, to).map((group) => [idOf(group), group]));
  const rows = await target.query(
    `SELECT stream, expires_on AS day, ${GROUP_PRINT} FROM ${rowsTable(table)}
     WHERE stream BETWEEN ${from} AND ${to} GROUP BY stream, expires_on`,
  );
  let differing = 0;
  const again = new Set<string>();
  const theirs = rows.map(groupOf);
  for (const group of theirs) {
    const own = ours.get(idOf(group));
    ours.delete(idOf(group));
    if (own?.print === group.print) continue;
    differing++;
    if (own === undefined) await remove(target, table, `stream = ${group.stream} AND expires_on = '${group.day}'`);
    else again.add(group.stream);
  }
  // The copy goes on behind the highest number of a stream, so what is missing below it needs the whole stream anew.
  for (const missing of ours.values()) {
    differing++;
    again.add(missing.stream);
  }
  for (const stream of again) await remove(target, table, `stream = ${stream}`);
  return differing;
}

function idOf({ stream, day }: Group): string {
  return `${stream} ${day}`;
}

/** From its end, so that what a killed run leaves is a beginning without holes. */
async function remove(target: Target, table: Table, condition: string): Promise<void> {
  const sql = `DELETE FROM ${rowsTable(table)} WHERE ${condition} ORDER BY seq DESC LIMIT ${DELETE_SLICE_ROWS}`;
  for (;;) {
    const answer = await target.lanes.transaction((session) => session.query(sql, MIGRATION_STATEMENT_MS_MAX));
    if ((answer as unknown as { affectedRows: number }).affectedRows < DELETE_SLICE_ROWS) return;
  }
}

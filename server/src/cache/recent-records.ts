/** The newest records of one session, by event time: a bounded list for each type. Holds only what is committed. */
import { CACHE_RECORD_OVERHEAD_BYTES } from "../limits.js";
import { byTime, rowBytes, type StoredRow } from "../record/stored-row.js";
import { TABLE_COUNT } from "../record/tables.js";

/** What a row takes in memory: its values, the objects that hold them, and its message once it is read. */
function costBytes(row: StoredRow): number {
  return 2 * rowBytes(row) + CACHE_RECORD_OVERHEAD_BYTES;
}

export class RecentRecords {
  readonly #capacities: readonly number[];
  readonly #bytesMax: number;
  /** By table, oldest first. */
  readonly #rows: StoredRow[][] = Array.from({ length: TABLE_COUNT }, () => []);
  /** By table: up to this row, itself included, the list need not have what the store has. */
  readonly #floors: (StoredRow | undefined)[] = new Array<StoredRow | undefined>(TABLE_COUNT).fill(undefined);
  #bytes = 0;

  /**
   * @param capacities records kept, by table index
   * @param bytesMax of all lists together
   */
  constructor(capacities: readonly number[], bytesMax: number) {
    this.#capacities = capacities;
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get count(): number {
    return this.#rows.reduce((sum, rows) => sum + rows.length, 0);
  }

  /** Adds a row in its place; one that is there already, or older than a full list, changes nothing. */
  add(row: StoredRow): void {
    const { index } = row.table;
    const rows = this.#rows[index] as StoredRow[];
    const capacity = this.#capacities[index] as number;
    // Nearly always the newest: its place is found from the end.
    let at = rows.length;
    while (at > 0 && byTime(rows[at - 1] as StoredRow, row) > 0) at--;
    const before = rows[at - 1];
    if (before !== undefined && before.seq === row.seq && before.stream === row.stream) return;
    const floor = this.#floors[index];
    if (at === 0 && floor !== undefined && byTime(row, floor) <= 0) return;
    if (at === rows.length) rows.push(row);
    else rows.splice(at, 0, row);
    this.#bytes += costBytes(row);
    while (rows.length > capacity || (this.#bytes > this.#bytesMax && rows.length > 0)) {
      const evicted = rows.shift() as StoredRow;
      this.#bytes -= costBytes(evicted);
      this.#floors[index] = evicted;
    }
  }

  /** The store may have records older than `row`, which was the oldest that was read. */
  markCut(index: number, row: StoredRow): void {
    const floor = this.#floors[index];
    if (floor === undefined || byTime(row, floor) > 0) this.#floors[index] = row;
  }

  /**
   * The newest `limit` rows of the given tables, oldest first, or undefined where these lists cannot tell: one of them
   * has a floor, and records below it could belong to the answer.
   */
  newest(tables: readonly number[], limit: number): StoredRow[] | undefined {
    // The lists are sorted, so the newest is always the last of one of them.
    const ends = tables.map((index) => (this.#rows[index] as StoredRow[]).length);
    const found: StoredRow[] = [];
    while (found.length < limit) {
      let newest: StoredRow | undefined;
      let from = -1;
      for (let at = 0; at < tables.length; at++) {
        const row = this.#rows[tables[at] as number]?.[(ends[at] as number) - 1];
        if (row === undefined || (newest !== undefined && byTime(row, newest) < 0)) continue;
        newest = row;
        from = at;
      }
      if (newest === undefined) break;
      found.push(newest);
      ends[from] = (ends[from] as number) - 1;
    }
    found.reverse();
    for (const index of tables) {
      const floor = this.#floors[index];
      if (floor === undefined) continue;
      const [first] = found;
      if (found.length < limit || first === undefined || byTime(floor, first) > 0) return undefined;
    }
    return found;
  }
}

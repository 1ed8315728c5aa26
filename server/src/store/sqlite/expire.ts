/** Expiry on SQLite: the storing day, slices of one table and of the file, and what was done. */
import { EXPIRY_RUNS_KEPT, EXPIRY_SLICE_PAGES, EXPIRY_SLICE_ROWS, FREE_PAGES_KEPT_SHARE } from "../../limits.js";
import { dayNumber, dayOfMs, dayText, nowUs } from "../../record/time.js";
import type { ExpiryReport } from "../expiry.js";
import type { Move } from "../pins.js";
import type { Connection } from "./connection.js";
import type { SideRows } from "./side-rows.js";

const INCREMENTAL = 2;

export class Expiry {
  readonly #connection: Connection;
  readonly #sideRows: SideRows;

  constructor(connection: Connection, sideRows: SideRows) {
    this.#connection = connection;
    this.#sideRows = sideRows;
  }

  /**
   * Moves the storing day and returns it, as days since 1970. It only goes forward, one day a run, so that a clock gone mad
   * cannot expire everything at once.
   */
  advanceStoringDay(): number {
    return this.#connection.transaction(() => {
      const today = dayOfMs(Date.now());
      const row = this.#connection.get("SELECT day FROM storing_day WHERE id = 1");
      const before = row === undefined ? today : dayNumber(String(row["day"]));
      const day = today > before ? before + 1 : before;
      this.#connection.run(
        "INSERT INTO storing_day (id, day) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET day = excluded.day",
        [dayText(day)],
      );
      return day;
    });
  }

  /** Deletes some rows of a table that expire before `day`; returns how many. */
  deleteSlice(table: string, day: string): number {
    const some = `SELECT rowid FROM ${table} WHERE expires_on < ? ORDER BY expires_on LIMIT ${EXPIRY_SLICE_ROWS}`;
    return this.#connection.transaction(() => {
      if (table === "dead_letters") this.#sideRows.countAgain();
      return this.#connection.run(`DELETE FROM ${table} WHERE rowid IN (${some})`, [day]);
    });
  }

  /** Gives some rows of a pinned or unpinned session another day; returns how many. */
  movePinSlice({ namespace, sessionId, table, where, to }: Move): number {
    const some = `SELECT rowid FROM ${table} WHERE ${where} AND namespace_id = ? AND session_id = ? LIMIT ${EXPIRY_SLICE_ROWS}`;
    const move = `UPDATE ${table} SET expires_on = ? WHERE rowid IN (${some})`;
    return this.#connection.transaction(() => this.#connection.run(move, [to, namespace, sessionId]));
  }

  /** Gives some of the file's free pages back; returns how many, none where they are worth keeping for rows to come. */
  giveBackSlice(): number {
    if (this.#pragma("auto_vacuum") !== INCREMENTAL) return 0;
    if (this.#pragma("freelist_count") <= this.#pragma("page_count") * FREE_PAGES_KEPT_SHARE) return 0;
    this.#connection.db.exec(`PRAGMA incremental_vacuum(${EXPIRY_SLICE_PAGES})`);
    return EXPIRY_SLICE_PAGES;
  }

  record(report: ExpiryReport): void {
    this.#connection.transaction(() => {
      this.#connection.run("INSERT INTO expiry_runs (ended_at_us, storing_day, report) VALUES (?, ?, ?)", [
        nowUs(),
        report.storingDay,
        JSON.stringify(report),
      ]);
      this.#connection.run(
        `DELETE FROM expiry_runs WHERE ended_at_us NOT IN
           (SELECT ended_at_us FROM expiry_runs ORDER BY ended_at_us DESC LIMIT ${EXPIRY_RUNS_KEPT})`,
      );
    });
  }

  #pragma(name: string): number {
    return Number(Object.values(this.#connection.db.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
  }
}

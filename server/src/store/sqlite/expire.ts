/** Expiry on SQLite: the storing day, slices of one table and of the file, and what was done. */
import { EXPIRY_RUNS_KEPT, EXPIRY_SLICE_PAGES, EXPIRY_SLICE_ROWS, FREE_PAGES_KEPT_SHARE } from "../../limits.js";
import { dayNumber, dayOfMs, dayText, nowUs } from "../../record/time.js";
import { agreeOn, type Days, type ExpiryReport, nextStoringDay } from "../expiry.js";
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

  /** Moves the storing day where it is its time; returns what is then. The host's clock is the database's. */
  advanceStoringDay(): Days {
    return this.#connection.transaction(() => {
      const days = this.days();
      return this.#setStoringDay(days, nextStoringDay(days));
    });
  }

  /** Sets the storing day to the one that an operator says it is, unless the clock says otherwise; returns what is then. */
  confirmStoringDay(day: number): Days {
    return this.#connection.transaction(() => {
      const days = this.days();
      return agreeOn(day, days) ? this.#setStoringDay(days, day) : days;
    });
  }

  days(): Days {
    const today = dayOfMs(Date.now());
    const row = this.#connection.get("SELECT day FROM storing_day WHERE id = 1");
    return { host: today, database: today, storing: row === undefined ? today : dayNumber(String(row["day"])) };
  }

  #setStoringDay(days: Days, storing: number): Days {
    this.#connection.run(
      "INSERT INTO storing_day (id, day) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET day = excluded.day",
      [dayText(storing)],
    );
    return { ...days, storing };
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

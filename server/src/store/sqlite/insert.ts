/** Inserts the rows of runs, several a statement where there are many: a fifth faster than one by one. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { RejectionReason } from "@tailkeep/proto";
import type { RejectedEntry } from "../../record/batch.js";
import { TABLES, type Table } from "../../record/tables.js";
import { timestampText } from "../../record/time.js";
import { BETWEEN_KEYS } from "../key-index.js";
import { rowsTable, writtenColumns } from "../schema.js";
import type { RunData } from "../store.js";
import { rowsBetweenKeys } from "./between-keys.js";
import { sqliteError } from "./errors.js";

const ROWS_PER_STATEMENT = 64;

type SqlValue = string | number | bigint | null | Uint8Array;

export interface RowStamp {
  createdAt: string;
  /** Expiry day by table index. */
  expiresOn: readonly string[];
}

/** The record as it was sent. */
type BodyOf = (seq: number) => Uint8Array | null;

class TableInsert {
  readonly #one: StatementSync;
  readonly #many: StatementSync;
  readonly #width: number;
  readonly #args: SqlValue[];

  constructor(
    db: DatabaseSync,
    readonly table: Table,
  ) {
    const columns = [...writtenColumns(table), BETWEEN_KEYS];
    const tuple = `(${columns.map(() => "?").join(",")})`;
    const head = `INSERT INTO ${rowsTable(table)} (${columns.join(",")}) VALUES `;
    this.#width = columns.length;
    this.#one = db.prepare(head + tuple);
    this.#many = db.prepare(head + new Array(ROWS_PER_STATEMENT).fill(tuple).join(","));
    this.#args = new Array<SqlValue>(ROWS_PER_STATEMENT * this.#width).fill(null);
  }

  /** Inserts all rows of a run; returns those that the database refuses as data. */
  insert(run: RunData, stamp: RowStamp, bodyOf: BodyOf): RejectedEntry[] {
    const count = run.rows[this.table.index]?.seqs.length ?? 0;
    const refused: RejectedEntry[] = [];
    let at = 0;
    while (at < count) {
      const rows = count - at >= ROWS_PER_STATEMENT ? ROWS_PER_STATEMENT : 1;
      this.#fill(run, at, rows, stamp);
      try {
        if (rows === 1) this.#one.run(...this.#args.slice(0, this.#width));
        else this.#many.run(...this.#args);
      } catch (error) {
        if (sqliteError(error).kind !== "poison") throw error;
        this.#insertAlone(run, at, rows, stamp, bodyOf, refused);
      }
      at += rows;
    }
    return refused;
  }

  /** One by one, so that only the bad row is refused. */
  #insertAlone(
    run: RunData,
    from: number,
    count: number,
    stamp: RowStamp,
    bodyOf: BodyOf,
    refused: RejectedEntry[],
  ): void {
    for (let at = from; at < from + count; at++) {
      this.#fill(run, at, 1, stamp);
      try {
        this.#one.run(...this.#args.slice(0, this.#width));
      } catch (error) {
        const problem = sqliteError(error);
        if (problem.kind !== "poison") throw error;
        const seq = run.rows[this.table.index]?.seqs[at] as number;
        refused.push({
          seq,
          type: this.table.type,
          reason: RejectionReason.REFUSED_BY_STORE,
          field: this.table.name,
          message: `${problem.code}: ${problem.message}`,
          body: bodyOf(seq),
        });
      }
    }
  }

  #fill(run: RunData, from: number, count: number, stamp: RowStamp): void {
    const rows = run.rows[this.table.index];
    if (rows === undefined) return;
    const args = this.#args;
    const own = this.table.columns.length;
    const between = rowsBetweenKeys(this.table, rows, from, count);
    let to = 0;
    for (let at = from; at < from + count; at++) {
      args[to++] = run.key;
      args[to++] = rows.seqs[at] as number;
      args[to++] = run.namespace;
      args[to++] = run.sessionId;
      for (let column = 0; column < own; column++) args[to++] = rows.values[at * own + column] as SqlValue;
      args[to++] = timestampText(rows.timesUs[at] as number);
      args[to++] = rows.nonfinite[at] as string | null;
      args[to++] = stamp.createdAt;
      args[to++] = stamp.expiresOn[this.table.index] as string;
      args[to++] = between?.has(at) ? 1 : null;
    }
  }
}

export class RunInsert {
  readonly #tables: TableInsert[];

  constructor(db: DatabaseSync) {
    this.#tables = TABLES.map((table) => new TableInsert(db, table));
  }

  insert(run: RunData, stamp: RowStamp, bodyOf: BodyOf): RejectedEntry[] {
    return this.#tables.flatMap((table) =>
      run.rows[table.table.index] === undefined ? [] : table.insert(run, stamp, bodyOf),
    );
  }
}

/** Inserts the rows of runs: multi-row INSERT as text, in key order, halved where the database refuses a row as data. */
import { RejectionReason } from "@tailkeep/proto";
import { INSERT_ROWS_MAX } from "../../limits.js";
import type { RejectedEntry } from "../../record/batch.js";
import { TABLES, type Table, type Value } from "../../record/tables.js";
import { timestampText } from "../../record/time.js";
import { StoreError } from "../errors.js";
import { rowsTable, writtenColumns } from "../schema.js";
import type { Run } from "../store.js";
import type { Session } from "./connection.js";
import { literal, textLiteral } from "./literal.js";

export interface RowStamp {
  /** `YYYY-MM-DD HH:MM:SS.ffffff` */
  createdAt: string;
  /** Expiry days of a namespace's records, by table index. */
  expiresOn: (namespace: string) => readonly string[];
}

/** A refused row, and the run that it is in. */
export interface Refusal {
  run: Run;
  entry: RejectedEntry;
}

/** One row on its way: its text, and where it came from. */
interface Pending {
  run: Run;
  seq: number;
}

const HEADS: readonly string[] = TABLES.map(
  (table) => `INSERT INTO ${rowsTable(table)} (${writtenColumns(table).join(",")}) VALUES `,
);

/** Inserts the rows of all runs, which stand in key order; returns those that the database refuses as data. */
export async function insertRows(session: Session, runs: readonly Run[], stamp: RowStamp): Promise<Refusal[]> {
  const refused: Refusal[] = [];
  for (const table of TABLES) {
    const own = table.columns.length;
    let tuples: string[] = [];
    let origins: Pending[] = [];
    let chars = 0;
    const charsMax = session.insertCharsMax - (HEADS[table.index] as string).length;
    const flush = async () => {
      if (tuples.length > 0) await insertTuples(session, table, tuples, origins, 0, tuples.length, refused);
      tuples = [];
      origins = [];
      chars = 0;
    };
    for (const run of runs) {
      const rows = run.rows[table.index];
      if (rows === undefined) continue;
      const head = `(${run.key},`;
      const suffix = `,'${stamp.createdAt}','${stamp.expiresOn(run.namespace)[table.index]}')`;
      const owner = `,${textLiteral(run.namespace)},${textLiteral(run.sessionId)}`;
      for (let at = 0; at < rows.seqs.length; at++) {
        let tuple = head + rows.seqs[at] + owner;
        for (let column = at * own; column < (at + 1) * own; column++)
          tuple += `,${literal(rows.values[column] as Value)}`;
        const nonfinite = rows.nonfinite[at] as string | null;
        tuple += `,'${timestampText(rows.timesUs[at] as number)}',${nonfinite === null ? "NULL" : textLiteral(nonfinite)}`;
        tuple += suffix;
        if (chars + tuple.length >= charsMax) await flush();
        tuples.push(tuple);
        origins.push({ run, seq: rows.seqs[at] as number });
        chars += tuple.length + 1;
        if (tuples.length >= INSERT_ROWS_MAX) await flush();
      }
    }
    await flush();
  }
  return refused;
}

/** InnoDB undoes a failed statement as a whole, so halves of it may be tried again in the same transaction. */
async function insertTuples(
  session: Session,
  table: Table,
  tuples: readonly string[],
  origins: readonly Pending[],
  from: number,
  to: number,
  refused: Refusal[],
): Promise<void> {
  try {
    await session.query(
      (HEADS[table.index] as string) + (from === 0 && to === tuples.length ? tuples : tuples.slice(from, to)).join(","),
    );
  } catch (error) {
    if (!(error instanceof StoreError) || error.kind !== "poison") throw error;
    if (to - from === 1) {
      const { run, seq } = origins[from] as Pending;
      refused.push({
        run,
        entry: {
          seq,
          type: table.type,
          reason: RejectionReason.REFUSED_BY_STORE,
          field: table.name,
          message: `${error.code}: ${error.message}`,
          body: run.bodyOf(seq),
        },
      });
      return;
    }
    const middle = (from + to) >>> 1;
    await insertTuples(session, table, tuples, origins, from, middle, refused);
    await insertTuples(session, table, tuples, origins, middle, to, refused);
  }
}

/** The part of `tailkeep import` that takes a database file, and what it says. */
import { RECORD_TYPE_NAMES, type TailkeepClient } from "@tailkeep/client";
import type { DatabaseReport } from "../../import/index.js";
import { CommandFailure } from "../failure.js";
import { progressLine } from "../progress-line.js";

export interface DatabaseImportFlags {
  readonly json?: true;
  readonly dryRun?: true;
}

/** @param client undefined for a dry run */
export async function importDatabaseFile(
  file: string,
  client: TailkeepClient | undefined,
  flags: DatabaseImportFlags,
): Promise<void> {
  // Loaded here: the import of JSON files needs no SQLite.
  const { importDatabase } = await import("../../import/database/run.js");
  const progress = progressLine(false);
  const startedAt = performance.now();
  let rows = 0;
  const report = await importDatabase(file, client, (count) => {
    rows += count;
    progress.show(`${rows.toLocaleString("en")} rows`);
  })
    .catch((error: unknown) => {
      const isNoDatabase = (error as { code?: string }).code === "ERR_SQLITE_ERROR";
      throw isNoDatabase
        ? new CommandFailure(`${file}: ${(error as Error).message}; is it the earlier system's database?`)
        : error;
    })
    .finally(() => progress.end());
  const seconds = (performance.now() - startedAt) / 1_000;
  if (flags.json) console.log(JSON.stringify({ file, dryRun: flags.dryRun === true, seconds, ...report }));
  else console.log(databaseText(file, flags.dryRun === true, report).join("\n"));
  const rejected = report.tables.reduce((sum, table) => sum + table.rejectedRecords, 0);
  if (rejected > 0) {
    throw new CommandFailure(`the server refused ${rejected} records as bad data and keeps them as dead letters`);
  }
}

function databaseText(file: string, isDryRun: boolean, { tables, otherTables }: DatabaseReport): string[] {
  const head = isDryRun ? `dry run: nothing was written. To import from ${file}` : `imported ${file}`;
  const line = (name: string, ...cells: (string | number)[]) =>
    name.padEnd(22) +
    cells.map((cell) => (typeof cell === "number" ? cell.toLocaleString("en") : cell).padStart(14)).join("");
  const lines = [head, "", line("table", "rows", "new", "already there")];
  for (const name of RECORD_TYPE_NAMES) {
    const table = tables.find((each) => each.table === name);
    if (table === undefined) lines.push(`${name.padEnd(22)}${"not in the file".padStart(28)}`);
    else lines.push(line(name, table.rows, table.newRecords, table.knownRecords));
  }
  for (const { table, missingColumns, otherColumns, notes } of tables) {
    if (missingColumns.length > 0) lines.push(`${table} has no ${missingColumns.join(", ")}`);
    if (otherColumns.length > 0) lines.push(`${table} has columns that have no place here: ${otherColumns.join(", ")}`);
    lines.push(...notes);
  }
  if (otherTables.length > 0) lines.push(`left alone: ${otherTables.join(", ")}`);
  return lines;
}

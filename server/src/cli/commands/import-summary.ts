/** The summary of an import as a person reads it. */
import { RECORD_TYPE_NAMES } from "@tailkeep/client";
import { FILE_STATUSES, type FileReport, type FileStatus, type ImportSummary, totalOf } from "../../import/index.js";

export interface ImportReport extends ImportSummary {
  readonly directory: string;
  readonly dryRun: boolean;
  readonly seconds: number;
}

/** Longer lists are for `--json`. */
const LISTED_MAX = 50;

export function summaryText(report: ImportReport): string {
  const did = report.dryRun ? "dry run: nothing was written. To import" : "imported";
  const { remarkable } = report;
  return [
    `${did} ${report.directory}: ${count(report.fileCount)} files, ${count(totalOf(report.newRecords))} new records, ${report.seconds.toFixed(1)} s`,
    "",
    "files",
    ...FILE_STATUSES.map((status) => row(status, report.filesByStatus[status]) + (EXPLANATIONS[status] ?? "")),
    "",
    row("records", "new", "already there"),
    ...RECORD_TYPE_NAMES.map((type) => row(type, report.newRecords[type] ?? 0, report.knownRecords[type] ?? 0)),
    "",
    row("", "written", "unchanged"),
    row("state documents", report.statesWritten, report.statesUnchanged),
    ...list("torn, imported up to the tear", remarkable, (file) =>
      file.torn
        ? `byte ${`${file.torn.atByte}`.padEnd(8)}${file.path}${file.torn.salvaged ? "" : "  (nothing before it)"}`
        : [],
    ),
    ...list("not ours, left alone", remarkable, (file) => (file.status === "not ours" ? file.path : [])),
    ...list("could not be imported", remarkable, (file) =>
      file.failure === undefined ? [] : `${file.path}: ${file.failure}`,
    ),
    ...list("left out", remarkable, (file) => file.notes.map((note) => `${file.path}: ${note}`)),
  ].join("\n");
}

const EXPLANATIONS: { readonly [Status in FileStatus]?: string } = {
  "already imported": "  by an earlier import, or all of it is in another file",
  "not ours": "  no JSON",
};

const NAME_WIDTH = 24;
const NUMBER_WIDTH = 15;

function row(name: string, ...cells: (number | string)[]): string {
  const padded = cells.map((cell) => (typeof cell === "number" ? count(cell) : cell).padStart(NUMBER_WIDTH));
  return name.padEnd(NAME_WIDTH) + padded.join("");
}

function list(title: string, files: readonly FileReport[], line: (file: FileReport) => string | string[]): string[] {
  const entries = files.flatMap(line);
  if (entries.length === 0) return [];
  const more = entries.length - LISTED_MAX;
  return [
    "",
    title,
    ...entries.slice(0, LISTED_MAX).map((entry) => `  ${entry}`),
    ...(more > 0 ? [`  and ${more} more: --json names them`] : []),
  ];
}

function count(value: number): string {
  return value.toLocaleString("en");
}

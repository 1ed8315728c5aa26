/** What an import did, file by file and in all. */
import type { RecordTypeName } from "@tailkeep/client";
import type { FileKind } from "./classify.js";
import { REMARKABLE_FILES_MAX } from "./limits.js";
import type { RecordCounts } from "./plan.js";

export type FileStatus =
  | "imported"
  | "already imported"
  | "state document"
  | "torn and salvaged"
  | "not ours"
  | "failed";

export const FILE_STATUSES: readonly FileStatus[] = [
  "imported",
  "already imported",
  "state document",
  "torn and salvaged",
  "not ours",
  "failed",
];

export interface FileReport {
  readonly path: string;
  readonly kind: FileKind;
  readonly status: FileStatus;
  readonly torn?: { readonly atByte: number; readonly salvaged: boolean };
  /** Why it, or a part of it, could not be imported. */
  readonly failure?: string;
  /** Stored by this run, refused ones included. */
  readonly newRecords: RecordCounts;
  /** Stored by an earlier run, or brought by an earlier file of this one. */
  readonly knownRecords: RecordCounts;
  readonly rejectedRecords: number;
  readonly statesWritten: number;
  readonly statesUnchanged: number;
  readonly notes: readonly string[];
}

export interface ImportSummary {
  readonly fileCount: number;
  readonly filesByStatus: { readonly [Status in FileStatus]: number };
  readonly newRecords: RecordCounts;
  readonly knownRecords: RecordCounts;
  readonly rejectedRecords: number;
  readonly statesWritten: number;
  readonly statesUnchanged: number;
  /**
   * Files that need a look, by path: torn, failed, not ours, or with something left out or refused. At most
   * REMARKABLE_FILES_MAX; filesByStatus counts them all.
   */
  readonly remarkable: readonly FileReport[];
}

export function addCounts(sum: { [Type in RecordTypeName]?: number }, counts: RecordCounts): void {
  for (const [type, count] of Object.entries(counts) as [RecordTypeName, number][])
    sum[type] = (sum[type] ?? 0) + count;
}

export function totalOf(counts: RecordCounts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

export class Summary {
  private fileCount = 0;
  private readonly filesByStatus = Object.fromEntries(FILE_STATUSES.map((status) => [status, 0])) as {
    [Status in FileStatus]: number;
  };
  private readonly newRecords: { [Type in RecordTypeName]?: number } = {};
  private readonly knownRecords: { [Type in RecordTypeName]?: number } = {};
  private rejectedRecords = 0;
  private statesWritten = 0;
  private statesUnchanged = 0;
  private readonly remarkable: FileReport[] = [];

  add(report: FileReport): void {
    this.fileCount += 1;
    this.filesByStatus[report.status] += 1;
    addCounts(this.newRecords, report.newRecords);
    addCounts(this.knownRecords, report.knownRecords);
    this.rejectedRecords += report.rejectedRecords;
    this.statesWritten += report.statesWritten;
    this.statesUnchanged += report.statesUnchanged;
    const isPlain =
      report.status === "imported" || report.status === "already imported" || report.status === "state document";
    const isRemarkable = !isPlain || report.notes.length > 0 || report.rejectedRecords > 0;
    if (isRemarkable && this.remarkable.length < REMARKABLE_FILES_MAX) this.remarkable.push(report);
  }

  result(): ImportSummary {
    return {
      fileCount: this.fileCount,
      filesByStatus: this.filesByStatus,
      newRecords: this.newRecords,
      knownRecords: this.knownRecords,
      rejectedRecords: this.rejectedRecords,
      statesWritten: this.statesWritten,
      statesUnchanged: this.statesUnchanged,
      remarkable: this.remarkable.sort((a, b) => (a.path < b.path ? -1 : 1)),
    };
  }
}

export { ClientTarget, DryRunTarget } from "./client-target.js";
export type { DatabaseReport } from "./database/run.js";
export type { ImportItem } from "./items.js";
export { type FilePlan, planImport, type RecordCounts } from "./plan.js";
export { type ImportTarget, ItemRefused, type Progress, runImport, type WrittenItem } from "./run.js";
export { type Json, type Salvage, salvageJson } from "./salvage-json.js";
export { countFiles, isDirectory } from "./source-files.js";
export type { ImportState } from "./state-documents.js";
export { FILE_STATUSES, type FileReport, type FileStatus, type ImportSummary, totalOf } from "./summary.js";

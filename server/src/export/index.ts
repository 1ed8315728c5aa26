export { isoTime, rowOf } from "./columns.js";
export { type FormatName, formatOf } from "./formats.js";
export { linesTo, type RecordSink, runExport } from "./run.js";
export { sinkTo } from "./sink.js";
export { fileToReplace } from "./target.js";

export { isoTime, rowOf } from "./columns.js";
export { type FormatName, formatOf } from "./formats.js";
export { runExport } from "./run.js";
export { sinkTo } from "./sink.js";

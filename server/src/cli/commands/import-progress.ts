/** How far an import is: a bar on a terminal, now and then a line elsewhere. On stderr: stdout has the result alone. */
import cliProgress from "cli-progress";
import { type FileReport, totalOf } from "../../import/index.js";

/** A log that is watched wants a sign of life, not a line a file. */
const LINE_INTERVAL_MS = 2_000;

export interface ImportProgress {
  file(report: FileReport): void;
  end(): void;
}

export function importProgress(fileCount: number, isSilent: boolean): ImportProgress {
  if (isSilent || fileCount === 0) return { file: () => {}, end: () => {} };
  return process.stderr.isTTY ? bar(fileCount) : lines(fileCount);
}

function bar(fileCount: number): ImportProgress {
  const progress = new cliProgress.SingleBar({
    format: "{bar} {value}/{total} files, {records} records",
    barCompleteChar: "#",
    barIncompleteChar: "-",
    hideCursor: true,
    clearOnComplete: true,
    gracefulExit: true,
    stream: process.stderr,
  });
  let records = 0;
  progress.start(fileCount, 0, { records });
  return {
    file: (report) => {
      records += totalOf(report.newRecords);
      progress.increment({ records: records.toLocaleString("en") });
    },
    end: () => progress.stop(),
  };
}

function lines(fileCount: number): ImportProgress {
  let files = 0;
  let records = 0;
  let lastLineAt = performance.now();
  return {
    file: (report) => {
      files += 1;
      records += totalOf(report.newRecords);
      if (performance.now() - lastLineAt < LINE_INTERVAL_MS) return;
      lastLineAt = performance.now();
      console.error(`${files} of ${fileCount} files, ${records} new records`);
    },
    end: () => {},
  };
}

/** `tailkeep import`: takes the files of the earlier system into a server; to be repeated without harm. */
import { connect, DeadlineError, type TailkeepClient, UnavailableError } from "@tailkeep/client";
import type { Command } from "commander";
import {
  ClientTarget,
  countFiles,
  DryRunTarget,
  type ImportSummary,
  isDirectory,
  planImport,
  runImport,
} from "../../import/index.js";
import { importProgress } from "./import-progress.js";
import { summaryText } from "./import-summary.js";

interface ImportFlags {
  readonly server?: string;
  readonly json?: true;
  readonly dryRun?: true;
}

const EXIT_FAILED = 1;
const EXIT_WRONG_USAGE = 2;

export function registerImport(program: Command): void {
  program
    .command("import")
    .description("take in the JSON files of the earlier Python system, torn ones too; repeating it adds nothing twice")
    .argument("<directory>", "folder with the files, at any depth")
    .option("--server <host:port>", "server to import into (default: TAILKEEP_SERVER, or 127.0.0.1:50051)")
    .option("--dry-run", "say what would be done, and do nothing")
    .option("--json", "print the summary as JSON, and nothing else")
    .action(importDirectory);
}

async function importDirectory(directory: string, flags: ImportFlags): Promise<void> {
  if (!(await isDirectory(directory))) {
    fail(`${directory} is not a folder: name the folder that has the earlier system's files`, EXIT_WRONG_USAGE);
    return;
  }
  const startedAt = performance.now();
  let client: TailkeepClient | undefined;
  const progress = importProgress(await countFiles(directory), flags.json === true);
  try {
    if (!flags.dryRun) client = connect({ server: flags.server });
    const target = client ? new ClientTarget(client) : new DryRunTarget();
    const summary = await runImport(planImport(directory), target, (report) => progress.file(report));
    progress.end();
    const seconds = (performance.now() - startedAt) / 1_000;
    const report = { directory, dryRun: flags.dryRun === true, seconds, ...summary };
    console.log(flags.json ? JSON.stringify(report) : summaryText(report));
    failIfIncomplete(summary);
  } catch (error) {
    progress.end();
    fail(explain(error, client?.options.server), EXIT_FAILED);
  } finally {
    await client?.close({ timeoutMs: 1_000 }).catch(() => {});
  }
}

function failIfIncomplete({ filesByStatus, rejectedRecords }: ImportSummary): void {
  if (filesByStatus.failed > 0) {
    fail(`${filesByStatus.failed} files could not be imported: see why above, and repeat the import`, EXIT_FAILED);
  }
  if (rejectedRecords > 0) {
    fail(`the server refused ${rejectedRecords} records as bad data and keeps them as dead letters`, EXIT_FAILED);
  }
}

function explain(error: unknown, server: string | undefined): string {
  if (error instanceof UnavailableError || error instanceof DeadlineError) {
    return `no answer from the server at ${server}: start it with npm start, or name it with --server; then repeat the import`;
  }
  return error instanceof Error ? error.message : String(error);
}

function fail(message: string, exitCode: number): void {
  console.error(`tailkeep import: ${message}`);
  process.exitCode = exitCode;
}

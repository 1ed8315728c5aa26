/** `tailkeep import`: takes the files of the earlier system into a server; to be repeated without harm. */
import { existsSync } from "node:fs";
import { connect, type TailkeepClient } from "@tailkeep/client";
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
import { addServerOption, explain, type ServerFlag } from "../connect.js";
import { EXIT_FAILED, EXIT_WRONG_USAGE, fail } from "../failure.js";
import { importDatabaseFile } from "./import-database.js";
import { importProgress } from "./import-progress.js";
import { summaryText } from "./import-summary.js";

interface ImportFlags extends ServerFlag {
  readonly json?: true;
  readonly dryRun?: true;
}

const EXAMPLES = `
Examples:
  tailkeep import ./old-trainer/data --dry-run
  tailkeep import ./old-trainer/data
  tailkeep import ./old-trainer/tabula_rasa.db`;

export function registerImport(program: Command): void {
  const command = program
    .command("import")
    .description("take in the JSON files or the database of the earlier Python system; repeating it adds nothing twice")
    .argument("<path>", "folder with JSON files, at any depth, or a SQLite file")
    .option("--dry-run", "say what would be done, and do nothing")
    .option("--json", "print the summary as JSON, and nothing else")
    .addHelpText("after", EXAMPLES)
    .action(importPath);
  addServerOption(command);
}

async function importPath(path: string, flags: ImportFlags): Promise<void> {
  if (!existsSync(path) || (await isDirectory(path))) return importDirectory(path, flags);
  let client: TailkeepClient | undefined;
  try {
    if (!flags.dryRun) client = connect({ server: flags.server });
    await importDatabaseFile(path, client, flags);
  } catch (error) {
    fail("import", explain(error, client?.options.server, "repeat the import"), EXIT_FAILED);
  } finally {
    await client?.close({ timeoutMs: 1_000 }).catch(() => {});
  }
}

async function importDirectory(directory: string, flags: ImportFlags): Promise<void> {
  if (!(await isDirectory(directory))) {
    fail(
      "import",
      `${directory} is neither a folder nor a file: name the folder or the database that has the earlier system's data`,
      EXIT_WRONG_USAGE,
    );
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
    fail("import", explain(error, client?.options.server, "repeat the import"), EXIT_FAILED);
  } finally {
    await client?.close({ timeoutMs: 1_000 }).catch(() => {});
  }
}

function failIfIncomplete({ filesByStatus, rejectedRecords }: ImportSummary): void {
  if (filesByStatus.failed > 0) {
    fail(
      "import",
      `${filesByStatus.failed} files could not be imported: see why above, and repeat the import`,
      EXIT_FAILED,
    );
  }
  if (rejectedRecords > 0) {
    fail(
      "import",
      `the server refused ${rejectedRecords} records as bad data and keeps them as dead letters`,
      EXIT_FAILED,
    );
  }
}

/** The `tailkeep` command. Exit codes: 0 done, 1 failed, 2 wrong usage. */
import { Command, CommanderError } from "commander";
import { VERSION } from "../base/version.js";
import { ConfigError } from "../config/load.js";
import { registerBackup } from "./commands/backup.js";
import { registerCompletion } from "./commands/completion.js";
import { registerConfig } from "./commands/config.js";
import { registerDemo } from "./commands/demo.js";
import { registerDoctor } from "./commands/doctor.js";
import { registerExport } from "./commands/export.js";
import { registerImport } from "./commands/import.js";
import { registerKeys } from "./commands/keys.js";
import { registerMigrate } from "./commands/migrate.js";
import { registerRetention } from "./commands/retention.js";
import { registerSeries } from "./commands/series.js";
import { registerServe } from "./commands/serve.js";
import { registerSessions } from "./commands/sessions.js";
import { registerStats } from "./commands/stats.js";
import { registerTail } from "./commands/tail.js";
import { registerTop } from "./commands/top.js";
import { EXIT_FAILED, EXIT_WRONG_USAGE } from "./failure.js";

const program = new Command("tailkeep")
  .description("Bounded memory, unbounded history: keeps every record of a training run, exactly once.")
  .version(VERSION)
  .showHelpAfterError("(add --help for what is possible)")
  .exitOverride();

registerServe(program);
registerImport(program);
registerExport(program);
registerTail(program);
registerTop(program);
registerDoctor(program);
registerConfig(program);
registerKeys(program);
registerDemo(program);
registerSessions(program);
registerSeries(program);
registerStats(program);
registerRetention(program);
registerBackup(program);
registerMigrate(program);
registerCompletion(program);

// `tailkeep serve --help | head`: the reader has enough. What prints on and on ends by itself (line-printer.ts).
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") return;
  console.error(`tailkeep: the output is incomplete: ${error.message}: make room there, or send it elsewhere`);
  process.exit(EXIT_FAILED);
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : EXIT_WRONG_USAGE;
  else {
    console.error(`tailkeep: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = error instanceof ConfigError ? EXIT_WRONG_USAGE : EXIT_FAILED;
  }
}

/** `tailkeep backup` and `tailkeep restore`: copies of the embedded store. */
import { type Command, Option } from "commander";
import type { Contents } from "../../backup/index.js";
import { isoTime } from "../../export/index.js";
import { addConfigFlags, configFromFlags } from "../config-flags.js";
import { CommandFailure, EXIT_FAILED, EXIT_WRONG_USAGE, fail } from "../failure.js";
import { progressLine } from "../progress-line.js";

type Flags = Readonly<Record<string, unknown>>;

const BACKUP_EXAMPLES = `
The server may run, and is not held up. The file is complete, checked and on disk when it appears.

Examples:
  tailkeep backup /backup/tailkeep-2026-11-22.db
  tailkeep backup --store sqlite:/var/lib/tailkeep/tailkeep.db /backup/monday.db
  tailkeep backup --verify /backup/monday.db`;

const RESTORE_EXAMPLES = `
The server must be stopped. The store that was there is kept, with ".replaced-" and the time at the end of its name.

Examples:
  tailkeep restore /backup/monday.db
  tailkeep restore --store sqlite:/var/lib/tailkeep/tailkeep.db /backup/monday.db`;

export function registerBackup(program: Command): void {
  const json = () => new Option("--json", "print the result as JSON, and nothing else");
  const backup = program
    .command("backup")
    .description("copy the embedded store into one file, while its server runs")
    .argument("<file>", "the file to make; it must not be there yet")
    .option("--verify", "make nothing: check this file")
    .addOption(json())
    .addHelpText("after", BACKUP_EXAMPLES)
    .action((file: string, flags: Flags) =>
      told("backup", () => (flags["verify"] === true ? verify(file, flags) : makeBackup(file, flags))),
    );
  addConfigFlags(backup, ["store"]);
  const restore = program
    .command("restore")
    .description("put a backup in the place of the embedded store, whose server is stopped")
    .argument("<file>", "what tailkeep backup made")
    .addOption(json())
    .addHelpText("after", RESTORE_EXAMPLES)
    .action((file: string, flags: Flags) => told("restore", () => restoreBackup(file, flags)));
  addConfigFlags(restore, ["store"]);
}

async function told(command: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const exitCode = error instanceof CommandFailure ? error.exitCode : EXIT_FAILED;
    fail(command, error instanceof Error ? error.message : String(error), exitCode);
  }
}

/** Loaded when it is asked for: no other command needs SQLite. */
const load = () => import("../../backup/index.js");

function embeddedFile(flags: Flags): string {
  const { store } = configFromFlags(flags).config;
  if (!store.startsWith("sqlite:")) {
    const remedy = "use the database's own tools, such as mariadb-backup or mysqldump --single-transaction";
    throw new CommandFailure(`the store is no file but a database server: ${remedy}`, EXIT_WRONG_USAGE);
  }
  return store.slice("sqlite:".length);
}

async function makeBackup(file: string, flags: Flags): Promise<void> {
  const source = embeddedFile(flags);
  const { backUp } = await load();
  const progress = progressLine(false);
  const { bytes, contents } = await backUp(source, file, (fraction) =>
    progress.show(fraction === undefined ? "checking every page" : `${Math.floor(fraction * 100)} % copied`),
  ).finally(() => progress.end());
  if (flags["json"] === true) print({ file, bytes, ...contents });
  else process.stdout.write(`${file}: ${bytes.toLocaleString("en")} bytes, checked\n${contentLines(contents)}`);
}

async function verify(file: string, flags: Flags): Promise<void> {
  const { verifyStore } = await load();
  let found: ReturnType<typeof verifyStore>;
  try {
    found = verifyStore(file);
  } catch (error) {
    throw new CommandFailure(
      `${file} cannot be read as a store: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  const { contents, problems } = found;
  if (flags["json"] === true) print({ file, ok: problems.length === 0, problems, ...contents });
  else if (problems.length === 0) process.stdout.write(`${file} is sound\n${contentLines(contents)}`);
  if (problems.length > 0) throw new CommandFailure(`${file} is not sound: ${problems.join("; ")}`);
}

async function restoreBackup(file: string, flags: Flags): Promise<void> {
  const store = embeddedFile(flags);
  const { restore } = await load();
  const suffix = new Date().toISOString().slice(0, 19).replaceAll(":", "").replace("T", "-");
  const { contents, replaced, leftovers, regression } = restore(file, store, suffix);
  if (flags["json"] === true) {
    print({ store, replaced: replaced ?? null, leftovers, regression: regression ?? null, ...contents });
    return;
  }
  const lines = [`${store} is ${file} now`];
  if (replaced !== undefined) lines.push(`what was there is kept as ${replaced}`);
  if (leftovers.length > 0) {
    lines.push(`files of a store that was moved away without them are kept as ${leftovers.join(", ")}`);
  }
  if (regression === undefined) {
    lines.push("what was there cannot be read: how far its streams were is known to their writers alone");
  } else if (regression.streams > 0) {
    const [streams, records] = [regression.streams.toLocaleString("en"), regression.records.toLocaleString("en")];
    lines.push(`${streams} streams had gone on since, by ${records} records, which are lost to this store`);
    lines.push(
      "writers that were told of them say so when they reconnect: a gap (store_regressed) stands in their place",
    );
  }
  process.stdout.write(`${lines.join("\n")}\n${contentLines(contents)}`);
}

function contentLines({ sessions, streams, rows, newestUs }: Contents): string {
  const newest = newestUs === undefined ? "" : `, the newest heard of at ${isoTime(newestUs)}`;
  const counts = Object.entries(rows).map(([name, count]) => `  ${name.padEnd(20)} ${count.toLocaleString("en")}\n`);
  return `  ${sessions.toLocaleString("en")} sessions, ${streams.toLocaleString("en")} streams${newest}\n${counts.join("")}`;
}

function print(result: object): void {
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

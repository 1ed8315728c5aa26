/** `tailkeep migrate`: from SQLite to MySQL or MariaDB, while the server runs. */
import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { withoutPassword } from "../../config/load.js";
import { addConfigFlags, configFromFlags } from "../config-flags.js";
import { CommandFailure, EXIT_FAILED, EXIT_WRONG_USAGE, fail } from "../failure.js";
import { untilInterrupted } from "../interrupt.js";
import { progressLine } from "../progress-line.js";

type Flags = Readonly<Record<string, unknown>>;

const EXAMPLES = `
Rows are copied while the server runs. When only the newest are missing it waits for you to stop that server, moves the
rest within seconds, and says so; then start the server on the new store. Killed at any moment, it goes on when it is run
again. A password belongs into TAILKEEP_MIGRATE_TO or a file: everybody on the machine can see a command's arguments.

Examples:
  TAILKEEP_MIGRATE_TO=mysql://user:password@host:3306/tailkeep tailkeep migrate
  tailkeep migrate --to-file /etc/tailkeep/new-store --store sqlite:/var/lib/tailkeep/tailkeep.db
  tailkeep migrate --to-file /etc/tailkeep/new-store --copy-only`;

export function registerMigrate(program: Command): void {
  const command = program
    .command("migrate")
    .description("move a live installation from SQLite to MySQL or MariaDB, each record exactly once")
    .option(
      "--to <url>",
      "the new store, mysql://user@host:3306/database, without a password (default: TAILKEEP_MIGRATE_TO)",
    )
    .option("--to-file <file>", "a file with the new store's URL")
    .option("--copy-only", "end when all but the newest rows are copied; a later run does the rest")
    .option("--json", "print the result as JSON, and nothing else")
    .addHelpText("after", EXAMPLES)
    .action(migrate);
  addConfigFlags(command, ["store"]);
}

async function migrate(flags: Flags): Promise<void> {
  try {
    const { config } = configFromFlags(flags);
    const to = newStore(flags);
    if (!config.store.startsWith("sqlite:")) {
      throw new CommandFailure("the store to move must be sqlite:FILE; name it with --store", EXIT_WRONG_USAGE);
    }
    const shown = withoutPassword(to);
    await untilInterrupted((signal) => move(config.store.slice("sqlite:".length), to, shown, flags, signal));
  } catch (error) {
    const exitCode = error instanceof CommandFailure ? error.exitCode : EXIT_FAILED;
    fail("migrate", error instanceof Error ? error.message : String(error), exitCode);
  }
}

function newStore(flags: Flags): string {
  const { to, toFile } = flags as { to?: string; toFile?: string };
  if (to !== undefined && withoutPassword(to) !== to) {
    const remedy = "put the URL into TAILKEEP_MIGRATE_TO or a file (--to-file)";
    throw new CommandFailure(
      `--to has a password, which everybody on this machine can see: ${remedy}`,
      EXIT_WRONG_USAGE,
    );
  }
  const url = to ?? (toFile === undefined ? process.env["TAILKEEP_MIGRATE_TO"] : readFileSync(toFile, "utf8").trim());
  if (url?.startsWith("mysql://")) return url;
  const found = url === undefined ? "no new store is named" : "the new store is no mysql:// URL";
  throw new CommandFailure(
    `${found}; write mysql://user:password@host:3306/database into TAILKEEP_MIGRATE_TO`,
    EXIT_WRONG_USAGE,
  );
}

async function move(file: string, to: string, shown: string, flags: Flags, signal: AbortSignal): Promise<void> {
  // Loaded here, as it needs both databases' drivers.
  const { runMigration } = await import("../../migrate/index.js");
  const isJson = flags["json"] === true;
  const say = (text: string) => console.error(`tailkeep migrate: ${text}`);
  const progress = progressLine(false);
  let rows = 0;
  const options = { file, to, copyOnly: flags["copyOnly"] === true, signal };
  const result = await runMigration(options, {
    copied: (count) => {
      rows += count;
      progress.show(`${rows.toLocaleString("en")} rows copied`);
    },
    caughtUp: () => say(`caught up after ${rows.toLocaleString("en")} rows; stop the server of ${file} now`),
    finishing: () => say("no server has the file; moving the rest"),
  }).finally(() => progress.end());
  if (isJson) process.stdout.write(`${JSON.stringify(result)}\n`);
  else process.stdout.write(`${sentences(result, file, shown).join("\n")}\n`);
  if (result.status === "interrupted") process.exitCode = EXIT_FAILED;
}

function sentences(
  {
    status,
    rows,
    finishingSeconds,
    sideRows,
  }: Awaited<ReturnType<typeof import("../../migrate/index.js").runMigration>>,
  file: string,
  to: string,
): string[] {
  const copied = `${rows.toLocaleString("en")} rows copied by this run`;
  switch (status) {
    case "finished":
      return [
        `${file} is moved to ${to}: ${copied}, ${sideRows["streams"] ?? 0} streams, ${finishingSeconds.toFixed(1)} s without a server`,
        `start the server with TAILKEEP_STORE=${to}; ${file} stays as it is, and no server takes it any more`,
      ];
    case "was finished before":
      return [`${file} was moved to ${to} before; nothing was done`];
    case "caught up":
      return [`${copied}; run it again without --copy-only, and stop the server when it says so`];
    case "interrupted":
      return [`${copied}; run it again to go on`];
  }
}

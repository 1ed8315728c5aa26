/** `tailkeep config get`, `set`, `reset`, `rollback` and `history`: the central configuration of a running server's database. */
import { userInfo } from "node:os";
import {
  type CentralConfig,
  type ConfigRollBack,
  type ConfigUpdate,
  InvalidArgumentError as RefusedError,
  SETTING_NAMES,
  type SettingName,
  type TailkeepClient,
} from "@tailkeep/client";
import { Argument, type Command, InvalidArgumentError } from "commander";
import { isoTime } from "../../export/index.js";
import { wholeNumber } from "../arguments.js";
import { addServerOption, type ServerFlag, withClient } from "../connect.js";
import { CommandFailure, EXIT_WRONG_USAGE } from "../failure.js";

interface JsonFlag extends ServerFlag {
  readonly json?: true;
}

interface ChangeFlags extends JsonFlag {
  readonly expectedVersion?: number;
  readonly author?: string;
  readonly comment?: string;
}

interface HistoryFlags extends JsonFlag {
  readonly limit: number;
}

type Assignment = readonly [SettingName, number];

const SET_EXAMPLES = `
Examples:
  tailkeep config set memoryLimits.scoreHistory=200
  tailkeep config set memoryLimits.actionHistory=500 actionLimits.perGame=3000 --comment "longer games"
  tailkeep config set memoryLimits.scoreHistory=200 --expected-version 3`;

const RESET_EXAMPLES = `
Examples:
  tailkeep config reset memoryLimits.scoreHistory`;

const ROLLBACK_EXAMPLES = `
Examples:
  tailkeep config history            # which versions there are
  tailkeep config rollback 3
  tailkeep config rollback 0         # as if nothing had ever been set`;

const GET_EXAMPLES = `
Examples:
  tailkeep config get
  tailkeep config get --json | jq .memoryLimits`;

const HISTORY_EXAMPLES = `
Examples:
  tailkeep config history
  tailkeep config history --limit 1 --json`;

/** Adds the commands below `tailkeep config`. */
export function registerCentralConfig(config: Command): void {
  const get = config
    .command("get")
    .description("The limits of a running server and its trainers, each with where it is from.")
    .option("--json", "as JSON")
    .addHelpText("after", GET_EXAMPLES)
    .action((flags: JsonFlag) =>
      withClient("config get", flags, async (client) => show(await client.config.get(), SETTING_NAMES, flags)),
    );
  // Offered while typing; what comes behind the name is judged below.
  const assignment = new Argument("<name=value...>", "settings and their new values")
    .choices(SETTING_NAMES.map((name) => `${name}=`))
    .argParser(assignments);
  const set = config
    .command("set")
    .description("Changes limits for every server on the database and every trainer, while they run.")
    .addArgument(assignment)
    .addHelpText("after", SET_EXAMPLES)
    .action((values: readonly Assignment[], flags: ChangeFlags) => {
      const group = (prefix: string) =>
        Object.fromEntries(
          values.filter(([name]) => name.startsWith(prefix)).map(([name, value]) => [name.slice(prefix.length), value]),
        );
      const limits = { memoryLimits: group("memoryLimits."), actionLimits: group("actionLimits.") };
      const names = values.map(([name]) => name);
      return update("config set", limits, names, flags);
    });
  const reset = config
    .command("reset")
    .description("Gives settings back to what each server is configured with.")
    .addArgument(new Argument("<name...>", "settings").choices(SETTING_NAMES))
    .addHelpText("after", RESET_EXAMPLES)
    .action((names: readonly SettingName[], flags: ChangeFlags) =>
      update("config reset", { reset: names }, names, flags),
    );
  const rollback = config
    .command("rollback")
    .description("Takes the limits back to what they were at an earlier version; that is a new version.")
    .argument("<version>", "as the history numbers them; 0: before the first", wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .addHelpText("after", ROLLBACK_EXAMPLES)
    .action((version: number, flags: ChangeFlags) =>
      change("config rollback", SETTING_NAMES, flags, (client, why) => client.config.rollBack(version, why)),
    );
  for (const command of [set, reset]) {
    const version = wholeNumber(0, Number.MAX_SAFE_INTEGER);
    command.option("--expected-version <number>", "only if this is its version now", version);
  }
  for (const command of [set, reset, rollback]) {
    command
      .option("--comment <text>", "why, for the history")
      .option("--author <name>", "who, for the history (default: your user name)")
      .option("--json", "all limits after it, as JSON");
  }
  const history = config
    .command("history")
    .description("Who changed which limits, when and why; newest first.")
    .option("-n, --limit <count>", "how many of the newest", wholeNumber(1, 1_000_000), 20)
    .option("--json", "a JSON object a line")
    .addHelpText("after", HISTORY_EXAMPLES)
    .action((flags: HistoryFlags) => withClient("config history", flags, (client) => printHistory(client, flags)));
  for (const command of [get, set, reset, rollback, history]) addServerOption(command);
}

function assignments(text: string, before: readonly Assignment[] = []): readonly Assignment[] {
  const [name = "", value = ""] = text.split(/=(.*)/s);
  const known = SETTING_NAMES.find((each) => each === name);
  if (known === undefined) throw new InvalidArgumentError(`It must be one of ${SETTING_NAMES.join(", ")}.`);
  if (!/^\d{1,9}$/.test(value)) throw new InvalidArgumentError(`Write it as ${name}=200, with a whole number.`);
  return [...before, [known, Number(value)]];
}

function update(
  command: string,
  wanted: ConfigUpdate,
  names: readonly SettingName[],
  flags: ChangeFlags,
): Promise<void> {
  const { expectedVersion } = flags;
  return change(command, names, flags, (client, why) => client.config.update({ ...wanted, expectedVersion, ...why }));
}

function change(
  command: string,
  names: readonly SettingName[],
  flags: ChangeFlags,
  work: (client: TailkeepClient, why: ConfigRollBack) => Promise<CentralConfig>,
): Promise<void> {
  const { comment, author = userName() } = flags;
  return withClient(command, flags, async (client) => {
    try {
      show(await work(client, { comment, author }), names, flags);
    } catch (error) {
      if (error instanceof RefusedError) throw new CommandFailure(error.message, EXIT_WRONG_USAGE);
      throw error;
    }
  });
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A user id without an account, as containers have.
    return "";
  }
}

function show(config: CentralConfig, names: readonly SettingName[], { json }: JsonFlag): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(config)}\n`);
    return;
  }
  const values: Record<string, number> = {
    ...named("memoryLimits", config.memoryLimits),
    ...named("actionLimits", config.actionLimits),
  };
  const width = Math.max(...names.map((name) => name.length));
  for (const name of names) {
    process.stdout.write(`${name.padEnd(width)}  ${String(values[name]).padStart(8)}  ${config.sources[name]}\n`);
  }
  const changed = config.version === 0 ? "never changed" : `changed ${isoTime(config.updatedAtUs)}`;
  process.stdout.write(`version ${config.version}, ${changed}\n`);
}

function named(group: string, limits: object): Record<string, number> {
  return Object.fromEntries(Object.entries(limits).map(([name, value]) => [`${group}.${name}`, value as number]));
}

async function printHistory(client: TailkeepClient, { limit, json }: HistoryFlags): Promise<void> {
  for await (const each of client.config.history({ limit })) {
    if (json) {
      process.stdout.write(`${JSON.stringify(each)}\n`);
      continue;
    }
    const { version, createdAtUs, author, comment, settings } = each;
    const by = author === "" ? "" : `  by ${author}`;
    process.stdout.write(`version ${version}  ${isoTime(createdAtUs)}${by}${comment === "" ? "" : `: ${comment}`}\n`);
    for (const [name, { before, after }] of Object.entries(settings)) {
      process.stdout.write(`  ${name}  ${before ?? "unset"} -> ${after ?? "unset"}\n`);
    }
  }
}

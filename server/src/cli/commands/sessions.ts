/** `tailkeep sessions list`, `show`, `pin`, `unpin`, `rename`, `label`, `finish` and `delete`. */
import { NotFoundError, type SessionChange, type SessionInfo, type TailkeepClient } from "@tailkeep/client";
import { Argument, type Command, InvalidArgumentError, Option } from "commander";
import { isoTime } from "../../export/index.js";
import { wholeNumber } from "../arguments.js";
import { addServerOption, type ServerFlag, withClient } from "../connect.js";
import { CommandFailure, EXIT_FAILED } from "../failure.js";

interface JsonFlag extends ServerFlag {
  readonly json?: true;
}

interface ListFlags extends JsonFlag {
  readonly state?: SessionInfo["state"];
  readonly label?: Readonly<Record<string, string>>;
  readonly limit: number;
}

const EXAMPLES = `
Examples:
  tailkeep sessions list --state running
  tailkeep sessions show run-1 --json
  tailkeep sessions pin run-1
  tailkeep sessions label run-1 owner=ada stage=final
  tailkeep sessions delete run-1`;

export function registerSessions(program: Command): void {
  const sessions = program
    .command("sessions")
    .description("list sessions; show, pin, rename, label, finish or delete one")
    .addHelpText("after", EXAMPLES);
  const list = sessions
    .command("list")
    .description("Sessions, the newest first.")
    .addOption(new Option("--state <state>", "only in this state").choices(["running", "finished", "lost"]))
    .option("--label <key=value...>", "only with these labels", labels)
    .option("-n, --limit <count>", "how many of the newest", wholeNumber(1, 1_000_000), 50)
    .action((flags: ListFlags) => withClient("sessions list", flags, (client) => printList(client, flags)));
  const onOne = (name: string, description: string) =>
    sessions.command(name).description(description).argument("<session>", "its id");
  const show = onOne("show", "One session, with its counts.").action((id: string, flags: JsonFlag) =>
    withSession("sessions show", id, flags, (client) => client.history.getSession(id)),
  );
  const change = (command: string, by: SessionChange) => (id: string, flags: JsonFlag) =>
    withSession(command, id, flags, (client) => client.history.updateSession(id, by));
  const pin = onOne("pin", "Its records never expire.").action(change("sessions pin", { pinned: true }));
  const unpin = onOne("unpin", "Its records expire again, the earliest a whole retention from now.").action(
    change("sessions unpin", { pinned: false }),
  );
  const finish = onOne("finish", "Marks it as finished.").action(change("sessions finish", { state: "finished" }));
  const rename = onOne("rename", "Gives it a name for people.")
    .argument("<name>", "at most 256 characters")
    .action((id: string, name: string, flags: JsonFlag) => change("sessions rename", { name })(id, flags));
  const label = onOne("label", "Replaces its labels.")
    .addArgument(new Argument("<key=value...>", "its labels from now on").argParser(labels))
    .action((id: string, all: Record<string, string>, flags: JsonFlag) =>
      change("sessions label", { labels: all })(id, flags),
    );
  for (const command of [list, show, pin, unpin, finish, rename, label]) command.option("--json", "as JSON");
  const remove = onOne("delete", "Deletes it with all its records.")
    .option("--force", "also while a trainer writes it")
    .action((id: string, flags: JsonFlag & { readonly force?: true }) =>
      withClient("sessions delete", flags, async (client) => {
        const records = await client.history.deleteSession(id, { force: flags.force }).catch(missing(id));
        process.stdout.write(`deleted ${id} with ${records.toLocaleString("en")} records\n`);
      }),
    );
  for (const command of [list, show, pin, unpin, finish, rename, label, remove]) addServerOption(command);
}

function labels(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (key === undefined || value === undefined) throw new InvalidArgumentError("Write it as key=value.");
  return { ...before, [key]: value };
}

async function printList(client: TailkeepClient, { json, state, label, limit }: ListFlags): Promise<void> {
  for await (const session of client.history.listSessions({ state, labels: label, limit })) {
    process.stdout.write(json ? `${JSON.stringify(session)}\n` : `${line(session)}\n`);
  }
}

function withSession(
  command: string,
  id: string,
  flags: JsonFlag,
  ask: (client: TailkeepClient) => Promise<SessionInfo>,
): Promise<void> {
  return withClient(command, flags, async (client) => {
    const session = await ask(client).catch(missing(id));
    process.stdout.write(flags.json ? `${JSON.stringify(session)}\n` : details(session));
  });
}

function missing(id: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof NotFoundError)) throw error;
    throw new CommandFailure(`there is no session ${id}: tailkeep sessions list shows all`, EXIT_FAILED);
  };
}

function line({ sessionId, name, state, pinned, startedAtUs, lastSeenAtUs }: SessionInfo): string {
  const marks = [pinned ? "pinned" : "", name].filter((each) => each !== "").join("  ");
  const times = `${isoTime(startedAtUs).slice(0, 19)}  ${isoTime(lastSeenAtUs).slice(0, 19)}`;
  return `${state.padEnd(8)}  ${times}  ${sessionId}${marks === "" ? "" : `  ${marks}`}`;
}

function details(session: SessionInfo): string {
  const { counts, streamCount, labels: all, endedAtUs } = session;
  const rows: [string, string][] = [
    ["session", session.sessionId],
    ["name", session.name],
    ["state", session.state],
    ["pinned", session.pinned ? "yes" : "no"],
    ["started", isoTime(session.startedAtUs)],
    ["last seen", isoTime(session.lastSeenAtUs)],
    ["ended", endedAtUs === undefined ? "" : isoTime(endedAtUs)],
    [
      "labels",
      Object.entries(all)
        .map(([key, value]) => `${key}=${value}`)
        .join(", "),
    ],
  ];
  if (counts !== undefined) {
    rows.push(["stored", counts.stored.toLocaleString("en")]);
    rows.push(["dead letters", counts.rejected.toLocaleString("en")]);
    rows.push(["declared lost", counts.gapped.toLocaleString("en")]);
    rows.push(["streams", String(streamCount ?? 0)]);
  }
  return rows
    .filter(([, value]) => value !== "")
    .map(([what, value]) => `${what.padEnd(14)} ${value}\n`)
    .join("");
}

/** `tailkeep tail`: the newest records of a session, and with --follow those that come. */
import {
  NotFoundError,
  RECORD_TYPE_NAMES,
  type RecordTypeName,
  type TailkeepClient,
  type WatchEvent,
} from "@tailkeep/client";
import type { Command } from "commander";
import { recordTypes, wholeNumber } from "../arguments.js";
import { addServerOption, type ServerFlag, withClient } from "../connect.js";
import { CommandFailure } from "../failure.js";
import { untilInterrupted } from "../interrupt.js";
import { type LinePrinter, linePrinter } from "../line-printer.js";
import { eventJson, eventLine } from "../watch-lines.js";

interface TailFlags extends ServerFlag {
  readonly follow?: true;
  readonly limit: number;
  readonly type?: readonly RecordTypeName[];
  readonly game?: string;
  readonly json?: true;
}

/** Newest records that the server gives at once. */
const LIMIT_MAX = 1_000;

const EXAMPLES = `
Examples:
  tailkeep tail run-1
  tailkeep tail run-1 --follow --type score_history
  tailkeep tail run-1 --limit 1000 --json | jq .score`;

export function registerTail(program: Command): void {
  const command = program
    .command("tail")
    .description("print the newest records of a session, the newest last")
    .argument("<session>", "id of the session")
    .option("-f, --follow", "go on with every record as it is committed, until interrupted")
    .option("-n, --limit <count>", "how many of the newest", wholeNumber(0, LIMIT_MAX), 20)
    .option("--type <name...>", `only these types: ${RECORD_TYPE_NAMES.join(", ")} (default: all)`, recordTypes)
    .option("--game <id>", "only this game")
    .option("--json", "a JSON object a line, with an `event`: record, and with --follow gap and missed")
    .addHelpText("after", EXAMPLES)
    .action(tail);
  addServerOption(command);
}

async function tail(sessionId: string, flags: TailFlags): Promise<void> {
  const printer = linePrinter();
  const show = (event: WatchEvent) => printer.print(flags.json ? eventJson(event) : eventLine(event));
  await withClient("tail", flags, async (client) => {
    if (flags.follow) await follow(client, sessionId, flags, printer, show);
    else await showNewest(client, sessionId, flags, show);
  });
}

async function showNewest(
  client: TailkeepClient,
  sessionId: string,
  { type, game, limit }: TailFlags,
  show: (event: WatchEvent) => void,
): Promise<void> {
  if (!(await exists(client, sessionId))) {
    throw new CommandFailure(
      `there is no session ${sessionId}: find its id on the dashboard, or wait for it with --follow`,
    );
  }
  if (limit === 0) return;
  const records = await client.history.tailRecords({ sessionId, types: type, gameId: game, limit });
  for (const record of records) show({ event: "record", record });
}

async function follow(
  client: TailkeepClient,
  sessionId: string,
  { type, game, limit }: TailFlags,
  printer: LinePrinter,
  show: (event: WatchEvent) => void,
): Promise<void> {
  // Asked first: a watch waits for a server as long as it takes, and a wrong address would go unnoticed.
  if (!(await exists(client, sessionId))) console.error(`tailkeep tail: no session ${sessionId} yet; waiting for it`);
  await untilInterrupted(async (interrupted) => {
    const signal = AbortSignal.any([interrupted, printer.closed]);
    const watch = client.history.watchRecords(
      // Of one game the newest N are among more of all games.
      { sessionId, types: type, snapshotLimit: game === undefined ? limit : LIMIT_MAX },
      { signal, onReconnect: (error) => console.error(`tailkeep tail: ${error.message}; trying again`) },
    );
    const isWanted = (event: WatchEvent) =>
      event.event !== "caughtUp" && (event.event !== "record" || game === undefined || event.record.gameId === game);
    const snapshot: WatchEvent[] = [];
    let isLive = false;
    for await (const event of watch) {
      if (isLive) {
        if (isWanted(event)) show(event);
      } else if (event.event === "caughtUp") {
        isLive = true;
        for (const each of snapshot.slice(Math.max(0, snapshot.length - limit))) show(each);
        snapshot.length = 0;
      } else if (isWanted(event)) {
        snapshot.push(event);
        // Live events may come before the snapshot is said to be complete.
        if (snapshot.length > 2 * LIMIT_MAX) snapshot.splice(0, snapshot.length - LIMIT_MAX);
      }
    }
  });
}

async function exists(client: TailkeepClient, sessionId: string): Promise<boolean> {
  try {
    await client.history.getSession(sessionId);
    return true;
  } catch (error) {
    if (error instanceof NotFoundError) return false;
    throw error;
  }
}

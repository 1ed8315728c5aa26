/** `tailkeep series`: which numeric series a session has, and the points of one of them. */
import {
  NotFoundError,
  RECORD_TYPE_NAMES,
  type RecordTypeName,
  type SeriesInfo,
  type SeriesQuestion,
  type TailkeepClient,
} from "@tailkeep/client";
import { type Command, InvalidArgumentError, Option } from "commander";
import { isoTime } from "../../export/index.js";
import { wholeNumber } from "../arguments.js";
import { addServerOption, type ServerFlag, withClient } from "../connect.js";
import { CommandFailure, EXIT_FAILED, EXIT_WRONG_USAGE } from "../failure.js";
import { linePrinter } from "../line-printer.js";

interface Flags extends ServerFlag {
  readonly type?: RecordTypeName;
  readonly column?: string;
  readonly game?: string;
  readonly x?: string;
  readonly from?: number;
  readonly to?: number;
  readonly points: number;
  readonly json?: true;
}

const EXAMPLES = `
Examples:
  tailkeep series run-1
  tailkeep series run-1 --column score --type score_history
  tailkeep series run-1 --column metadata.loss --x metadata.step --points 200
  tailkeep series run-1 --column score --game ls20 --json`;

/** As many as a list on a screen is worth; a chart asks for more. */
const POINTS_DEFAULT = 50;

export function registerSeries(program: Command): void {
  const series = program
    .command("series")
    .description("list a session's numeric series; with --column, print the points of one")
    .argument("<session>", "its id")
    .option("--column <name>", "which series: score, win, metadata.loss, ...")
    .addOption(new Option("--type <type>", "of these records").choices([...RECORD_TYPE_NAMES]))
    .option("--game <id>", "only of this game")
    .option("--x <axis>", "what runs along the x axis: time, seq, or a series such as metadata.step")
    .option("--from <x>", "only from here on, in units of x (time: microseconds since 1970)", decimal)
    .option("--to <x>", "only up to here", decimal)
    .option("-n, --points <count>", "about how many points", wholeNumber(1, 4_000), POINTS_DEFAULT)
    .option("--json", "as JSON, a line each")
    .addHelpText("after", EXAMPLES)
    .action((session: string, flags: Flags) =>
      withClient("series", flags, (client) => print(client, session, flags).catch(missing(session))),
    );
  addServerOption(series);
}

function decimal(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("Write a number.");
  return value;
}

function missing(session: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof NotFoundError)) throw error;
    throw new CommandFailure(`there is no session ${session}: tailkeep sessions list shows all`, EXIT_FAILED);
  };
}

async function print(client: TailkeepClient, sessionId: string, flags: Flags): Promise<void> {
  const { series, keysLeftOut, complete } = await client.history.listSeries(sessionId);
  const found = series.filter(
    ({ type, gameId, column }) =>
      (flags.type === undefined || type === flags.type) &&
      (flags.game === undefined || gameId === flags.game) &&
      (flags.column === undefined || column === flags.column),
  );
  const printer = linePrinter();
  if (flags.column === undefined) {
    for (const each of found) printer.print(flags.json ? JSON.stringify(each) : line(each));
    if (!complete) process.stderr.write("there are more series than the 4,096 that are listed\n");
    if (keysLeftOut.length > 0) {
      process.stderr.write(`without a series, because there are 64 others: ${keysLeftOut.join(", ")}\n`);
    }
    return;
  }
  const type = flags.type ?? onlyType(flags.column, found);
  const { x, from, to, points, game: gameId } = flags;
  const question: SeriesQuestion = { sessionId, type, column: flags.column, gameId, x, from, to, points };
  const answer = await client.history.getSeries(question);
  const isTime = x === undefined || x === "time";
  for (const bucket of answer.buckets) {
    const at = isTime ? isoTime(Math.round(bucket.xFirst)) : String(bucket.xFirst);
    const mean = bucket.sum / bucket.count;
    printer.print(
      flags.json
        ? JSON.stringify(bucket)
        : `${at}  min ${bucket.min}  mean ${Number(mean.toPrecision(6))}  max ${bucket.max}  of ${bucket.count}`,
    );
  }
  if (!answer.complete) process.stderr.write("not exact yet: the newest records are still being summed up\n");
}

function onlyType(column: string, found: readonly SeriesInfo[]): RecordTypeName {
  const types = [...new Set(found.map(({ type }) => type))];
  const [only] = types;
  if (only !== undefined && types.length === 1) return only;
  const problem = only === undefined ? "has no values here" : `is in ${types.join(" and ")}`;
  throw new CommandFailure(
    `${column} ${problem}: name one with --type, or list all without --column`,
    EXIT_WRONG_USAGE,
  );
}

function line({ type, gameId, column, count, min, max, sum, last }: SeriesInfo): string {
  const game = gameId === "" ? "(other games)" : gameId;
  const numbers = `min ${min}  mean ${Number((sum / count).toPrecision(6))}  max ${max}  last ${last}`;
  return `${type}  ${game}  ${column}  ${count.toLocaleString("en")} values  ${numbers}`;
}

/** `tailkeep export`: history as JSON Lines or CSV. */
import { RECORD_TYPE_NAMES, type RecordTypeName } from "@tailkeep/client";
import { type Command, Option } from "commander";
import { type FormatName, formatOf, runExport, sinkTo } from "../../export/index.js";
import { recordTypes, timeUs } from "../arguments.js";
import { addServerOption, type ServerFlag, withClient } from "../connect.js";
import { progressLine } from "../progress-line.js";

interface ExportFlags extends ServerFlag {
  readonly session?: string;
  readonly game?: string;
  readonly type?: readonly RecordTypeName[];
  readonly since?: number;
  readonly until?: number;
  readonly format: FormatName;
  readonly output?: string;
  readonly newestFirst?: true;
}

const EXAMPLES = `
Examples:
  tailkeep export --session run-1 > run-1.jsonl
  tailkeep export --game ls20 --type score_history --format csv --output scores.csv
  tailkeep export --since 2026-11-01 --until 2026-12-01 | gzip > november.jsonl.gz
  tailkeep export --session run-1 --newest-first | head`;

export function registerExport(program: Command): void {
  const command = program
    .command("export")
    .description("write records as JSON lines or CSV; without --session and --game those of all sessions")
    .option("--session <id>", "only this session")
    .option("--game <id>", "only this game")
    .option("--type <name...>", `only these types: ${RECORD_TYPE_NAMES.join(", ")} (default: all)`, recordTypes)
    .option(
      "--since <time>",
      "only events at or after this time: ISO (UTC unless it names a zone), or epoch seconds",
      timeUs,
    )
    .option("--until <time>", "only events before this time", timeUs)
    .addOption(new Option("--format <name>", "jsonl or csv").choices(["jsonl", "csv"]).default("jsonl"))
    .option("--output <file>", "write to this file, which appears when it is complete (default: standard output)")
    .option("--newest-first", "by event time, newest first (default: oldest first)")
    .addHelpText("after", EXAMPLES)
    .action(exportRecords);
  addServerOption(command);
}

async function exportRecords(flags: ExportFlags): Promise<void> {
  const format = formatOf(flags.format, flags.type ?? RECORD_TYPE_NAMES);
  const question = {
    sessionId: flags.session,
    gameId: flags.game,
    types: flags.type,
    sinceUs: flags.since,
    untilUs: flags.until,
    order: flags.newestFirst ? "newest" : "oldest",
  } as const;
  await withClient("export", flags, async (client) => {
    // Asked first, so that a server that is not there leaves no file behind.
    if (flags.session === undefined) await client.history.listSessions({ pageSize: 1 }).firstPage();
    else await client.history.getSession(flags.session);
    const sink = sinkTo(flags.output);
    const progress = progressLine(flags.output === undefined);
    try {
      const { records, isCutShort } = await runExport(client, question, format, sink, (count) =>
        progress.show(`${count.toLocaleString("en")} records`),
      );
      await sink.finish();
      progress.end();
      if (!isCutShort)
        console.error(`${records.toLocaleString("en")} records${flags.output ? ` in ${flags.output}` : ""}`);
    } catch (error) {
      progress.end();
      await sink.discard();
      throw error;
    }
  });
}

/** `tailkeep export`: history as JSON Lines, CSV or Parquet. */
import { RECORD_TYPE_NAMES, type RecordTypeName } from "@tailkeep/client";
import { type Command, Option } from "commander";
import {
  type FormatName,
  fileToReplace,
  formatOf,
  linesTo,
  type RecordSink,
  runExport,
  sinkTo,
} from "../../export/index.js";
import { recordTypes, timeUs } from "../arguments.js";
import { addServerOption, type ServerFlag, withClient } from "../connect.js";
import { EXIT_WRONG_USAGE, fail } from "../failure.js";
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
  tailkeep export --format parquet --type frame_tracking --output frames.parquet
  tailkeep export --since 2026-11-01 --until 2026-12-01 | gzip > november.jsonl.gz
  tailkeep export --session run-1 --newest-first | head`;

export function registerExport(program: Command): void {
  const command = program
    .command("export")
    .description("write records as JSON lines, CSV or Parquet; without --session and --game those of all sessions")
    .option("--session <id>", "only this session")
    .option("--game <id>", "only this game")
    .option("--type <name...>", `only these types: ${RECORD_TYPE_NAMES.join(", ")} (default: all)`, recordTypes)
    .option(
      "--since <time>",
      "only events at or after this time: ISO (UTC unless it names a zone), or epoch seconds",
      timeUs,
    )
    .option("--until <time>", "only events before this time", timeUs)
    .addOption(
      new Option("--format <name>", "jsonl, csv or parquet").choices(["jsonl", "csv", "parquet"]).default("jsonl"),
    )
    .option("--output <file>", "write to this file, which appears when it is complete (default: standard output)")
    .option("--newest-first", "by event time, newest first (default: oldest first)")
    .addHelpText("after", EXAMPLES)
    .action(exportRecords);
  addServerOption(command);
}

async function exportRecords(flags: ExportFlags): Promise<void> {
  if (flags.format === "parquet" && flags.output === undefined) {
    fail("export", "a Parquet file is not written in one go: name it with --output", EXIT_WRONG_USAGE);
    return;
  }
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
    const sink = await sinkOf({
      ...flags,
      ...(flags.output !== undefined && { output: await fileToReplace(flags.output) }),
    });
    const progress = progressLine(flags.output === undefined);
    try {
      const { records, isCutShort } = await runExport(client, question, sink, (count) =>
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

async function sinkOf({ format, type = RECORD_TYPE_NAMES, output }: ExportFlags): Promise<RecordSink> {
  if (format !== "parquet" || output === undefined) {
    return linesTo(sinkTo(output), formatOf(format === "csv" ? "csv" : "jsonl", type));
  }
  // Loaded here: lines need none of it.
  const { parquetFile } = await import("../../export/parquet.js");
  return parquetFile(output, type);
}

/** `tailkeep retention`: how long records are kept, what is due, and what has gone. */
import type { ExpiredRows, Retention } from "@tailkeep/client";
import type { Command } from "commander";
import { isoTime } from "../../export/index.js";
import { addServerOption, type ServerFlag, withClient } from "../connect.js";

interface Flags extends ServerFlag {
  readonly json?: true;
  readonly confirmDay?: string;
}

const EXAMPLES = `
Examples:
  tailkeep retention                 # days by type, what is due, the last runs
  tailkeep retention --json | jq .due
  tailkeep sessions pin run-1        # its records never expire

Set by retentionDays, retentionDaysOf for single types and retentionDaysIn for namespaces, in tailkeep.yaml; the days
shown are those of your namespace. A record keeps the day that it was given when it was stored.

A server that was away for more than three days, or whose clock is wrong, removes nothing (HELD) until --confirm-day.`;

const RUNS_SHOWN = 5;

export function registerRetention(program: Command): void {
  const command = program
    .command("retention")
    .description("show how long records are kept, what would be removed now, and what was removed lately")
    .option("--json", "as JSON")
    .option("--confirm-day <day>", "say which day it is, as 2026-11-22, where nothing is removed until somebody does")
    .addHelpText("after", EXAMPLES)
    .action((flags: Flags) =>
      withClient("retention", flags, async (client) => {
        if (flags.confirmDay !== undefined) await client.admin.confirmStoringDay(flags.confirmDay);
        const retention = await client.admin.getRetention();
        process.stdout.write(flags.json ? `${JSON.stringify(retention)}\n` : report(retention));
      }),
    );
  addServerOption(command);
}

function report({ storingDay, days, heldBecause, due, runs, pinnedSessions }: Retention): string {
  const lines = Object.entries(days).map(([type, each]) => `${type.padEnd(20)} ${String(each).padStart(5)} days`);
  lines.push(`storing day ${storingDay}; pinned sessions: ${pinnedSessions}`);
  lines.push(due.length === 0 ? "nothing is due" : `due: ${list(due)}`);
  if (heldBecause !== undefined) lines.push(`HELD: ${heldBecause}`);
  if (runs.length === 0) lines.push("nothing has been removed yet");
  for (const run of runs.slice(0, RUNS_SHOWN)) lines.push(`removed ${isoTime(run.endedAtUs)}: ${list(run.removed)}`);
  return `${lines.join("\n")}\n`;
}

function list(tables: readonly ExpiredRows[]): string {
  return tables.map(({ table, rows }) => `${rows.toLocaleString("en")} of ${table.replace(/_rows$/, "")}`).join(", ");
}

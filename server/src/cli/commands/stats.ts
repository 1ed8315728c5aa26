/** `tailkeep stats`: how much is stored, refused and declared lost, in all and by session. */
import { RECORD_TYPE_NAMES, type RecordTypeName, type Statistics, type TailkeepClient } from "@tailkeep/client";
import type { Command } from "commander";
import { wholeNumber } from "../arguments.js";
import { addServerOption, type ServerFlag, withClient } from "../connect.js";
import { CommandFailure } from "../failure.js";

interface StatsFlags extends ServerFlag {
  readonly sessions?: number | true;
  readonly json?: true;
}

interface SessionStatistics extends Statistics {
  readonly sessionId: string;
  readonly state: string;
}

const EXAMPLES = `
Counts are of everything since the beginning: records that have expired are among them.

Examples:
  tailkeep stats
  tailkeep stats run-1
  tailkeep stats --sessions 20
  tailkeep stats --json | jq .stored`;

/** Sessions that are asked at once. */
const ASKED_AT_ONCE = 8;

export function registerStats(program: Command): void {
  const command = program
    .command("stats")
    .description("count what is stored, refused and declared lost, by type and by session")
    .argument("[session]", "only this session")
    .option("--sessions [count]", "the newest sessions too, one a line", wholeNumber(1, 10_000))
    .option("--json", "as JSON")
    .addHelpText("after", EXAMPLES)
    .action((session: string | undefined, flags: StatsFlags) =>
      withClient("stats", flags, (client) => printStatistics(client, session, flags)),
    );
  addServerOption(command);
}

const SESSIONS_DEFAULT = 20;

async function printStatistics(client: TailkeepClient, sessionId: string | undefined, flags: StatsFlags) {
  const totals = await client.history.getStatistics({ sessionId });
  if (sessionId !== undefined && totals.sessionCount === 0) {
    throw new CommandFailure(`there is no session ${sessionId}: tailkeep sessions list shows all`);
  }
  const limit = flags.sessions === true ? SESSIONS_DEFAULT : flags.sessions;
  const sessions = limit === undefined || sessionId !== undefined ? undefined : await bySession(client, limit);
  if (flags.json) process.stdout.write(`${JSON.stringify({ ...totals, sessions })}\n`);
  else process.stdout.write(`${[...totalLines(totals), ...sessionLines(sessions ?? [])].join("\n")}\n`);
}

async function bySession(client: TailkeepClient, limit: number): Promise<SessionStatistics[]> {
  const { items } = await client.history.listSessions({ limit, pageSize: Math.min(limit, 1_000) }).firstPage();
  const found: SessionStatistics[] = [];
  for (let at = 0; at < items.length; at += ASKED_AT_ONCE) {
    const asked = items.slice(at, at + ASKED_AT_ONCE).map(async ({ sessionId, state }) => {
      return { sessionId, state, ...(await client.history.getStatistics({ sessionId })) };
    });
    // One that was deleted since it was listed has nothing any more.
    found.push(...(await Promise.all(asked)).filter(({ sessionCount }) => sessionCount > 0));
  }
  return found;
}

function totalLines({ stored, counts, sessionCount, streamCount }: Statistics): string[] {
  const rows: [string, number][] = [
    ["sessions", sessionCount],
    ["streams", streamCount],
    ["stored", counts.stored],
    ...RECORD_TYPE_NAMES.map((type): [string, number] => [`  ${type}`, stored[type]]),
    ["dead letters", counts.rejected],
    ["declared lost", counts.gapped],
  ];
  const texts = rows.map(([what, count]) => [what, count.toLocaleString("en")] as const);
  const width = Math.max(...texts.map(([, count]) => count.length));
  return texts.map(([what, count]) => `${what.padEnd(23)} ${count.padStart(width)}`);
}

const SHORT_NAMES: Record<RecordTypeName, string> = {
  performance_history: "performance",
  session_history: "session",
  action_tracking: "action",
  score_history: "score",
  coordinate_tracking: "coordinate",
  frame_tracking: "frame",
};

function sessionLines(sessions: readonly SessionStatistics[]): string[] {
  if (sessions.length === 0) return [];
  const heads = [...RECORD_TYPE_NAMES.map((type) => SHORT_NAMES[type]), "dead", "lost"];
  const lines = sessions.map(({ sessionId, state, stored, counts }) => {
    const cells = [...RECORD_TYPE_NAMES.map((type) => stored[type]), counts.rejected, counts.gapped];
    return `${state.padEnd(8)} ${cells.map((cell) => String(cell).padStart(11)).join(" ")}  ${sessionId}`;
  });
  return ["", `${"state".padEnd(8)} ${heads.map((head) => head.padStart(11)).join(" ")}  session`, ...lines];
}

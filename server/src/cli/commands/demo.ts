/** `tailkeep demo`: a learner that gets better while its play is recorded. */
import type { Command } from "commander";
import { type DemoResult, runDemo } from "../../demo/run-demo.js";
import type { EpisodeEvent } from "../../demo/training.js";
import { wholeNumber } from "../arguments.js";
import { addServerOption, type ServerFlag, withClient } from "../connect.js";

const PROGRESS_EVERY_EPISODES = 50;

interface DemoFlags extends ServerFlag {
  readonly episodes: number;
  readonly seed: number;
  readonly pace: number;
  readonly session?: string;
  readonly json?: true;
}

const EXAMPLES = `
Examples:
  tailkeep demo
  tailkeep demo --episodes 2000 --pace 50 --session watched & tailkeep tail watched --follow`;

export function registerDemo(program: Command): void {
  const command = program
    .command("demo")
    .description("train a small Q-learner on a grid game and record its play in all six tables")
    .option("--episodes <n>", "games to play", wholeNumber(1, 1_000_000), 500)
    .option("--seed <n>", "the same seed plays the same games", wholeNumber(0, 2 ** 32 - 1), 1)
    .option("--pace <ms>", "each episode takes at least this long, to watch it", wholeNumber(0, 60_000), 0)
    .option("--session <id>", "session to record in (default: a new one)")
    .option("--json", "print the result as JSON, and nothing else")
    .addHelpText("after", EXAMPLES)
    .action(demo);
  addServerOption(command);
}

async function demo(flags: DemoFlags): Promise<void> {
  const sessionId = flags.session ?? newSessionId(flags.seed);
  await withClient("demo", flags, async () => {
    const result = await runDemo({
      server: flags.server,
      sessionId,
      episodes: flags.episodes,
      seed: flags.seed,
      paceMs: flags.pace,
      ...(flags.json ? {} : { onEpisode: showProgress(flags.episodes) }),
    });
    console.log(flags.json ? JSON.stringify(result) : summary(result));
  });
}

function showProgress(episodes: number): (end: EpisodeEvent) => void {
  return ({ episode, winRate, pointsPerAction, actions }) => {
    if (episode % PROGRESS_EVERY_EPISODES !== 0 && episode !== episodes) return;
    const count = `${episode}`.padStart(`${episodes}`.length);
    const figures = `${percent(winRate).padStart(4)} won of late, ${pointsPerAction.toFixed(1)} points per action`;
    console.log(`episode ${count}  ${figures}, this one took ${actions.length} actions`);
  };
}

function summary(result: DemoResult): string {
  const compared = result.comparedEpisodes;
  const total = Object.values(result.stored).reduce((sum, count) => sum + count, 0);
  const lines = [
    "",
    `learned   won ${percent(result.winRateFirst)} of the first ${compared} games, ${percent(result.winRateLast)} of the last ${compared}`,
    `recorded  ${total.toLocaleString("en")} records, all durable, in ${result.seconds.toFixed(1)} s`,
    ...Object.entries(result.stored).map(
      ([type, count]) => `          ${count.toLocaleString("en").padStart(9)}  ${type}`,
    ),
    ...(result.rejected > 0 ? [`rejected  ${result.rejected}; the table dead_letters has them, with the reasons`] : []),
    `look      npx tailkeep tail ${asArgument(result.session)}`,
  ];
  return lines.join("\n");
}

/** As it can be pasted into a shell. */
function asArgument(text: string): string {
  return /^[\w.:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

/** Names the run by its seed and the second it began in: readable, and new at each start. */
function newSessionId(seed: number): string {
  return `demo-${seed}-${new Date().toISOString().slice(0, 19).replace("T", "-").replaceAll(":", "")}`;
}

/** `tailkeep demo`: a learner that gets better while its play is recorded. */
import { connect } from "@tailkeep/client";
import { type Command, InvalidArgumentError } from "commander";
import { type DemoResult, runDemo } from "../../demo/run-demo.js";
import type { EpisodeEvent } from "../../demo/training.js";

const PROGRESS_EVERY_EPISODES = 50;

interface DemoFlags {
  readonly episodes: number;
  readonly seed: number;
  readonly pace: number;
  readonly server?: string;
  readonly session?: string;
  readonly json?: true;
}

export function registerDemo(program: Command): void {
  program
    .command("demo")
    .description("train a small Q-learner on a grid game and record its play in all six tables")
    .option("--episodes <n>", "games to play", wholeNumber(1, 1_000_000), 500)
    .option("--seed <n>", "the same seed plays the same games", wholeNumber(0, 2 ** 32 - 1), 1)
    .option("--pace <ms>", "each episode takes at least this long, to watch it", wholeNumber(0, 60_000), 0)
    .option("--server <host:port>", "server to record to (default: TAILKEEP_SERVER, or 127.0.0.1:50051)")
    .option("--session <id>", "session to record in (default: a new one)")
    .option("--json", "print the result as JSON, and nothing else")
    .action(demo);
}

async function demo(flags: DemoFlags): Promise<void> {
  const sessionId = flags.session ?? newSessionId(flags.seed);
  const client = connect({ server: flags.server });
  try {
    const result = await runDemo(client, {
      sessionId,
      episodes: flags.episodes,
      seed: flags.seed,
      paceMs: flags.pace,
      ...(flags.json ? {} : { onEpisode: showProgress(flags.episodes) }),
    });
    console.log(flags.json ? JSON.stringify(result) : summary(result));
  } finally {
    // After a failure there is nothing to wait for; after success everything is durable already.
    await client.close({ timeoutMs: 1_000 }).catch(() => {});
  }
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

function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number between ${min} and ${max}.`);
  };
}

/** The demo as a whole: a session, its stream, the training, and what came of it. */
import type { RecordTypeName, TailkeepClient } from "@tailkeep/client";
import { GAME_ID } from "./grid-game.js";
import { recordPlay } from "./record-play.js";
import { type EpisodeEvent, type TrainingOptions, train } from "./training.js";

/** Episodes that the first and the last win rate are taken over. */
export const COMPARED_EPISODES = 100;

export interface DemoOptions extends TrainingOptions {
  readonly sessionId: string;
  /** Each episode takes at least this long, so that one can watch. */
  readonly paceMs: number;
  readonly onEpisode?: (end: EpisodeEvent) => void;
}

export interface DemoResult {
  readonly session: string;
  readonly episodes: number;
  readonly seed: number;
  /** Of the first COMPARED_EPISODES (or all, if fewer), and of as many at the end. */
  readonly winRateFirst: number;
  readonly winRateLast: number;
  /** From the first record to the last one being durable. */
  readonly seconds: number;
  /** Records by type, as the server counts them in this session. */
  readonly stored: Readonly<Record<RecordTypeName, number>>;
  readonly appended: number;
  readonly rejected: number;
}

export async function runDemo(client: TailkeepClient, options: DemoOptions): Promise<DemoResult> {
  const { sessionId, episodes, seed, paceMs } = options;
  const stream = client.openStream({ sessionId, labels: { game: GAME_ID, trainer: "demo" } });
  await stream.opened();
  const name = `Q-learning on ${GAME_ID}, seed ${seed}`;
  await client.history.updateSession(sessionId, { name, config: { episodes, seed }, state: "running" });

  const won: boolean[] = [];
  const startedAtMs = performance.now();
  await recordPlay(stream, train({ episodes, seed }), async (end) => {
    won.push(end.won);
    options.onEpisode?.(end);
    await nextTurn(paceMs);
  });
  await stream.close({ timeoutMs: 60_000 });
  const seconds = (performance.now() - startedAtMs) / 1000;

  await client.history.updateSession(sessionId, { state: "finished" });
  const { stored } = await client.history.getStatistics({ sessionId });
  const { appended, rejected } = stream.counts;
  return {
    session: sessionId,
    episodes,
    seed,
    winRateFirst: shareOf(won.slice(0, COMPARED_EPISODES)),
    winRateLast: shareOf(won.slice(-COMPARED_EPISODES)),
    seconds,
    stored,
    appended,
    rejected,
  };
}

/** With no pace, still one turn of the event loop: records leave while the learner plays. */
function nextTurn(paceMs: number): Promise<void> {
  return new Promise((resolve) => {
    if (paceMs > 0) setTimeout(resolve, paceMs);
    else setImmediate(resolve);
  });
}

function shareOf(won: readonly boolean[]): number {
  return won.filter(Boolean).length / won.length;
}

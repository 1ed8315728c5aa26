/** The demo as a whole: a session, its stream, the training, and what came of it. */
import type { RecordTypeName, TailkeepClient } from "@tailkeep/client";
import { GAME_ID } from "./grid-game.js";
import { recordPlay } from "./record-play.js";
import { type EpisodeEvent, type TrainingOptions, train } from "./training.js";

/** Episodes that the first and the last win rate are taken over; fewer where the two would overlap. */
const COMPARED_EPISODES_MAX = 100;
/** A server that is there answers at once. */
const OPEN_MS_MAX = 5_000;

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
  /** Episodes at each end that the win rates are of. */
  readonly comparedEpisodes: number;
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
  await stream.opened({ timeoutMs: OPEN_MS_MAX });
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
  const comparedEpisodes = Math.min(COMPARED_EPISODES_MAX, Math.ceil(episodes / 2));
  return {
    session: sessionId,
    episodes,
    seed,
    comparedEpisodes,
    winRateFirst: shareOf(won.slice(0, comparedEpisodes)),
    winRateLast: shareOf(won.slice(-comparedEpisodes)),
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

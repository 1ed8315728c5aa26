/** The demo as a whole: a session, its lists, the training, and what came of it. */
import { openRecorder, type RecordTypeName } from "@tailkeep/client";
import { GAME_ID } from "./grid-game.js";
import { PlayLists, recordPlay } from "./play-lists.js";
import { type EpisodeEvent, type TrainingOptions, train } from "./training.js";

/** Episodes that the first and the last win rate are taken over; fewer where the two would overlap. */
const COMPARED_EPISODES_MAX = 100;
/** A server that is there answers at once. */
const OPEN_MS_MAX = 5_000;

/** A learner is faster than a disk that syncs; what it is ahead is spilled, or waits here. */
const DRAIN_MS_MAX = 60_000;

export interface DemoOptions extends TrainingOptions {
  /** @default env TAILKEEP_SERVER, else 127.0.0.1:50051 */
  readonly server?: string | undefined;
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

/** Rejects with an UnavailableError or a DeadlineError if there is no server. */
export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  const { server, sessionId, episodes, seed, paceMs } = options;
  // A demo is there to be watched: without a server there is nothing to see, so nothing need be kept for later.
  const recorder = openRecorder({ server, labels: { game: GAME_ID, trainer: "demo" }, spill: false });
  const { client } = recorder;
  try {
    await client.history.getStatistics({}, { timeoutMs: OPEN_MS_MAX });
    const lists = new PlayLists(recorder, sessionId);
    const won: boolean[] = [];
    const startedAtMs = performance.now();
    let isNamed = false;
    await recordPlay(lists, train({ episodes, seed }), async (end) => {
      won.push(end.won);
      options.onEpisode?.(end);
      await recorder.drained({ timeoutMs: DRAIN_MS_MAX });
      await nextTurn(paceMs);
      if (!isNamed) {
        // The session is there once its first records are.
        isNamed = true;
        await recorder.flush({ timeoutMs: DRAIN_MS_MAX });
        const name = `Q-learning on ${GAME_ID}, seed ${seed}`;
        await client.history.updateSession(sessionId, { name, config: { episodes, seed }, state: "running" });
      }
    });
    await recorder.flush({ timeoutMs: DRAIN_MS_MAX });
    const seconds = (performance.now() - startedAtMs) / 1000;
    await client.history.updateSession(sessionId, { state: "finished" });
    const { stored } = await client.history.getStatistics({ sessionId });
    const { appended, rejected } = recorder.ledger;
    return { ...outcomeOf(won, options), seconds, stored, appended, rejected };
  } finally {
    await recorder.close({ timeoutMs: 1 });
  }
}

function outcomeOf(won: readonly boolean[], { sessionId, episodes, seed }: DemoOptions) {
  const comparedEpisodes = Math.min(COMPARED_EPISODES_MAX, Math.ceil(episodes / 2));
  return {
    session: sessionId,
    episodes,
    seed,
    comparedEpisodes,
    winRateFirst: shareOf(won.slice(0, comparedEpisodes)),
    winRateLast: shareOf(won.slice(-comparedEpisodes)),
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

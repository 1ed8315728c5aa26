/**
 * Plays episodes and learns from them, and tells what happens as it happens. Pure: the same seed gives the same events,
 * and nothing here knows that anybody records them.
 */
import { FrameWatch, type SeenFrame } from "./frame-watch.js";
import { ACTIONS, type Action, type Cell, GridGame, type StepResult } from "./grid-game.js";
import { type Lesson, QLearner } from "./q-learner.js";
import { seededRandom } from "./random.js";
import { RollingWindow } from "./rolling-window.js";

/** What each action costs the learner, in points: of two ways to win it prefers the shorter. */
const ACTION_COST = 1;
/** What losing costs it. Not part of the score. */
const LOSS_COST = 40;
const EPSILON_FIRST = 0.4;
const EPSILON_LAST = 0.01;
/** Share of the episodes over which epsilon falls from first to last. */
const EXPLORING_SHARE = 0.6;
/** Episodes that the rolling figures cover. */
export const WINDOW_EPISODES = 100;

export interface TrainingOptions {
  /** 1 or more. */
  readonly episodes: number;
  readonly seed: number;
}

export interface StepEvent {
  readonly kind: "step";
  readonly episode: number;
  /** Its number in the episode, from 1. */
  readonly step: number;
  readonly from: Cell;
  readonly action: Action;
  readonly result: StepResult;
  readonly reward: number;
  readonly lesson: Lesson;
  readonly epsilon: number;
  readonly frame: SeenFrame;
  readonly hasKey: boolean;
  readonly score: number;
}

export interface EpisodeEvent {
  readonly kind: "episode";
  /** From 1. */
  readonly episode: number;
  readonly won: boolean;
  readonly score: number;
  /** Whether no earlier episode had as high a score. */
  readonly best: boolean;
  readonly actions: readonly Action[];
  readonly differentFrames: number;
  readonly situationCount: number;
  readonly epsilon: number;
  /** Over the last WINDOW_EPISODES: share of games won. */
  readonly winRate: number;
  /** Over the same: points gained per action taken. */
  readonly pointsPerAction: number;
}

export type TrainingEvent = StepEvent | EpisodeEvent;

export function* train({ episodes, seed }: TrainingOptions): Generator<TrainingEvent, void, undefined> {
  const random = seededRandom(seed);
  const learner = new QLearner({ actionCount: ACTIONS.length, random });
  const wins = new RollingWindow(WINDOW_EPISODES);
  const points = new RollingWindow(WINDOW_EPISODES);
  const actionCounts = new RollingWindow(WINDOW_EPISODES);
  let bestScore = 0;

  for (let episode = 1; episode <= episodes; episode++) {
    const game = new GridGame(random);
    const epsilon = epsilonOf(episode, episodes);
    const { actions, differentFrames } = yield* playEpisode(game, learner, episode, epsilon);
    const won = game.state === "won";
    const best = game.score > bestScore;
    if (best) bestScore = game.score;
    wins.add(won ? 1 : 0);
    points.add(game.score);
    actionCounts.add(actions.length);
    yield {
      kind: "episode",
      episode,
      won,
      score: game.score,
      best,
      actions,
      differentFrames,
      situationCount: learner.situationCount,
      epsilon,
      winRate: wins.mean,
      pointsPerAction: points.sum / actionCounts.sum,
    };
  }
}

function* playEpisode(game: GridGame, learner: QLearner, episode: number, epsilon: number) {
  const frames = new FrameWatch();
  const actions: Action[] = [];
  frames.see(game.frame());
  while (game.state === "running") {
    const from = game.player;
    const situation = game.situation;
    const choice = learner.choose(situation, epsilon);
    const action = ACTIONS[choice] ?? ACTIONS[0];
    const result = game.act(action);
    const reward = result.points - ACTION_COST - (isLost(game) ? LOSS_COST : 0);
    const nextSituation = isRunning(game) ? game.situation : undefined;
    const lesson = learner.learn({ situation, action: choice, reward, nextSituation });
    actions.push(action);
    const step: StepEvent = {
      kind: "step",
      episode,
      step: actions.length,
      from,
      action,
      result,
      reward,
      lesson,
      epsilon,
      frame: frames.see(game.frame()),
      hasKey: game.hasKey,
      score: game.score,
    };
    yield step;
  }
  return { actions, differentFrames: frames.differentFrames };
}

// `act` changes the state behind the compiler's back, which has just narrowed it to "running".
const isRunning = (game: GridGame) => game.state === "running";
const isLost = (game: GridGame) => game.state === "lost";

function epsilonOf(episode: number, episodes: number): number {
  const progress = Math.min(1, (episode - 1) / Math.max(1, episodes * EXPLORING_SHARE));
  return EPSILON_FIRST + (EPSILON_LAST - EPSILON_FIRST) * progress;
}

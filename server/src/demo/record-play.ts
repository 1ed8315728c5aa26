/** Turns what happens in the training into records. */
import type { TrainingRecord } from "@tailkeep/client";
import { GAME_ID } from "./grid-game.js";
import type { EpisodeEvent, StepEvent, TrainingEvent } from "./training.js";

type Clock = () => number;

/** Makes the records of one training. `nowUs` is the time of an event, in microseconds since 1970. */
export class PlayRecorder {
  readonly #nowUs: Clock;
  #episodeStartedUs: number | undefined;

  constructor(nowUs: Clock = wallClockUs) {
    this.#nowUs = nowUs;
  }

  recordsOf(event: TrainingEvent): TrainingRecord[] {
    const eventTimeUs = this.#nowUs();
    const records = event.kind === "step" ? this.#ofStep(event, eventTimeUs) : this.#ofEpisode(event, eventTimeUs);
    return records.map((record) => ({ ...record, gameId: GAME_ID, eventTimeUs }));
  }

  #ofStep(step: StepEvent, nowUs: number): TrainingRecord[] {
    this.#episodeStartedUs ??= nowUs;
    const { episode, action, result, lesson, frame, from } = step;
    const records: TrainingRecord[] = [
      {
        type: "action_tracking",
        actionType: action,
        // How much better the action turned out than expected: what learning lives on.
        effectiveness: lesson.surprise,
        context: {
          episode,
          step: step.step,
          at: [from.x, from.y],
          reward: step.reward,
          value: lesson.value,
          epsilon: step.epsilon,
          hasKey: step.hasKey,
          slipped: result.slipped,
        },
      },
      {
        type: "coordinate_tracking",
        coordinateX: result.aimed.x,
        coordinateY: result.aimed.y,
        actionType: action,
        success: result.entered,
        context: { episode, step: step.step, from: [from.x, from.y] },
      },
      {
        type: "frame_tracking",
        frameHash: frame.hash,
        frameAnalysis: { episode, step: step.step, timesSeen: frame.timesSeen },
        stagnationDetected: frame.stagnant,
      },
    ];
    if (result.points !== 0) records.push({ type: "score_history", score: step.score, scoreType: "current" });
    return records;
  }

  #ofEpisode(end: EpisodeEvent, nowUs: number): TrainingRecord[] {
    const { episode, score, won, actions } = end;
    const startedUs = this.#episodeStartedUs ?? nowUs;
    this.#episodeStartedUs = undefined;
    const records: TrainingRecord[] = [
      {
        type: "session_history",
        status: won ? "WIN" : "GAME_OVER",
        durationSeconds: (nowUs - startedUs) / 1_000_000,
        actionsTaken: actions.length,
        score,
        win: won,
        metadata: { episode, differentFrames: end.differentFrames },
      },
      { type: "score_history", score, scoreType: "final" },
      {
        type: "performance_history",
        score,
        winRate: end.winRate,
        learningEfficiency: end.pointsPerAction,
        metadata: { step: episode, epsilon: end.epsilon, situations: end.situationCount },
      },
    ];
    if (end.best) records.push({ type: "score_history", score, scoreType: "best" });
    if (won) {
      records.push({
        type: "action_tracking",
        actionType: "WINNING_SEQUENCE",
        actionSequence: actions.map((action) => Number(action.slice("ACTION".length))),
        effectiveness: score / actions.length,
        context: { episode },
      });
    }
    return records;
  }
}

/** Finer than Date.now(), and never going back while the process lives. */
function wallClockUs(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1000);
}

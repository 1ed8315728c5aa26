// That the demo's learner learns, and that the same seed plays the same games.
import { describe, expect, test } from "vitest";
import { QLearner } from "../../../server/src/demo/q-learner.js";
import { seededRandom } from "../../../server/src/demo/random.js";
import { type EpisodeEvent, train } from "../../../server/src/demo/training.js";

const EPISODES = 500;

function winRates(seed: number): { first: number; last: number; actionsLast: number } {
  const ends = [...train({ episodes: EPISODES, seed })].filter((event) => event.kind === "episode");
  const rate = (some: readonly EpisodeEvent[]) => some.filter((end) => end.won).length / some.length;
  const last = ends.slice(-100);
  return {
    first: rate(ends.slice(0, 100)),
    last: rate(last),
    actionsLast: last.reduce((sum, end) => sum + end.actions.length, 0) / last.length,
  };
}

describe("the training", () => {
  test.each([1, 2, 3, 7, 20_261_122])("wins rarely at first and nearly always at last, seed %i", (seed) => {
    const { first, last, actionsLast } = winRates(seed);
    expect(first).toBeLessThan(0.6);
    expect(last).toBeGreaterThan(0.9);
    // 18 is the shortest way there is.
    expect(actionsLast).toBeGreaterThanOrEqual(18);
    expect(actionsLast).toBeLessThan(25);
  });

  test("is the same for the same seed, and another one for another", () => {
    const play = (seed: number) => JSON.stringify([...train({ episodes: 40, seed })]);
    expect(play(5)).toBe(play(5));
    expect(play(5)).not.toBe(play(6));
  });

  test("tells of every step before its episode ends, numbered without a hole", () => {
    let steps = 0;
    let episode = 1;
    for (const event of train({ episodes: 20, seed: 3 })) {
      expect(event.episode).toBe(episode);
      if (event.kind === "step") {
        steps += 1;
        expect(event.step).toBe(steps);
      } else {
        expect(event.actions).toHaveLength(steps);
        steps = 0;
        episode += 1;
      }
    }
    expect(episode).toBe(21);
  });
});

describe("QLearner", () => {
  test("moves a value by its learning rate towards reward and discounted future", () => {
    const learner = new QLearner({ actionCount: 2, random: seededRandom(1), learningRate: 0.5, discount: 0.9 });
    expect(learner.learn({ situation: 2, action: 1, reward: 10, nextSituation: undefined })).toEqual({
      surprise: 10,
      value: 5,
    });
    // 1 + 0.9 * 5 - 0 = 5.5, half of it learned.
    expect(learner.learn({ situation: 1, action: 0, reward: 1, nextSituation: 2 })).toEqual({
      surprise: 5.5,
      value: 2.75,
    });
  });

  test("takes the best action without epsilon, any with it, and equals alike", () => {
    const learner = new QLearner({ actionCount: 3, random: seededRandom(1) });
    const chosen = (situation: number, epsilon: number) =>
      new Set(Array.from({ length: 200 }, () => learner.choose(situation, epsilon)));
    expect(chosen(1, 0)).toEqual(new Set([0, 1, 2]));
    learner.learn({ situation: 1, action: 2, reward: 1, nextSituation: undefined });
    expect(chosen(1, 0)).toEqual(new Set([2]));
    expect(chosen(1, 1)).toEqual(new Set([0, 1, 2]));
  });
});

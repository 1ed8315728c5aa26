import { describe, expect, test } from "vitest";
import { FrameWatch } from "../../../server/src/demo/frame-watch.js";
import { ACTIONS, ACTIONS_MAX, type Action, GridGame } from "../../../server/src/demo/grid-game.js";

const neverSlips = () => 0.999;
const alwaysSlips = () => 0;

// Right, down past the ice and up again to the key, then down to the door.
const SHORTEST = "444 22 44 11 44 2222222";

function play(game: GridGame, digits: string) {
  return Array.from(digits.replaceAll(" ", ""), (digit) => game.act(`ACTION${digit}` as Action));
}

describe("GridGame", () => {
  test("is won by fetching the key and entering the door", () => {
    const game = new GridGame(neverSlips);
    const steps = play(game, SHORTEST);
    expect(game.state).toBe("won");
    expect(game.score).toBe(GridGame.scoreMax);
    expect(game.actionsTaken).toBe(18);
    expect(steps.every((step) => step.entered)).toBe(true);
    expect(steps.filter((step) => step.points > 0)).toHaveLength(2);
    expect(() => game.act("ACTION1")).toThrow("over");
  });

  test("is lost when the actions are used up, walls included", () => {
    const game = new GridGame(neverSlips);
    const steps = play(game, "1".repeat(ACTIONS_MAX));
    expect(game.state).toBe("lost");
    expect(game.score).toBe(0);
    expect(steps[0]).toEqual({ aimed: { x: 1, y: 0 }, entered: false, slipped: false, points: 0 });
  });

  test("is lost in a pit, with the points that were won", () => {
    const game = new GridGame(neverSlips);
    play(game, "444 22 44 11 44 2222 3");
    expect(game.state).toBe("lost");
    expect(game.score).toBe(30);
  });

  test("slips sideways on ice only", () => {
    const game = new GridGame(alwaysSlips);
    const steps = play(game, "444 22 4 4");
    expect(steps.slice(0, -1).some((step) => step.slipped)).toBe(false);
    expect(steps.at(-1)).toMatchObject({ slipped: true, entered: false });
  });

  test("counts its situations apart, and shows another frame for each place and for the key", () => {
    const game = new GridGame(neverSlips);
    const situations = new Set([game.situation]);
    const frames = new Set([JSON.stringify(game.frame())]);
    for (const digit of SHORTEST.replaceAll(" ", "")) {
      game.act(ACTIONS[Number(digit) - 1] ?? "ACTION1");
      situations.add(game.situation);
      frames.add(JSON.stringify(game.frame()));
    }
    expect(situations.size).toBe(19);
    expect(frames.size).toBe(19);
    expect(Math.max(...situations)).toBeLessThan(GridGame.width * GridGame.height * 2);
  });
});

describe("FrameWatch", () => {
  test("sees that the game stands still when a frame comes back for the fourth time", () => {
    const watch = new FrameWatch();
    const [here, there] = [[[0, 1]], [[1, 0]]];
    const seen = [here, there, here, here, there, here].map((frame) => watch.see(frame));
    expect(seen.map((each) => each.timesSeen)).toEqual([1, 1, 2, 3, 2, 4]);
    expect(seen.map((each) => each.stagnant)).toEqual([false, false, false, false, false, true]);
    expect(seen[0]?.hash).toBe(seen[5]?.hash);
    expect(seen[0]?.hash).toMatch(/^[0-9a-f]{16}$/);
    expect(watch.differentFrames).toBe(2);
  });
});

// What of the play becomes which record.
import { RECORD_TYPE_NAMES, type TrainingRecord } from "@tailkeep/client";
import { expect, test } from "vitest";
import { recordPlay } from "../../../server/src/demo/play-lists.js";
import { PlayRecorder } from "../../../server/src/demo/record-play.js";
import { type TrainingEvent, train } from "../../../server/src/demo/training.js";

const EPISODES = 300;

function recordsOf(seed: number): { records: TrainingRecord[]; steps: number; wins: number } {
  let nowUs = 1_000_000;
  const recorder = new PlayRecorder(() => (nowUs += 500));
  const events = [...train({ episodes: EPISODES, seed })];
  return {
    records: events.flatMap((event) => recorder.recordsOf(event)),
    steps: events.filter((event) => event.kind === "step").length,
    wins: events.filter((event) => event.kind === "episode" && event.won).length,
  };
}

const { records, steps, wins } = recordsOf(2);
const ofType = <T extends TrainingRecord["type"]>(type: T) =>
  records.filter((record): record is Extract<TrainingRecord, { type: T }> => record.type === type);

test("all six types come from the play, with game and time", () => {
  expect(new Set(records.map((record) => record.type))).toEqual(new Set(RECORD_TYPE_NAMES));
  expect(records.every((record) => record.gameId === "key-and-door")).toBe(true);
  const times = records.map((record) => record.eventTimeUs ?? 0);
  expect(times).toEqual([...times].sort((a, b) => a - b));
});

test("each step is an action, a coordinate and a frame", () => {
  const sequences = ofType("action_tracking").filter((record) => record.actionSequence !== undefined);
  expect(ofType("action_tracking")).toHaveLength(steps + wins);
  expect(sequences).toHaveLength(wins);
  expect(ofType("coordinate_tracking")).toHaveLength(steps);
  expect(ofType("frame_tracking")).toHaveLength(steps);
});

test("coordinates succeed and fail, frames move and stand still", () => {
  expect(new Set(ofType("coordinate_tracking").map((record) => record.success))).toEqual(new Set([true, false]));
  expect(new Set(ofType("frame_tracking").map((record) => record.stagnationDetected))).toEqual(new Set([true, false]));
  for (const { coordinateX = -1, coordinateY = -1 } of ofType("coordinate_tracking")) {
    expect(Math.min(coordinateX, coordinateY)).toBeGreaterThanOrEqual(0);
    expect(Math.max(coordinateX, coordinateY)).toBeLessThan(10);
  }
});

test("each episode is a session record and a performance record, whose figures rise", () => {
  expect(ofType("session_history")).toHaveLength(EPISODES);
  const performances = ofType("performance_history");
  expect(performances).toHaveLength(EPISODES);
  expect(performances.at(-1)?.winRate).toBeGreaterThan(performances[49]?.winRate ?? 1);
  expect(performances.at(-1)?.learningEfficiency).toBeGreaterThan(performances[49]?.learningEfficiency ?? 1);
  const won = ofType("session_history").filter((record) => record.win);
  expect(won.every((record) => record.status === "WIN" && record.score === 100)).toBe(true);
  expect(won).toHaveLength(wins);
  expect(ofType("session_history").every((record) => (record.durationSeconds ?? 0) > 0)).toBe(true);
});

test("the best score only ever rises", () => {
  const best = ofType("score_history").filter((record) => record.scoreType === "best");
  expect(best.map((record) => record.score)).toEqual([30, 100]);
  expect(ofType("score_history").filter((record) => record.scoreType === "final")).toHaveLength(EPISODES);
});

test("keeping hands over every event, in order, an episode at a time", async () => {
  const kept: string[] = [];
  let episodes = 0;
  const lists = { keep: (event: TrainingEvent) => void kept.push(event.kind) };
  await recordPlay(lists, train({ episodes: EPISODES, seed: 2 }), async () => {
    episodes += 1;
    expect(kept.at(-1)).toBe("episode");
  });
  expect(episodes).toBe(EPISODES);
  expect(kept).toHaveLength(steps + EPISODES);
});

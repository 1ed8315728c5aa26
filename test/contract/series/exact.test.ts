// Series against a plain list of the same records: whatever was summed up when, by whom, and however often it was begun anew.
import { type GetSeriesRequest, RecordType } from "@tailkeep/proto";
import { systemClock } from "@tailkeep/server/dist/base/clock.js";
import { Roller, StoreSeriesReader } from "@tailkeep/server/dist/series/index.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { batchOf, gapEntry } from "../../support/records/batches.js";
import {
  checkAnswer,
  type Point,
  type Random,
  randomOf,
  randomPoint,
  request,
  type Style,
} from "../support/series-model.js";
import { everyStore } from "../support/stores.js";
import { unique, Writer } from "../support/writer.js";

const pick = <Item>(random: Random, items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;

const SERIES: readonly [RecordType, string][] = [
  [RecordType.SCORE_HISTORY, "score"],
  [RecordType.SESSION_HISTORY, "win"],
  [RecordType.SESSION_HISTORY, "duration_seconds"],
  [RecordType.SESSION_HISTORY, "metadata.loss"],
];

function randomQuestion(random: Random, points: readonly Point[], style: Style, sessionId: string): GetSeriesRequest {
  const [type, column] = pick(random, SERIES);
  const xs = style.steps && type === RecordType.SESSION_HISTORY ? ["", "seq", "metadata.step"] : ["time", "seq"];
  const x = pick(random, xs);
  const at = () => {
    const { timeUs, seq } = pick(random, points);
    return x === "" || x === "time" ? timeUs : seq;
  };
  const [from, to] = [at(), at()].sort((a, b) => a - b);
  return request({
    sessionId,
    type,
    column,
    x,
    gameId: random() < 0.4 ? pick(random, style.games) : "",
    from: random() < 0.6 ? from : undefined,
    to: random() < 0.6 ? to : undefined,
    points: pick(random, [1, 7, 100, 1_000]),
  });
}

everyStore((fixture) => {
  const events = {
    failed: (error: unknown) => {
      throw error;
    },
    written: () => undefined,
  };

  async function play(seed: number, records: number): Promise<void> {
    const { store } = fixture();
    const random = randomOf(seed);
    const style: Style = {
      games: pick(random, [["ls20"], ["a", "b", "c"], Array.from({ length: 70 }, (_, at) => `g${at}`)]),
      back: pick(random, [0, 0, 0.2]),
      missing: pick(random, [0, 0.3]),
      steps: random() < 0.7,
    };
    const sessionId = unique("series");
    const writers = [await Writer.open(store, { sessionId }), await Writer.open(store, { sessionId })];
    const next = [1, 1];
    let rollers = [new Roller(store, systemClock, events), new Roller(store, systemClock, events)];
    const reader = new StoreSeriesReader(store.reads, { wanted: () => undefined });
    const points: Point[] = [];
    while (points.length < records) {
      const which = random() < 0.85 ? 0 : 1;
      const writer = writers[which] as Writer;
      const first = next[which] as number;
      const entries = [];
      let seq = first;
      for (let count = 1 + Math.floor(random() ** 3 * 4_000); count > 0; count--) {
        if (random() < 0.001) {
          entries.push(gapEntry(3));
          seq += 3;
        } else {
          const { entry, point } = randomPoint(random, seq++, style);
          entries.push(entry);
          points.push(point);
        }
      }
      next[which] = seq;
      const batch = batchOf(first, entries);
      const { committedSeq } = await writer.commit(batch);
      const owner = { key: writer.key, namespace: "default", sessionId };
      // A commit that a roller does not hear of was made by another server, or before it came into being.
      for (const roller of rollers) if (random() < 0.8) roller.committed(owner, [batch], committedSeq);
      if (random() < 0.3) await pick(random, rollers).flush();
      if (random() < 0.1) pick(random, rollers).forgetAll();
      if (random() < 0.1) rollers = [pick(random, rollers), new Roller(store, systemClock, events)];
      if (random() < 0.2) await ask();
    }
    async function ask(): Promise<void> {
      const question = randomQuestion(random, points, style, sessionId);
      const answer = await reader.get("default", question);
      // A game that is not among the first 64 of a stream cannot be told from the others of its kind.
      if (!answer.complete && question.gameId !== "") return;
      expect(answer.complete, JSON.stringify(question)).toBe(true);
      checkAnswer(points, question, answer);
    }
    for (let asked = 0; asked < 6; asked++) await ask();
    for (const roller of rollers) {
      for (const writer of writers) roller.wanted({ key: writer.key, namespace: "default", sessionId }, 1e9);
    }
    await rollers[0]?.flush();
    for (let asked = 0; asked < 6; asked++) await ask();
    const { series } = await reader.list("default", sessionId);
    for (const { type, column, gameId, count, min, max, firstTimeUs, lastTimeUs } of series) {
      if (gameId === "" || style.games.length > 64) continue;
      const own = points.filter((each) => each.type === type && each.game === gameId && each.values.has(column));
      const values = own.map((each) => each.values.get(column) as number);
      const times = own.map(({ timeUs }) => timeUs);
      expect([Number(count), min, max, Number(firstTimeUs), Number(lastTimeUs)], `${gameId} ${column}`).toEqual([
        own.length,
        Math.min(...values),
        Math.max(...values),
        Math.min(...times),
        Math.max(...times),
      ]);
    }
    const counted = series.reduce((sum, { count, column }) => sum + (column === "score" ? Number(count) : 0), 0);
    expect(counted).toBe(points.filter(({ values }) => values.has("score")).length);
  }

  test("small ones", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), (seed) => play(seed, 3_000)),
      { numRuns: 8, seed: 11, endOnFailure: true },
    );
  }, 120_000);

  test("one with three levels", () => play(7, 60_000), 120_000);
});

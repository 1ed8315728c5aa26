// Sessions of many streams and games: what a question holds is bounded, and what is left out is the oldest, and said.
import { systemClock } from "@tailkeep/server/dist/base/clock.js";
import {
  ROLLUP_GAMES_MAX,
  SERIES_HELD_MAX,
  SERIES_LAST_NODES_MAX,
  SERIES_LISTED_MAX,
} from "@tailkeep/server/dist/limits.js";
import { Roller, StoreSeriesReader } from "@tailkeep/server/dist/series/index.js";
import { expect, test } from "vitest";
import { batchOf, recordEntry, score } from "../../support/records/batches.js";
import { request } from "../support/series-model.js";
import { everyStore } from "../support/stores.js";
import { unique, Writer } from "../support/writer.js";

const NOBODY = { wanted: () => undefined };

everyStore((fixture) => {
  /** Streams one after the other in time, a record of each of `games` in turns, all summed up. Its values are its times. */
  async function session(streams: number, records: number, game: (stream: number, record: number) => string) {
    const { store } = fixture();
    const sessionId = unique();
    const roller = new Roller(store, systemClock, {
      failed: (error) => {
        throw error;
      },
      written: () => undefined,
    });
    for (let stream = 0; stream < streams; stream++) {
      const writer = await Writer.open(store, { sessionId });
      const entries = Array.from({ length: records }, (_, record) => {
        const timeUs = stream * records + record + 1;
        return recordEntry(score(timeUs, timeUs, game(stream, record)));
      });
      const batch = batchOf(1, entries);
      const { committedSeq } = await writer.commit(batch);
      roller.committed({ key: writer.key, namespace: "default", sessionId }, [batch], committedSeq);
    }
    await roller.flush();
    const reader = new StoreSeriesReader(store.reads, NOBODY);
    const drawn = async (change: Parameters<typeof request>[0] = {}) => {
      const answer = await reader.get("default", request({ sessionId, ...change }));
      return {
        ...answer,
        total: answer.count.reduce((sum, each) => sum + Number(each), 0),
        all: answer.sum.reduce((sum, each) => sum + each, 0),
      };
    };
    return { drawn, list: () => reader.list("default", sessionId) };
  }

  test("of more games and streams than are held, the streams with the latest records are drawn", async () => {
    const games = ROLLUP_GAMES_MAX;
    const streams = Math.ceil((SERIES_HELD_MAX * 1.1) / games);
    const { drawn, list } = await session(streams, games, (stream, record) =>
      record % 2 === 0 ? `g${record}` : `g${record} of ${stream}`,
    );
    const found = await drawn({ points: 4_000 });
    expect(found.complete).toBe(false);
    expect(found.total).toBeGreaterThanOrEqual(SERIES_HELD_MAX * 0.75 - games);
    expect(found.total).toBeLessThanOrEqual(SERIES_HELD_MAX);
    expect(found.xMax).toBe(streams * games);
    expect(found.xMin).toBe(streams * games - found.total + 1);
    // Of one game there is not too much.
    const ofGame = await drawn({ gameId: "g10" });
    expect(ofGame).toMatchObject({ complete: true, total: streams, xMin: 11 });
    const listed = await list();
    expect(listed.series.length).toBe(SERIES_LISTED_MAX);
    expect(listed.complete).toBe(false);
  });

  test("of more newest sums than are held, the older ones are in the answer as a bucket each", async () => {
    const records = 40;
    const streams = SERIES_LAST_NODES_MAX + 100;
    const { drawn, list } = await session(streams, records, () => "ls20");
    const count = streams * records;
    const all = await drawn({ points: 4_000 });
    expect(all).toMatchObject({ complete: true, total: count, all: (count * (count + 1)) / 2, xMin: 1, xMax: count });
    // Those outside of the range are not held: an old stream is seen in each of its records.
    const old = await drawn({ from: 5 * records + 1, to: 6 * records, points: records });
    expect(old).toMatchObject({ complete: true, total: records, wideBuckets: 0 });
    expect(old.count.every((each) => each === 1n)).toBe(true);
    expect(await list()).toMatchObject({ complete: true, series: [{ count: BigInt(count) }] });
  });
});

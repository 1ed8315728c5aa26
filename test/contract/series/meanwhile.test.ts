// A checkpoint may fall between any two reads of an answer: nothing is then counted twice, and nothing is left out.
import { systemClock } from "@tailkeep/server/dist/base/clock.js";
import { Roller, StoreSeriesReader } from "@tailkeep/server/dist/series/index.js";
import type { Reads } from "@tailkeep/server/dist/store/reads/reads.js";
import { expect, test } from "vitest";
import { scores } from "../../support/records/batches.js";
import { request } from "../support/series-model.js";
import { everyStore } from "../support/stores.js";
import { Writer } from "../support/writer.js";

/** The reads that an answer is made of, in their order. */
const STEPS = ["streamsOf", "rollupStreams", "nodesAt", "seriesRows", "nodeRange"] as const;

/** Reads in front of which something happens once. */
function interrupted(reads: Reads, step: (typeof STEPS)[number], work: () => Promise<void>): Reads {
  let hasHappened = false;
  return new Proxy(reads, {
    get: (target, name) => {
      const own = (target as unknown as Record<string | symbol, unknown>)[name];
      if (typeof own !== "function") return own;
      return async (...args: unknown[]): Promise<unknown> => {
        if (name === step && !hasHappened) {
          hasHappened = true;
          await work();
        }
        return (own as (...all: unknown[]) => unknown).apply(target, args);
      };
    },
  });
}

everyStore((fixture) => {
  test.each(STEPS.flatMap((step) => [100, 1_000, 2_500].map((added) => [step, added] as const)))(
    "before %s, after %i more records",
    async (step, added) => {
      const { store } = fixture();
      const writer = await Writer.open(store);
      const { sessionId } = writer.request;
      const roller = new Roller(store, systemClock, {
        failed: (error) => {
          throw error;
        },
        written: () => undefined,
      });
      const write = async (firstSeq: number, count: number) => {
        const batch = scores(firstSeq, count);
        const { committedSeq } = await writer.commit(batch);
        roller.committed({ key: writer.key, namespace: "default", sessionId }, [batch], committedSeq);
      };
      await write(1, 1_500);
      await roller.flush();
      await write(1_501, 70);
      const reads = interrupted(store.reads, step, async () => {
        await write(1_571, added);
        await roller.flush();
      });
      const answer = await new StoreSeriesReader(reads, { wanted: () => undefined }).get(
        "default",
        request({ sessionId, points: 4_000 }),
      );
      expect(answer.complete).toBe(true);
      const total = answer.count.reduce((sum, each) => sum + Number(each), 0);
      // All that was there when it was asked; of what came meanwhile a beginning.
      expect(total).toBeGreaterThanOrEqual(1_570);
      expect(total).toBeLessThanOrEqual(1_570 + added);
      expect(answer.sum.reduce((sum, each) => sum + each, 0)).toBe((total * (total + 1)) / 2);
    },
  );
});

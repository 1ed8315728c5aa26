// Whatever a store does, and in whatever order: each stream is stored in order, once, and told once; nothing is left over.
import { StoreError, type StoreErrorKind } from "@tailkeep/server/dist/store/errors.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { scores } from "../../support/records/batches.js";
import { Fixture } from "./group-commit.fixture.js";

type Step =
  | { do: "send"; stream: number; records: number }
  | { do: "wait"; ms: number }
  | { do: "answer"; which: number; how: StoreErrorKind | "commit" | "commitUnanswered" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("send" as const),
      stream: fc.nat({ max: 4 }),
      records: fc.integer({ min: 1, max: 600 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat({ max: 40 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("answer" as const),
      which: fc.nat({ max: 3 }),
      how: fc.constantFrom("commit", "commit", "commit", "commitUnanswered", "contention", "unavailable", "refused"),
    }),
  },
);

test("any schedule of batches and failures", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 40 }),
      fc.integer({ min: 1, max: 3 }),
      async (steps, lanes) => {
        const { commit, clock, store, heard, ...fixture } = fixtureOf(lanes);
        const sent = [0, 0, 0, 0, 0];
        for (const each of steps) {
          if (each.do === "wait") await clock.advance(each.ms);
          else if (each.do === "send") {
            commit.enqueue(
              fixture.queues[each.stream] as never,
              scores((sent[each.stream] as number) + 1, each.records),
            );
            sent[each.stream] = (sent[each.stream] as number) + each.records;
          } else {
            await clock.settle();
            const transaction = store.pending[each.which % Math.max(1, store.pending.length)];
            const error = new StoreError(
              each.how === "commitUnanswered" ? "unknownOutcome" : (each.how as StoreErrorKind),
              "x",
              "X",
            );
            if (each.how === "commit") transaction?.commit();
            else if (each.how === "commitUnanswered") transaction?.commitUnanswered(error);
            else transaction?.fail(error);
          }
          // One stream, one transaction.
          const keys = store.pending.flatMap(({ runs }) => runs.map((run) => run.key));
          expect(new Set(keys).size).toBe(keys.length);
          expect(store.pending.length).toBeLessThanOrEqual(lanes);
        }
        let isDrained = false;
        void commit.drained().then(() => {
          isDrained = true;
        });
        for (let round = 0; round < 200 && !isDrained; round++) {
          for (const transaction of store.pending.slice()) transaction.commit();
          await clock.advance(100);
        }
        expect(isDrained).toBe(true);
        expect(commit.waitingRecords).toBe(0);
        for (const [stream, count] of sent.entries()) {
          expect(store.stored.get(BigInt(stream)) ?? []).toEqual(
            Array.from({ length: count }, (_, index) => index + 1),
          );
          expect(toldNumbers(heard, stream)).toBe(count);
        }
      },
    ),
    { numRuns: 150 },
  );
}, 60_000);

function fixtureOf(lanes: number) {
  const fixture = new Fixture(lanes);
  return {
    commit: fixture.commit,
    clock: fixture.clock,
    store: fixture.store,
    heard: fixture.heard,
    queues: [0, 1, 2, 3, 4].map((key) => fixture.queue(key)),
  };
}

/** Up to which number a stream was told of, each range beginning where the one before ended. */
function toldNumbers(heard: readonly string[], stream: number): number {
  let last = 0;
  for (const each of heard) {
    const [, key, from, to] = /^(\d+) committed (\d+)-(\d+)$/.exec(each) ?? [];
    if (Number(key) !== stream || key === undefined) continue;
    expect(Number(from)).toBe(last + 1);
    last = Number(to);
  }
  return last;
}

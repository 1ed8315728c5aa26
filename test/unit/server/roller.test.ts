// Summing up beside a store of which something fails each time: the rest goes on, and memory stays bounded.
import { ROLLUP_BYTES_MAX, ROLLUP_RECORDS_PER_LOOK } from "@tailkeep/server/dist/limits.js";
import type { Batch } from "@tailkeep/server/dist/record/batch.js";
import { Roller } from "@tailkeep/server/dist/series/index.js";
import { StoreError, type StoreErrorKind } from "@tailkeep/server/dist/store/errors.js";
import type { Checkpoint, CheckpointOutcome } from "@tailkeep/server/dist/store/rollups.js";
import type { Store } from "@tailkeep/server/dist/store/store.js";
import { expect, test } from "vitest";
import { FakeClock } from "../../support/fake-clock.js";
import { batchOf, recordEntry, scores } from "../../support/records/batches.js";

/** A store without records; what is not said otherwise succeeds. */
class Rig {
  readonly clock = new FakeClock();
  readonly failures: unknown[] = [];
  readonly written: Checkpoint[] = [];
  sweeps = 0;
  laggingStreams: () => Promise<unknown> = () => Promise.resolve({ streams: [], upTo: undefined });
  write: (checkpoints: readonly Checkpoint[]) => Promise<CheckpointOutcome[]> = (checkpoints) => {
    this.written.push(...checkpoints);
    return Promise.resolve(checkpoints.map(() => "written"));
  };
  readonly roller: Roller;
  readonly #stop = new AbortController();

  constructor() {
    const store = {
      reads: {
        rollupStream: () => Promise.resolve(undefined),
        rollupStreams: () => Promise.resolve({ rows: [], isLast: true, longest: 0 }),
        nodesAt: () => Promise.resolve([]),
        listStreamPage: (_key: bigint, _from: number, upTo: number) => Promise.resolve({ rows: [], upTo }),
        laggingStreams: () => {
          this.sweeps++;
          return this.laggingStreams();
        },
      },
      rollups: { write: (checkpoints: readonly Checkpoint[]) => this.write(checkpoints) },
    };
    this.roller = new Roller(store as unknown as Store, this.clock, {
      failed: (error) => this.failures.push(error),
      written: () => undefined,
    });
    void this.roller.keep(this.#stop.signal, () => true);
  }

  commit(key: number, batch: Batch): void {
    const owner = { key: BigInt(key), namespace: "default", sessionId: `s${key % 50}` };
    this.roller.committed(owner, [batch], batch.lastSeq);
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.clock.advance(60_000);
  }
}

const failing = (kind: StoreErrorKind) => () => Promise.reject(new StoreError(kind, "it fails", "FAILS"));

/** One record of each of 64 games with 60 keys: some MiB of sums. */
function wide(firstSeq: number): Batch {
  const metadataJson = JSON.stringify(Object.fromEntries(Array.from({ length: 60 }, (_, key) => [`k${key}`, key])));
  const entries = Array.from({ length: 64 }, (_, game) =>
    recordEntry({
      eventTimeUs: undefined,
      kind: {
        $case: "performanceHistory",
        value: { gameId: `g${game}`, score: 1, winRate: 1, learningEfficiency: 1, metadataJson },
      },
    }),
  );
  return batchOf(firstSeq, entries);
}

test("a search for silent streams that fails each time holds nothing up, and is complained of", async () => {
  const rig = new Rig();
  rig.laggingStreams = failing("unavailable");
  await rig.clock.advance(20_000);
  expect(rig.sweeps).toBe(1);
  expect(rig.failures).toHaveLength(1);
  rig.commit(1, scores(1, 10));
  await rig.clock.advance(20_000);
  expect(rig.written.map(({ toSeq }) => toSeq)).toEqual([10]);
  await rig.clock.advance(600_000);
  expect(rig.sweeps).toBe(2);
  await rig.end();
});

test("silent streams are looked for page after page, and again after the last", async () => {
  const rig = new Rig();
  const pages = [7n, 9n, undefined];
  rig.laggingStreams = () =>
    Promise.resolve({
      streams: [{ key: BigInt(rig.sweeps), namespace: "default", sessionId: "s", committedSeq: 5 }],
      upTo: pages[rig.sweeps - 1],
    });
  await rig.clock.advance(60_000);
  expect(rig.sweeps).toBe(3);
  expect(rig.written.map(({ key, toSeq }) => [key, toSeq])).toEqual([
    [1n, 5],
    [2n, 5],
    [3n, 5],
  ]);
  await rig.end();
});

test.each(["contention", "unavailable", "refused"] as const)(
  "memory stays bounded where writing is %s",
  async (kind) => {
    const rig = new Rig();
    rig.write = failing(kind);
    for (let key = 1; key <= 60; key++) {
      rig.commit(key, wide(1));
      await rig.clock.advance(600);
      expect(rig.roller.statistics.bytes).toBeLessThan(ROLLUP_BYTES_MAX);
    }
    expect(rig.failures.length).toBeGreaterThan(0);
    await rig.end();
  },
);

test("memory stays bounded where the store does not answer", async () => {
  const rig = new Rig();
  for (let key = 1; key <= 30; key++) rig.commit(key, scores(1, 1));
  await rig.clock.advance(600);
  rig.write = () => new Promise(() => undefined);
  rig.commit(100, scores(1, 1));
  await rig.clock.advance(10_000);
  for (let key = 1; key <= 30; key++) rig.commit(key, wide(2));
  for (let count = 0; count < ROLLUP_RECORDS_PER_LOOK; count += 4_096) rig.commit(30, scores(66 + count, 4_096));
  const { streams, bytes } = rig.roller.statistics;
  expect(streams).toBeLessThan(30);
  expect(bytes).toBeLessThan(ROLLUP_BYTES_MAX);
  await rig.end();
});

test("a stream whose writing gives way each time does not hold up the others", async () => {
  const rig = new Rig();
  const { write } = rig;
  rig.write = (checkpoints) =>
    checkpoints.some(({ key }) => key === 1n) ? failing("contention")() : write(checkpoints);
  for (let key = 1; key <= 100; key++) rig.commit(key, scores(1, 10));
  await rig.clock.advance(15_000);
  expect(rig.written.length).toBeGreaterThan(30);
  await rig.end();
});

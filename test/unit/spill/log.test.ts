import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EncodedBatch } from "../../../client/src/encode/encoded-batch.js";
import { SPILL_SEGMENT_BYTES_MAX } from "../../../client/src/limits.js";
import type { SpillLog } from "../../../client/src/spill/index.js";
import {
  adopt,
  type BatchShape,
  batchShape,
  filesIn,
  leaveBehind,
  logOf,
  makeBatch,
  makeBatches,
  openSpill,
  plain,
  plainAll,
  readAll,
  sameBatches,
  segmentsIn,
  streamNamed,
  tempFolder,
  until,
} from "./fixture.js";

const recordsOf = (batches: readonly EncodedBatch[]) =>
  batches.reduce((sum, { isGap, count }) => sum + (isGap ? 0 : count), 0);

type Step =
  | { readonly do: "append"; readonly shape: BatchShape }
  | { readonly do: "read" | "ack" | "skip" | "turn" | "write" | "sync" };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant("append" as const), shape: batchShape }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("read" as const) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom("ack" as const, "skip", "turn", "write", "sync") }) },
);

/** The log as it should be: what was appended, and two places in it. */
class Model {
  readonly batches: EncodedBatch[] = [];
  read = 0;
  acked = 0;

  get lastSeq(): number {
    return this.batches.at(-1)?.lastSeq ?? 0;
  }

  check(log: SpillLog): void {
    expect(log.lastSeq).toBe(this.lastSeq);
    expect(log.atEnd).toBe(this.read === this.batches.length);
    expect(log.unreadRecords).toBe(recordsOf(this.batches.slice(this.read)));
    expect(log.records).toBe(recordsOf(this.batches.slice(this.acked)));
    expect(log.syncedSeq).toBeLessThanOrEqual(this.lastSeq);
  }
}

async function play(log: SpillLog, model: Model, { ...step }: Step): Promise<void> {
  if (step.do === "append") {
    const batch = makeBatch(model.lastSeq + 1, step.shape);
    expect(log.append(batch)).toBe("taken");
    model.batches.push(batch);
  } else if (step.do === "read") {
    const expected = model.batches[model.read];
    const batch = await log.next();
    expect(batch === undefined ? undefined : plain(batch)).toEqual(
      expected === undefined ? undefined : plain(expected),
    );
    if (expected !== undefined) model.read++;
  } else if (step.do === "ack") {
    // A server acks what it was sent.
    if (model.acked < model.read) model.acked++;
    log.acked(model.batches[model.acked - 1]?.lastSeq ?? 0);
  } else if (step.do === "skip") {
    model.read = Math.min(model.read + 1, model.batches.length);
    log.skipTo(model.batches[model.read - 1]?.lastSeq ?? 0);
  } else if (step.do === "write") {
    log.writeSync();
    expect(log.unwrittenBytes).toBe(0);
  } else if (step.do === "sync") {
    await until(() => log.syncedSeq === log.lastSeq, "everything is synced");
  } else {
    await new Promise((resolve) => setImmediate(resolve));
  }
  model.check(log);
}

describe("a log", () => {
  test("gives back what was appended, in order, whatever else happens to it, to its process and to its successor", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 60 }),
        fc.constantFrom({ everyMs: 1 }, { everyMs: 50 }, "always" as const),
        async (steps, sync) => {
          const folder = tempFolder();
          const { spill, codes } = openSpill(folder, { sync });
          const log = logOf(spill);
          const model = new Model();
          for (const each of steps) await play(log, model, each);
          await spill.close();

          const successor = await adopt(folder);
          const [orphan] = successor.orphans;
          const unacked = model.batches.slice(model.acked);
          if (unacked.length > 0 || model.read < model.batches.length) {
            if (orphan === undefined) throw new Error("nothing was left");
            // What was acked may come again, for files are deleted as a whole.
            const left = await readAll(orphan.log);
            const needed = model.batches.filter(({ firstSeq }) => firstSeq >= (left[0]?.firstSeq ?? 0));
            expect(plainAll(left)).toEqual(plainAll(needed));
            expect(left[0]?.firstSeq).toBeLessThanOrEqual(unacked[0]?.firstSeq ?? Number.POSITIVE_INFINITY);
            expect(orphan).toMatchObject({ lastSeq: model.lastSeq, missing: [] });
            await orphan.log.remove();
          } else {
            expect(successor.orphans).toEqual([]);
          }
          await successor.spill.close();
          expect(filesIn(folder)).toEqual([]);
          expect([codes(), successor.codes()]).toEqual([[], []]);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("takes batches of every size up to the largest, and files of at most 16 MB, deleted as they are acked", async () => {
    const folder = tempFolder();
    const { spill } = openSpill(folder);
    const log = logOf(spill);
    const largest = 1024 * 1024 - 16;
    const batches = makeBatches([
      ...new Array<BatchShape>(40).fill({ records: 7, bytes: largest }),
      ...new Array<BatchShape>(3000).fill({ records: 1, bytes: 30 }),
    ]);
    for (const batch of batches) {
      expect(log.append(batch)).toBe("taken");
      if (log.unwrittenBytes > 4 * largest) await until(() => log.unwrittenBytes === 0, "it is written");
    }
    await until(() => log.syncedSeq === log.lastSeq, "everything is synced");
    expect(log.heldBytes).toBe(0);
    const { size } = await import("node:fs").then(({ statSync }) => ({ size: (path: string) => statSync(path).size }));
    const sizes = segmentsIn(folder).map(size);
    expect(sizes.length).toBe(3);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(SPILL_SEGMENT_BYTES_MAX);
    expect(log.bytes).toBe(sizes.reduce((sum, bytes) => sum + bytes));

    const files: number[] = [];
    for (const batch of batches) {
      const read = await log.next();
      expect(read === undefined ? undefined : Buffer.compare(read.bytes, batch.bytes)).toBe(0);
      log.acked(batch.lastSeq - 1);
      if (batch.count === 7) files.push(segmentsIn(folder).length);
    }
    // A file goes when its last number is acked, and not before.
    expect(files[0]).toBe(3);
    await until(() => segmentsIn(folder).length === 1, "two files are deleted");
    log.acked(log.lastSeq);
    await until(() => segmentsIn(folder).length === 0, "the last file is deleted");
    await until(() => log.bytes === 0, "it is not counted any more");
    // An empty log takes numbers further on: those between went by another way.
    expect(log.append(makeBatch(log.lastSeq + 100, { records: 3, bytes: 9 }))).toBe("taken");
    expect(log.firstSeq).toBe(log.lastSeq - 2);
    expect(await readAll(log)).toHaveLength(1);
  });

  test("refuses a batch that could not be read again, and says so", () => {
    const { spill, codes } = openSpill(tempFolder());
    const log = logOf(spill);
    expect(log.append(makeBatch(1, { records: 5_000, bytes: 10_000 }))).toBe("failed");
    expect(log.append(makeBatch(1, { records: 1, bytes: 1024 * 1024 + 1 }))).toBe("failed");
    expect(log.append(makeBatch(1, { records: 1, bytes: 0 }))).toBe("failed");
    expect(log.append(makeBatch(2 ** 53 - 2, { gap: 3, type: 0, cause: 0 }))).toBe("failed");
    expect(codes()).toEqual(["SPILL_BAD_BATCH"]);
    expect(log.append(makeBatch(1, { records: 4_096, bytes: 1024 * 1024 }))).toBe("taken");
  });

  test("refuses a batch that is out of order, and says so", () => {
    const { spill, codes } = openSpill(tempFolder());
    const log = logOf(spill);
    log.append(makeBatch(5, { records: 2, bytes: 9 }));
    expect(log.append(makeBatch(8, { records: 2, bytes: 9 }))).toBe("failed");
    expect(log.append(makeBatch(6, { records: 2, bytes: 9 }))).toBe("failed");
    expect(log.append(makeBatch(7, { records: 2, bytes: 9 }))).toBe("taken");
    expect(codes()).toEqual(["SPILL_BAD_BATCH"]);
  });

  test("gives the whole batch after a skip into its middle", async () => {
    const { spill } = openSpill(tempFolder());
    const log = logOf(spill);
    const batches = sameBatches(4, 10, 50);
    for (const batch of batches) log.append(batch);
    log.skipTo(15);
    expect(await log.next().then((batch) => batch?.firstSeq)).toBe(11);
    await until(() => log.syncedSeq === 40, "everything is synced");
    log.skipTo(33);
    expect(await log.next().then((batch) => batch?.firstSeq)).toBe(31);
  });

  test("is not read past by an ack: the caller gets every number in turn", async () => {
    const folder = tempFolder();
    await leaveBehind(folder, sameBatches(3, 10, 50));
    const { orphans } = await adopt(folder);
    const log = orphans[0]?.log as SpillLog;
    log.acked(30);
    expect((await readAll(log)).map(({ firstSeq }) => firstSeq)).toEqual([1, 11, 21]);
    await until(() => segmentsIn(folder).length === 0, "the file is deleted");
  });

  test("keeps its files when it is sealed, out of the way of any successor", async () => {
    const folder = tempFolder();
    const { spill } = openSpill(folder);
    const log = logOf(spill);
    for (const batch of sameBatches(3, 10, 50)) log.append(batch);
    await log.seal();
    expect(log.append(makeBatch(31, { records: 1, bytes: 5 }))).toBe("failed");
    expect(spill.bytes).toBe(0);
    await spill.close();
    expect(filesIn(folder)).toEqual([expect.stringMatching(/^fenced\/.*\.seg$/)]);
    expect((await adopt(folder)).orphans).toEqual([]);
  });

  test("leaves no file when it is removed while it writes", async () => {
    const folder = tempFolder();
    const { spill } = openSpill(folder);
    for (let round = 0; round < 20; round++) {
      const log = logOf(spill, streamNamed(`stream ${round}`));
      for (const batch of sameBatches(10, 10, 5000)) log.append(batch);
      for (let turn = 0; turn < round; turn++) await new Promise((resolve) => setImmediate(resolve));
      await log.remove();
      expect(segmentsIn(folder)).toEqual([]);
    }
    expect(spill.bytes).toBe(0);
  });
});

test("two logs of one folder do not mix", async () => {
  const folder = tempFolder();
  const { spill } = openSpill(folder);
  const names = ["one", "two", "three"];
  const logs = names.map((name) => logOf(spill, streamNamed(name)));
  const batches = names.map((_, index) => sameBatches(50, 3, 100 + index, 1 + 1000 * index));
  for (let index = 0; index < 50; index++) {
    logs.forEach((log, which) => void log.append(batches[which]?.[index] as EncodedBatch));
    if (index % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await spill.close();
  const { orphans } = await adopt(folder);
  expect(orphans.map(({ identity }) => identity.streamId).sort()).toEqual([...names].sort());
  for (const { identity, log } of orphans) {
    const expected = batches[names.indexOf(identity.streamId)] ?? [];
    expect(plainAll(await readAll(log))).toEqual(plainAll(expected));
  }
});

test("everything is written and synced at the end of a process, without a turn of the event loop", async () => {
  const folder = tempFolder();
  const { spill } = openSpill(folder, { sync: { everyMs: 60_000 } });
  const log = logOf(spill);
  const batches = sameBatches(100, 3, 1000);
  for (const batch of batches) log.append(batch);
  spill.writeAllSync();
  expect(log.syncedSeq).toBe(log.lastSeq);
  expect(plainAll(await readAll(log))).toEqual(plainAll(batches));
});

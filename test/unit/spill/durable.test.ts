// What `syncedSeq` promises: it is there after the power was gone, whatever failed before.
import { copyFileSync, mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SPILL_HELD_BYTES_MAX } from "../../../client/src/limits.js";
import type { SpillLog } from "../../../client/src/spill/index.js";
import {
  adopt,
  batchShape,
  IDENTITY,
  logOf,
  makeBatch,
  makeBatches,
  openSpill,
  plainAll,
  readAll,
  sameBatches,
  segmentsIn,
  tempFolder,
  until,
} from "./fixture.js";
import { type Call, UnsafeDisk } from "./unsafe-disk.js";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("the sync policy", () => {
  test("syncs a new file, then its folder, then the folders above that are new, before anything counts as durable", async () => {
    const folder = `${tempFolder()}/new/newer`;
    const unsafe = new UnsafeDisk();
    const { spill } = openSpill(folder, {}, { disk: unsafe.disk });
    const log = logOf(spill);
    const synced: number[] = [];
    log.onSynced((seq) => synced.push(seq));
    log.append(makeBatch(1, { records: 3, bytes: 10 }));
    await until(() => log.syncedSeq === 3, "it is synced");
    log.append(makeBatch(4, { records: 3, bytes: 10 }));
    await until(() => log.syncedSeq === 6, "it is synced");
    const [file] = segmentsIn(folder).map((path) => basename(path));
    const owner = segmentsIn(folder)[0]?.split("/").at(-2);
    const first = unsafe.calls.indexOf(`syncFile ${file}`);
    expect(unsafe.calls.slice(first)).toEqual([
      `syncFile ${file}`,
      `syncFolder ${owner}`,
      "syncFolder newer",
      "syncFolder new",
      expect.stringMatching(/^syncFolder tailkeep-spill-/),
      `write ${file}`,
      ...(unsafe.calls.filter((call) => call === `write ${file}`).length > 2 ? [`write ${file}`] : []),
      `syncFile ${file}`,
    ]);
    expect(synced).toEqual([3, 6]);
  });

  test("is not a sync for every batch, unless it says so", async () => {
    for (const [sync, least, most] of [
      [{ everyMs: 40 }, 1, 12],
      ["always", 60, 100],
    ] as const) {
      const unsafe = new UnsafeDisk();
      const { spill } = openSpill(tempFolder(), { sync }, { disk: unsafe.disk });
      const log = logOf(spill);
      for (const batch of sameBatches(60, 1, 50)) {
        log.append(batch);
        await until(() => log.unwrittenBytes === 0, "it is written");
        if (sync === "always") await until(() => log.syncedSeq === batch.lastSeq, "it is synced");
      }
      const syncs = unsafe.calls.filter((call) => call.startsWith("syncFile")).length;
      expect(syncs).toBeGreaterThanOrEqual(least);
      expect(syncs).toBeLessThanOrEqual(most);
    }
  });
});

test("what was begun in the background and not finished is written all the same by who cannot wait for it", async () => {
  const unsafe = new UnsafeDisk();
  const folder = tempFolder();
  const { spill } = openSpill(folder, {}, { disk: unsafe.disk });
  const log = logOf(spill);
  let letGo = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  unsafe.delay = () => gate;
  const batches = sameBatches(30, 2, 100);
  for (const batch of batches.slice(0, 10)) log.append(batch);
  await until(() => unsafe.calls.some((call) => call.startsWith("write")), "a write is begun");
  for (const batch of batches.slice(10)) log.append(batch);
  log.writeSync();
  expect(log.unwrittenBytes).toBe(0);
  // As if it was killed here.
  const copy = tempFolder();
  for (const path of segmentsIn(folder)) {
    mkdirSync(join(copy, "0123456789abcdef"), { recursive: true });
    copyFileSync(path, join(copy, "0123456789abcdef", basename(path)));
  }
  const { orphans } = await adopt(copy);
  expect(orphans).toMatchObject([{ firstSeq: 1, lastSeq: 60, missing: [] }]);
  letGo();
  await until(() => log.syncedSeq === 60, "everything is synced");
  expect(plainAll(await readAll(log))).toEqual(plainAll(batches));
});

interface Fault {
  readonly call: Call;
  /** How many calls of that kind go well before it. */
  readonly after: number;
  readonly times: number;
  readonly code: "EIO" | "ENOSPC";
}

const fault: fc.Arbitrary<Fault> = fc.record({
  call: fc.constantFrom<Call[]>("open", "write", "syncFile", "syncFolder"),
  after: fc.nat(6),
  times: fc.integer({ min: 1, max: 3 }),
  code: fc.constantFrom("EIO", "ENOSPC"),
});

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("append" as const), shape: batchShape }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom("turn" as const, "turns", "write", "ack", "read", "exit") }),
  },
);

/** A clock whose long waits are short: a disk that failed is tried again soon. */
const hastyClock = async () => {
  const { systemClock } = await import("../../../client/src/clock.js");
  return { ...systemClock, after: (ms: number, fire: () => void) => systemClock.after(Math.min(ms, 5), fire) };
};

describe("what is synced", () => {
  test("is there after the power was gone, and no failed file is ever written or synced again", async () => {
    const clock = await hastyClock();
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 60 }),
        fc.array(fault, { maxLength: 3 }),
        fc.constantFrom({ everyMs: 1 }, "always" as const),
        fc.nat(3),
        async (steps, faults, sync, delays) => {
          const folder = tempFolder();
          const unsafe = new UnsafeDisk();
          unsafe.delay = async () => {
            for (let at = 0; at < delays; at++) await turn();
          };
          const counts = new Map<Call, number>();
          unsafe.fails = (call) => {
            const count = counts.get(call) ?? 0;
            counts.set(call, count + 1);
            return faults.find((each) => each.call === call && count >= each.after && count < each.after + each.times)
              ?.code;
          };
          const { spill } = openSpill(folder, { sync }, { disk: unsafe.disk, clock });
          const log = logOf(spill);
          const taken: ReturnType<typeof makeBatch>[] = [];
          let [read, acked, syncedSeq] = [0, 0, 0];
          for (const { ...each } of steps) {
            if (each.do === "append") {
              const batch = makeBatch((taken.at(-1)?.lastSeq ?? 0) + 1, each.shape);
              if (log.append(batch) === "taken") taken.push(batch);
            } else if (each.do === "write") log.writeSync();
            else if (each.do === "exit") spill.writeAllSync();
            else if (each.do === "ack") {
              acked = Math.min(acked + 1, read);
              log.acked(taken[acked - 1]?.lastSeq ?? 0);
            } else if (each.do === "read") {
              const batch = await log.next();
              expect(batch === undefined ? [] : plainAll([batch])).toEqual(plainAll(taken.slice(read, read + 1)));
              if (batch !== undefined) read++;
            } else for (let at = 0; at < (each.do === "turn" ? 1 : 20); at++) await turn();
            expect(log.syncedSeq).toBeGreaterThanOrEqual(syncedSeq);
            syncedSeq = log.syncedSeq;
          }

          const promised = log.syncedSeq;
          const ackedSeq = taken[acked - 1]?.lastSeq ?? 0;
          const ruins = tempFolder();
          unsafe.powerLoss(folder, ruins);
          const { orphans, spill: successor } = await adopt(ruins);
          const found = orphans[0] === undefined ? [] : await readAll(orphans[0].log);
          const needed = taken.filter(({ lastSeq }) => lastSeq > ackedSeq && lastSeq <= promised);
          expect(orphans[0]?.missing ?? []).toEqual([]);
          expect(plainAll(found)).toEqual(expect.arrayContaining(plainAll(needed)));
          const truths = taken.filter(({ firstSeq, lastSeq }) => {
            return firstSeq >= (found[0]?.firstSeq ?? 0) && lastSeq <= (found.at(-1)?.lastSeq ?? 0);
          });
          expect(plainAll(found)).toEqual(plainAll(truths));
          await successor.close();

          // Nothing is lost to the process itself either, and once the faults are over all of it gets to the disk.
          expect(plainAll(await readAll(log))).toEqual(plainAll(taken.slice(read)));
          unsafe.fails = () => undefined;
          await until(() => log.syncedSeq === log.lastSeq, "everything is synced");
          expect([log.missing, unsafe.touchedAgain]).toEqual([[], []]);
          await spill.close();
        },
      ),
      { numRuns: 250 },
    );
  });
});

describe("a disk that fails", () => {
  /** Appends until something else than "taken" comes back. */
  async function appendUntilRefused(log: SpillLog): Promise<string> {
    for (;;) {
      const outcome = log.append(makeBatch(log.lastSeq + 1, { records: 1, bytes: 100 }));
      if (outcome !== "taken") return outcome;
      await turn();
    }
  }

  test("once costs nothing but a file, and is said", async () => {
    const unsafe = new UnsafeDisk();
    const folder = tempFolder();
    const { spill, codes } = openSpill(folder, {}, { disk: unsafe.disk });
    const log = logOf(spill);
    log.append(makeBatch(1, { records: 3, bytes: 10 }));
    await until(() => log.syncedSeq === 3, "it is synced");
    unsafe.fails = (call) => {
      if (call !== "syncFile") return undefined;
      unsafe.fails = () => undefined;
      return "EIO";
    };
    log.append(makeBatch(4, { records: 3, bytes: 10 }));
    await until(() => log.syncedSeq === 6, "it is synced elsewhere");
    expect(segmentsIn(folder)).toHaveLength(2);
    expect(codes()).toEqual(["SPILL_FILE_FAILED"]);
    expect((await readAll(log)).map(({ firstSeq }) => firstSeq)).toEqual([1, 4]);
    log.acked(3);
    await until(() => segmentsIn(folder).length === 1, "the sealed file is deleted");
  });

  test("for good leaves the log in memory, says so, and is used again when it is well", async () => {
    const clock = await hastyClock();
    for (const [code, outcome, said] of [
      ["EIO", "failed", "SPILL_MEMORY_ONLY"],
      ["ENOSPC", "full", "SPILL_DISK_FULL"],
    ] as const) {
      const unsafe = new UnsafeDisk();
      const folder = tempFolder();
      const { spill, codes } = openSpill(folder, {}, { disk: unsafe.disk, clock });
      const log = logOf(spill);
      unsafe.fails = (call) => (call === "write" ? code : undefined);
      expect(await appendUntilRefused(log)).toBe(outcome);
      expect(codes().at(-1)).toBe(said);
      const held = log.lastSeq;
      expect(log.unwrittenBytes).toBeGreaterThan(0);
      await new Promise((resolve) => setTimeout(resolve, 60));
      // However often it was tried: what is kept for a successor are the first attempts.
      expect(segmentsIn(folder).length).toBeLessThanOrEqual(2);
      expect(log.append(makeBatch(held + 1, { records: 1, bytes: 1 }))).toBe(outcome);
      expect(await readAll(log)).toHaveLength(held);
      unsafe.fails = () => undefined;
      await until(() => log.syncedSeq === held, "everything is synced");
      expect(log.append(makeBatch(held + 1, { records: 1, bytes: 1 }))).toBe("taken");
    }
  });

  test("rewrites from the failed files what was too much to be kept in memory", async () => {
    const unsafe = new UnsafeDisk();
    const folder = tempFolder();
    const { spill } = openSpill(folder, {}, { disk: unsafe.disk });
    const log = logOf(spill);
    const batches = makeBatches(new Array(30).fill({ records: 2, bytes: 500_000 }));
    let failures = 1;
    unsafe.fails = (call) => (call === "syncFile" && failures-- > 0 ? "EIO" : undefined);
    for (const batch of batches.slice(0, 25)) {
      log.append(batch);
      log.writeSync();
      expect(log.heldBytes).toBeLessThanOrEqual(SPILL_HELD_BYTES_MAX);
    }
    expect(log.syncedSeq).toBe(0);
    // What comes while it is copied does not make durable what is before it.
    unsafe.delay = () => new Promise((resolve) => setTimeout(resolve, 1));
    const promises: { seq: number; ruins: string }[] = [];
    log.onSynced((seq) => {
      const ruins = tempFolder();
      unsafe.powerLoss(folder, ruins);
      promises.push({ seq, ruins });
    });
    for (const batch of batches.slice(25)) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      log.append(batch);
      log.writeSync();
    }
    await until(() => log.syncedSeq === log.lastSeq, "everything is synced");
    expect(promises.length).toBeGreaterThan(2);
    for (const { seq, ruins } of promises) {
      const { orphans, spill: successor } = await adopt(ruins);
      expect(orphans[0]).toMatchObject({ identity: IDENTITY, firstSeq: 1 });
      const found = await readAll((orphans[0] as { log: SpillLog }).log);
      expect(plainAll(found.slice(0, seq / 2))).toEqual(plainAll(batches.slice(0, seq / 2)));
      await successor.close();
    }
    expect(plainAll(await readAll(log))).toEqual(plainAll(batches));
  });

  test("keeps all in memory that only the file of a probe holds", async () => {
    const clock = await hastyClock();
    const unsafe = new UnsafeDisk();
    const folder = tempFolder();
    const { spill, codes } = openSpill(folder, {}, { disk: unsafe.disk, clock });
    const log = logOf(spill);
    const batches = makeBatches(new Array(20).fill({ records: 2, bytes: 1_000_000 }));
    unsafe.fails = (call) => (call === "syncFile" ? "EIO" : undefined);
    for (const batch of batches) expect(log.append(batch)).toBe("taken");
    await until(() => codes().includes("SPILL_MEMORY_ONLY"), "two syncs failed");
    for (let at = 0; at < 100; at++) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      log.writeSync();
    }
    expect(plainAll(await readAll(log))).toEqual(plainAll(batches));
    unsafe.fails = () => undefined;
    await until(() => log.syncedSeq === 40, "everything is synced");
  });

  test("right after an empty log went on further up loses nothing of it", async () => {
    const unsafe = new UnsafeDisk();
    const { spill } = openSpill(tempFolder(), {}, { disk: unsafe.disk });
    const log = logOf(spill);
    log.append(makeBatch(1, { records: 3, bytes: 10 }));
    await until(() => log.syncedSeq === 3, "it is synced");
    log.skipTo(3);
    log.acked(3);
    let failures = 1;
    unsafe.fails = (call) => (call === "syncFile" && failures-- > 0 ? "EIO" : undefined);
    log.append(makeBatch(100, { records: 3, bytes: 10 }));
    await until(() => log.syncedSeq === 102, "it is synced");
    expect(log.missing).toEqual([]);
    expect(log.records).toBe(3);
    expect((await readAll(log)).map(({ firstSeq }) => firstSeq)).toEqual([100]);
  });
});

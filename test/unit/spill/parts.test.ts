import zlib from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { crc32, tableCrc32 } from "../../../client/src/spill/crc32.js";
import { type Disk, nodeDisk, writeAll, writeAllNow } from "../../../client/src/spill/disk.js";
import { frameBytes } from "../../../client/src/spill/held-batches.js";
import { Lane } from "../../../client/src/spill/lane.js";
import { NumberRanges } from "../../../client/src/spill/number-ranges.js";
import {
  decodeFrameHeader,
  decodeSegmentHeader,
  encodeFrameHeader,
  encodeSegmentHeader,
  FRAME_HEADER_BYTES,
  HEADER_BYTES,
  makeSalt,
} from "../../../client/src/spill/segment-format.js";
import type { SpillLog } from "../../../client/src/spill/spill-log.js";
import { batchShape, logOf, makeBatch, openSpill, tempFolder, until } from "./fixture.js";

describe("checksums", () => {
  test("are those of zlib, with the table too", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(0xffff_ffff), (bytes, seed) => {
        const expected = zlib.crc32(bytes, seed);
        expect([crc32(bytes, seed), tableCrc32(bytes, seed)]).toEqual([expected, expected]);
      }),
      { numRuns: 500 },
    );
    expect(tableCrc32(Buffer.from("123456789"), 0)).toBe(0xcbf43926);
  });
});

describe("the format", () => {
  const id = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).filter((text) => text.length <= 128);

  test("gives back every header, from either copy", () => {
    fc.assert(
      fc.property(id, id, id, fc.maxSafeInteger(), fc.nat(), (sessionId, streamId, writerId, seq, madeAtMs) => {
        const header = {
          identity: { sessionId, streamId, writerId },
          firstSeq: Math.max(1, Math.abs(seq)),
          doneSeq: Math.abs(seq - 1),
          salt: makeSalt(),
          madeAtMs,
        };
        const area = encodeSegmentHeader(header);
        expect(area.length).toBe(HEADER_BYTES);
        expect(decodeSegmentHeader(area)).toEqual({ is: "valid", header, isIntact: true });
        area.fill(0, 0, 4096);
        expect(decodeSegmentHeader(area)).toEqual({ is: "valid", header, isIntact: false });
        area.fill(0);
        expect(decodeSegmentHeader(area)).toEqual({ is: "damaged" });
      }),
    );
  });

  test("has room for the longest ids", () => {
    const identity = { sessionId: "\u{4e00}".repeat(128), streamId: "\u{4e01}".repeat(128), writerId: "z".repeat(128) };
    const area = encodeSegmentHeader({ identity, firstSeq: 1, doneSeq: 0, salt: makeSalt(), madeAtMs: 0 });
    expect(decodeSegmentHeader(area)).toMatchObject({ header: { identity } });
  });

  test("gives back every frame, and none under another salt", () => {
    fc.assert(
      fc.property(batchShape, fc.integer({ min: 1, max: 2 ** 52 }), (shape, firstSeq) => {
        const batch = makeBatch(firstSeq, shape);
        const salt = makeSalt();
        const bytes = Buffer.alloc(FRAME_HEADER_BYTES);
        encodeFrameHeader(bytes, 0, batch, batch.bytes, salt);
        const { count, entryCount, isGap } = batch;
        expect(decodeFrameHeader(bytes, 0, salt)).toEqual({
          firstSeq,
          count,
          entryCount,
          isGap,
          payloadBytes: frameBytes(batch) - FRAME_HEADER_BYTES,
          payloadCrc: crc32(batch.bytes, salt.seed),
        });
        expect(decodeFrameHeader(bytes, 0, { ...salt, seed: (salt.seed ^ 1) >>> 0 })).toBeUndefined();
        expect(decodeFrameHeader(bytes, 0, { ...salt, marker: (salt.marker ^ 1) >>> 0 })).toBeUndefined();
      }),
    );
  });
});

test("ranges of numbers are what a set of numbers is", () => {
  const range = fc.tuple(fc.integer({ min: 1, max: 60 }), fc.nat(6));
  fc.assert(
    fc.property(
      fc.array(range, { maxLength: 20 }),
      fc.array(range, { maxLength: 8 }),
      fc.nat(30),
      (added, asked, forgotten) => {
        const ranges = new NumberRanges();
        const numbers = new Set<number>();
        for (const [first, more] of added) {
          ranges.add(first, first + more);
          for (let seq = first; seq <= first + more; seq++) numbers.add(seq);
        }
        const check = (from: number) => {
          for (const [first, more] of asked) {
            const start = Math.max(first, from);
            const expected = [...numbers].filter((seq) => seq >= start && seq <= start + more).length;
            expect(ranges.countIn(start, start + more)).toBe(expected);
          }
        };
        check(1);
        for (const [index, { firstSeq }] of ranges.all.entries()) {
          expect(firstSeq).toBeGreaterThan((ranges.all[index - 1]?.lastSeq ?? -1) + 1);
        }
        ranges.forgetThrough(forgotten);
        check(forgotten + 1);
      },
    ),
  );
});

test("a lane does one thing at a time, in order, whatever fails", async () => {
  const lane = new Lane();
  const log: string[] = [];
  const work = (name: string, fails: boolean) =>
    lane.run(async () => {
      log.push(`${name} begins`);
      await new Promise((resolve) => setTimeout(resolve, 2));
      log.push(`${name} ends`);
      if (fails) throw new Error(name);
    });
  const results = await Promise.allSettled([work("a", false), work("b", true), work("c", false)]);
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(log).toEqual(["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
});

test("a system that writes a few bytes at a time writes all of them, and one that writes none is not asked for ever", async () => {
  const buffers = ["ab", "", "cdefg", "h"].map((text) => Buffer.from(text));
  for (const step of [1, 2, 3, 7, 100]) {
    const file = Buffer.alloc(8);
    const take = (given: readonly Buffer[], position: number) => {
      const bytes = Buffer.concat(given).subarray(0, step);
      bytes.copy(file, position);
      return bytes.length;
    };
    const disk = {
      ...nodeDisk,
      write: (_: number, given: readonly Buffer[], position: number) => Promise.resolve(take(given, position)),
      writeSync: (_: number, given: readonly Buffer[], position: number) => take(given, position),
    };
    await writeAll(disk, 0, buffers, 0, () => true);
    expect(file.toString()).toBe("abcdefgh");
    file.fill(0);
    writeAllNow(disk, 0, buffers, 0);
    expect(file.toString()).toBe("abcdefgh");
  }
  const stuck = { ...nodeDisk, write: () => Promise.resolve(0) };
  await expect(writeAll(stuck, 0, buffers, 0, () => true)).rejects.toThrow("no byte");
});

describe("the bounds", () => {
  test("of the quota hold over all logs, and give way when files are deleted", async () => {
    const { spill, codes } = openSpill(tempFolder(), { bytesMax: 100_000 });
    const logs = ["a", "b"].map((streamId) => logOf(spill, { sessionId: "s", streamId, writerId: "w" }));
    let taken = 0;
    for (let round = 0; round < 100; round++) {
      for (const log of logs)
        if (log.append(makeBatch(log.lastSeq + 1, { records: 1, bytes: 1_000 })) === "taken") taken++;
      await new Promise((resolve) => setImmediate(resolve));
      expect(spill.bytes).toBeLessThanOrEqual(100_000);
    }
    expect(taken).toBeGreaterThan(70);
    expect(taken).toBeLessThan(100);
    expect(codes()).toEqual(["SPILL_QUOTA_FULL"]);
    await until(() => logs.every((log) => log.syncedSeq === log.lastSeq), "everything is synced");
    const [first, second] = logs;
    first?.skipTo(1000);
    first?.acked(1000);
    await until(() => spill.bytes < 60_000, "the file is deleted");
    expect(second?.append(makeBatch(second.lastSeq + 1, { records: 1, bytes: 1_000 }))).toBe("taken");
  });

  test("of the quota count the headers of files that are still being opened", async () => {
    let nowMs = 0;
    let open = () => {};
    const mayOpen = new Promise<void>((resolve) => {
      open = resolve;
    });
    const { systemClock } = await import("../../../client/src/clock.js");
    const disk: Disk = { ...nodeDisk, open: (...args) => mayOpen.then(() => nodeDisk.open(...args)) };
    const clock = { ...systemClock, nowMs: () => nowMs };
    const { spill } = openSpill(tempFolder(), { bytesMax: 50_000 }, { disk, clock });
    const logs = ["a", "b"].map((streamId) => logOf(spill, { sessionId: "s", streamId, writerId: "w" }));
    const append = (log: SpillLog) => log.append(makeBatch(log.lastSeq + 1, { records: 1, bytes: 1_000 }));
    let taken = 0;
    for (let round = 0; round < 50; round++) {
      // What is used is counted anew each time.
      nowMs += 10_000;
      for (const log of logs) if (append(log) === "taken") taken++;
    }
    expect(spill.bytes).toBeLessThanOrEqual(50_000);
    const promised = spill.bytes;
    expect(taken).toBeGreaterThan(25);
    open();
    await until(() => logs.every((log) => log.syncedSeq === log.lastSeq), "everything is synced");
    expect(spill.bytes).toBe(promised);
  });

  test("of free disk space hold between two looks at the disk, and give way when there is room", async () => {
    let freeBytes = 50_000;
    let nowMs = 0;
    const { systemClock } = await import("../../../client/src/clock.js");
    const disk = { ...nodeDisk, freeBytes: () => Promise.resolve(freeBytes), freeBytesSync: () => freeBytes };
    const clock = { ...systemClock, nowMs: () => nowMs };
    const { spill, codes } = openSpill(tempFolder(), { freeBytesMin: 20_000 }, { disk, clock });
    const log = logOf(spill);
    const append = () => log.append(makeBatch(log.lastSeq + 1, { records: 1, bytes: 1_000 }));
    let taken = 0;
    while (append() === "taken") taken++;
    // 8,192 bytes are for the header of a file.
    expect(taken).toBe(21);
    expect(codes()).toEqual(["SPILL_DISK_LOW"]);
    freeBytes = 1_000_000;
    expect(append()).toBe("full");
    nowMs = 2_000;
    append();
    await new Promise((resolve) => setImmediate(resolve));
    expect(append()).toBe("taken");
  });
});

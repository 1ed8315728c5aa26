// Files that were cut, flipped, zeroed, swapped, mixed and made up. Nothing may crash or hang, no record may come back
// wrong, and none may be missing without being declared so.
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { GapCause } from "@tailkeep/proto";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../../client/src/clock.js";
import { EncodedBatch } from "../../../client/src/encode/encoded-batch.js";
import { SPILL_READ_BYTES } from "../../../client/src/limits.js";
import { nodeDisk } from "../../../client/src/spill/disk.js";
import { frameBytes } from "../../../client/src/spill/held-batches.js";
import type { NumberRange, SpillLog } from "../../../client/src/spill/index.js";
import { scanFolder } from "../../../client/src/spill/scan-folder.js";
import {
  decodeSegmentHeader,
  encodeSegmentHeader,
  FRAME_HEADER_BYTES,
  HEADER_BYTES,
} from "../../../client/src/spill/segment-format.js";
import { SpillLog as Log } from "../../../client/src/spill/spill-log.js";
import {
  adopt,
  filesIn,
  IDENTITY,
  leaveBehind,
  makeBatches,
  openSpill,
  plain,
  readAll,
  sameBatches,
  segmentsIn,
  streamNamed,
  tempFolder,
} from "./fixture.js";

/** A folder name that no living process has. */
const DEAD = "0123456789abcdef";

const ORIGINAL = makeBatches([
  { records: 3, bytes: 40 },
  { records: 1, bytes: 1 },
  { records: 20, bytes: 130 },
  { gap: 1000, type: 5, cause: GapCause.OVERFLOW },
  { records: 5, bytes: 70 },
  { records: 2, bytes: 24 },
  { records: 9, bytes: 90 },
]);

/** Where each batch's frame is in the one segment that holds them all. */
const FRAMES = ORIGINAL.map((batch, index) => {
  const start = HEADER_BYTES + ORIGINAL.slice(0, index).reduce((sum, before) => sum + frameBytes(before), 0);
  return { batch, start, end: start + frameBytes(batch) };
});

let intact: Buffer;
let name: string;

beforeAll(async () => {
  const folder = tempFolder();
  await leaveBehind(folder, ORIGINAL);
  const path = segmentsIn(folder)[0] as string;
  intact = readFileSync(path);
  name = basename(path);
  expect(intact.length).toBe(FRAMES.at(-1)?.end);
});

/** Reads what `bytes` are taken for, without the ceremony of adoption. Undefined if they are no log. */
async function readDamaged(
  folder: string,
  bytes: Buffer,
): Promise<{ log: SpillLog; batches: EncodedBatch[] } | undefined> {
  writeFileSync(join(folder, name), bytes);
  const { logs } = await scanFolder(nodeDisk, systemClock, folder);
  expect(logs.length).toBeLessThanOrEqual(1);
  const [found] = logs;
  if (found === undefined) return undefined;
  const settings = { identity: found.identity, disk: nodeDisk, clock: systemClock, onEnded: () => undefined };
  const log = Log.found(
    { ...settings, problems: { say: () => undefined } as never, keepingFolder: () => Promise.reject(new Error()) },
    found,
  );
  expect(log.identity).toEqual(IDENTITY);
  const batches = await readAll(log);
  await log.close();
  return { log, batches };
}

/**
 * Every number comes once, in order, as it was or as a declared gap. Returns the first numbers of those that came as they
 * were.
 */
function checkTruth(
  batches: readonly EncodedBatch[],
  missing: readonly NumberRange[],
  original = ORIGINAL,
  firstSeq = original[0]?.firstSeq ?? 1,
): number[] {
  const kept: number[] = [];
  // From the first number that was ever in the file: a beginning that is left out would look as if it had been acked.
  let next = firstSeq;
  for (const batch of batches) {
    expect(batch.firstSeq).toBe(next);
    next = batch.lastSeq + 1;
    const same = original.find(({ firstSeq }) => firstSeq === batch.firstSeq);
    if (missing.some(({ firstSeq, lastSeq }) => firstSeq <= batch.firstSeq && batch.lastSeq <= lastSeq)) {
      const gap = EncodedBatch.ofGap(batch.firstSeq, batch.count, 0, GapCause.SPILL_CORRUPT);
      expect(plain(batch)).toEqual(plain(gap));
    } else {
      expect(plain(batch)).toEqual(same === undefined ? undefined : plain(same));
      kept.push(batch.firstSeq);
    }
  }
  return kept;
}

/** All frames that lie outside of what was damaged come back. */
const untouched = (...damage: readonly (readonly [number, number])[]) =>
  FRAMES.filter(({ start, end }) => damage.every(([from, to]) => end <= from || start >= to)).map(
    ({ batch }) => batch.firstSeq,
  );

/** The same by comparison: a byte may be overwritten by itself. */
const unchanged = (bytes: Buffer) =>
  FRAMES.filter(({ start, end }) => bytes.subarray(start, end).equals(intact.subarray(start, end))).map(
    ({ batch }) => batch.firstSeq,
  );

describe("one segment", () => {
  test("cut anywhere gives what is whole before the cut", async () => {
    const folder = tempFolder();
    const cuts = [
      ...Array.from({ length: 90 }, (_, index) => index * 91),
      ...Array.from({ length: intact.length - HEADER_BYTES + 1 }, (_, index) => HEADER_BYTES + index),
    ];
    for (const cut of cuts) {
      const read = await readDamaged(folder, intact.subarray(0, cut));
      const kept = read === undefined ? [] : checkTruth(read.batches, read.log.missing);
      expect(kept, `cut at ${cut}`).toEqual(untouched([cut, Number.POSITIVE_INFINITY]));
      expect(read?.log.missing ?? []).toEqual([]);
    }
  });

  test("loses one batch at most by a flipped bit, and declares it", async () => {
    const folder = tempFolder();
    for (let at = 0; at < intact.length; at += at < HEADER_BYTES ? 29 : 1) {
      const bytes = Buffer.from(intact);
      bytes[at] = (bytes[at] as number) ^ (1 << (at % 8));
      const read = await readDamaged(folder, bytes);
      const kept = read === undefined ? [] : checkTruth(read.batches, read.log.missing);
      expect(kept, `flipped in byte ${at}`).toEqual(untouched([at, at + 1]));
    }
  });

  test("loses what is in a zeroed, overwritten or torn-out block, and nothing else", async () => {
    const folder = tempFolder();
    await fc.assert(
      fc.asyncProperty(
        fc.nat(intact.length - 1),
        fc.integer({ min: 1, max: 300 }),
        fc.constantFrom("zero", "ones", "noise"),
        fc.nat(),
        async (from, length, kind, seed) => {
          const bytes = Buffer.from(intact);
          const to = Math.min(from + length, bytes.length);
          for (let at = from; at < to; at++) {
            bytes[at] = kind === "zero" ? 0 : kind === "ones" ? 255 : (seed * 7919 + at * at * 31) & 0xff;
          }
          const read = await readDamaged(folder, bytes);
          const kept = read === undefined ? [] : checkTruth(read.batches, read.log.missing);
          expect(kept).toEqual(unchanged(bytes));
        },
      ),
      { numRuns: 300 },
    );
  });

  test("comes back whole, or with gaps, when blocks of it changed places", async () => {
    const folder = tempFolder();
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 120 }), async (a, b, length) => {
        const bytes = Buffer.from(intact);
        const most = intact.length - HEADER_BYTES - length;
        const [one, two] = [HEADER_BYTES + (a % most), HEADER_BYTES + (b % most)];
        const block = Buffer.from(bytes.subarray(one, one + length));
        bytes.copy(bytes, one, two, two + length);
        block.copy(bytes, two);
        const read = await readDamaged(folder, bytes);
        const kept = read === undefined ? [] : checkTruth(read.batches, read.log.missing);
        // A frame that moved as a whole may come back as well.
        expect(kept).toEqual(expect.arrayContaining(unchanged(bytes)));
      }),
      { numRuns: 300 },
    );
  });

  test("is found again behind any amount of noise", async () => {
    const folder = tempFolder();
    const [header, frames] = [intact.subarray(0, HEADER_BYTES), intact.subarray(HEADER_BYTES)];
    // Around the size of one read, so that a frame begins in one and ends in the next.
    for (let length = SPILL_READ_BYTES - 60; length < SPILL_READ_BYTES + 10; length++) {
      const read = await readDamaged(folder, Buffer.concat([header, Buffer.alloc(length, 0x55), frames]));
      expect(checkTruth(read?.batches ?? [], [])).toEqual(untouched());
    }
  });

  test("is not taken in by what another segment, or an earlier one in the same place, left behind its end", async () => {
    const folder = tempFolder();
    const other = tempFolder();
    // Same stream, same numbers, other contents: only the salt tells them apart.
    await leaveBehind(other, sameBatches(12, 3, 200));
    const stale = readFileSync(segmentsIn(other)[0] as string);
    for (const { end } of FRAMES) {
      for (const from of [HEADER_BYTES, HEADER_BYTES + 236, end, 0]) {
        const bytes = Buffer.concat([intact.subarray(0, end), stale.subarray(from)]);
        const read = await readDamaged(folder, bytes);
        expect(checkTruth(read?.batches ?? [], read?.log.missing ?? [])).toEqual(untouched([end, bytes.length]));
        expect(read?.log.missing).toEqual([]);
      }
    }
  });

  test("is not believed where its bytes are somebody's records that look like frames", async () => {
    const folder = tempFolder();
    // A record that holds whole frames of its own segment: impossible to know when it is written, so only by a copy.
    const inner = intact.subarray(FRAMES[2]?.start, FRAMES[2]?.end);
    const bytes = Buffer.concat([intact, inner, inner.subarray(0, FRAME_HEADER_BYTES), Buffer.alloc(40, 7), inner]);
    const read = await readDamaged(folder, bytes);
    expect(checkTruth(read?.batches ?? [], read?.log.missing ?? [])).toEqual(untouched());
  });
});

describe("a folder", () => {
  /** Three segments of one stream, and one of another. */
  async function leaveFour(folder: string): Promise<EncodedBatch[]> {
    const batches = sameBatches(12, 5, 300);
    for (const from of [0, 4, 8]) await leaveBehind(folder, batches.slice(from, from + 4));
    await leaveBehind(folder, sameBatches(3, 2, 80), streamNamed("other"));
    const dead = join(folder, DEAD);
    mkdirSync(dead);
    for (const path of segmentsIn(folder)) {
      const bytes = readFileSync(path);
      const decoded = decodeSegmentHeader(bytes);
      // As if one log had written all three, and nothing was acked meanwhile.
      if (decoded.is === "valid") encodeSegmentHeader({ ...decoded.header, doneSeq: 0 }).copy(bytes);
      writeFileSync(join(dead, basename(path)), bytes);
      rmSync(path);
    }
    for (const each of new Set(filesIn(folder).map((file) => file.split("/")[0] as string))) {
      if (each !== DEAD) rmSync(join(folder, each), { recursive: true });
    }
    return batches;
  }

  const firstSeqOf = (path: string) => Number(/-(\d{16})\.seg$/.exec(path)?.[1]);

  /** Of the stream of three, in order. */
  function segmentsOfThree(folder: string): string[] {
    return segmentsIn(folder)
      .filter((path) => readFileSync(path).includes("streamwriter"))
      .sort((a, b) => firstSeqOf(a) - firstSeqOf(b));
  }

  async function adoptThree(folder: string) {
    const adopted = await adopt(folder);
    const orphan = adopted.orphans.find(({ identity }) => identity.streamId === IDENTITY.streamId);
    const batches = orphan === undefined ? [] : await readAll(orphan.log);
    return { ...adopted, orphan, batches };
  }

  test("with a damaged segment declares what is lost, keeps the file for a person, and replays everything else", async () => {
    const folder = tempFolder();
    const original = await leaveFour(folder);
    const [, second] = segmentsOfThree(folder);
    const bytes = readFileSync(second as string);
    bytes.fill(0, HEADER_BYTES + 336, HEADER_BYTES + 400);
    writeFileSync(second as string, bytes);

    const { orphan, orphans, batches, codes, problems, spill } = await adoptThree(folder);
    expect(orphans).toHaveLength(2);
    expect(orphan).toMatchObject({ firstSeq: 1, lastSeq: 60, missing: [{ firstSeq: 26, lastSeq: 30 }] });
    expect(orphan?.log.records).toBe(55);
    expect(checkTruth(batches, orphan?.missing ?? [], original)).toHaveLength(11);
    expect(codes()).toEqual(["SPILL_DAMAGED"]);
    expect(problems[0]?.message).toMatch(/5 record\(s\) are lost .* kept in .*quarantine/);
    const kept = filesIn(join(folder, "quarantine"));
    expect(kept).toEqual([`${DEAD}-${basename(second as string)}`]);
    expect(readFileSync(join(folder, "quarantine", kept[0] as string)).equals(bytes)).toBe(true);
    for (const { log } of orphans) await log.remove();
    await spill.close();
    expect(filesIn(folder)).toEqual([join("quarantine", kept[0] as string)]);
  });

  test("on a disk without hard links keeps the damaged file when it is replayed", async () => {
    const folder = tempFolder();
    await leaveFour(folder);
    const [, second] = segmentsOfThree(folder) as [string, string];
    const bytes = readFileSync(second);
    bytes.fill(0, HEADER_BYTES + 336, HEADER_BYTES + 400);
    writeFileSync(second, bytes);
    const disk = { ...nodeDisk, link: () => Promise.reject(Object.assign(new Error(), { code: "EPERM" })) };
    const { spill } = openSpill(folder, {}, { disk });
    const quarantined = join(folder, "quarantine", `${DEAD}-${basename(second)}`);
    const orphans = await spill.adopt();
    for (const { log } of orphans) await readAll(log);
    expect(existsSync(quarantined)).toBe(false);
    for (const { log } of orphans) await log.remove();
    await spill.close();
    expect(readFileSync(quarantined).equals(bytes)).toBe(true);
    expect(filesIn(folder)).toHaveLength(1);
  });

  test("without its middle segment, or with one whose header is gone, declares all of its numbers", async () => {
    for (const harm of ["delete", "behead"] as const) {
      const folder = tempFolder();
      const original = await leaveFour(folder);
      const [, second] = segmentsOfThree(folder) as [string, string];
      if (harm === "delete") rmSync(second);
      else
        writeFileSync(second, Buffer.concat([Buffer.alloc(HEADER_BYTES), readFileSync(second).subarray(HEADER_BYTES)]));
      const { orphan, batches, codes } = await adoptThree(folder);
      expect(orphan).toMatchObject({ firstSeq: 1, lastSeq: 60, missing: [{ firstSeq: 21, lastSeq: 40 }] });
      expect(checkTruth(batches, orphan?.missing ?? [], original)).toHaveLength(8);
      expect(codes()).toEqual(harm === "delete" ? [] : ["SPILL_DAMAGED"]);
    }
  });

  test("survives one bad copy of every header without a loss", async () => {
    const folder = tempFolder();
    const original = await leaveFour(folder);
    segmentsIn(folder).forEach((path, index) => {
      const bytes = readFileSync(path);
      const copy = index % 2;
      bytes.fill(0xaa, copy * 4096, copy * 4096 + 4096);
      writeFileSync(path, bytes);
    });
    const { orphan, batches, codes } = await adoptThree(folder);
    expect(orphan?.missing).toEqual([]);
    expect(checkTruth(batches, [], original)).toHaveLength(12);
    expect(codes()).toEqual(["SPILL_DAMAGED"]);
  });

  test("goes by what is in the files, not by their names", async () => {
    const folder = tempFolder();
    const original = await leaveFour(folder);
    const [first, second, third] = segmentsOfThree(folder) as [string, string, string];
    renameSync(first, `${first}.away`);
    renameSync(third, first);
    renameSync(second, third);
    renameSync(`${first}.away`, second);
    // And a copy of one of them.
    copyFileSync(first, join(folder, DEAD, "ffffffff-000009-0000000000000001.seg"));
    const { orphan, batches, codes } = await adoptThree(folder);
    expect(orphan?.missing).toEqual([]);
    expect(checkTruth(batches, [], original)).toHaveLength(12);
    expect(codes()).toEqual([]);
  });

  test("leaves a segment of another version alone, and everything that is no segment", async () => {
    const folder = tempFolder();
    await leaveFour(folder);
    const [first, , third] = segmentsOfThree(folder) as [string, string, string];
    const later = readFileSync(third);
    later.writeUInt16LE(2, 8);
    later.writeUInt16LE(2, 4096 + 8);
    writeFileSync(third, later);
    const dead = join(folder, DEAD);
    writeFileSync(join(dead, "notes.txt"), "mine");
    mkdirSync(join(dead, "aaaaaaaa-000001-0000000000000001.seg"));
    execFileSync("mkfifo", [join(dead, "aaaaaaaa-000002-0000000000000001.seg")]);
    symlinkSync(first, join(dead, "aaaaaaaa-000003-0000000000000001.seg"));
    writeFileSync(join(dead, "aaaaaaaa-000004-0000000000000001.seg"), "");
    writeFileSync(join(dead, "aaaaaaaa-000005-0000000000000001.seg"), Buffer.alloc(10_000));

    const { orphan, orphans, batches, codes, spill } = await adoptThree(folder);
    expect(orphan).toMatchObject({ lastSeq: 40, missing: [] });
    expect(batches).toHaveLength(8);
    expect(codes()).toEqual(["SPILL_UNKNOWN_VERSION"]);
    for (const { log } of orphans) await log.remove();
    await spill.close();
    const left = filesIn(folder).map((file) => basename(file));
    expect(left).toEqual(
      [
        "aaaaaaaa-000002-0000000000000001.seg",
        "aaaaaaaa-000003-0000000000000001.seg",
        basename(third),
        "notes.txt",
      ].sort(),
    );
    // And so does the next one.
    const next = await adopt(folder);
    expect(next.orphans).toEqual([]);
    expect(next.codes()).toEqual(["SPILL_UNKNOWN_VERSION"]);
  });

  test("of which anything was damaged in any way tells the truth about the rest", async () => {
    const folder = tempFolder();
    const original = await leaveFour(folder);
    const paths = segmentsOfThree(folder);
    const files = paths.map((path) => readFileSync(path));
    const harm = fc.record({
      file: fc.nat(2),
      at: fc.nat(10_000),
      length: fc.integer({ min: 1, max: 2_000 }),
      kind: fc.constantFrom("cut", "zero", "flip", "insert", "remove", "duplicate", "mix"),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(harm, { minLength: 1, maxLength: 6 }), async (harms) => {
        const bytes = files.map((file) => Buffer.from(file));
        for (const { file, at, length, kind } of harms) {
          const target = bytes[file] as Buffer;
          const from = at % (target.length + 1);
          const [before, block, after] = [
            target.subarray(0, from),
            target.subarray(from, from + length),
            target.subarray(from + length),
          ];
          const donor = (bytes[(file + 1) % 3] as Buffer).subarray(from, from + length);
          const noise = Buffer.from(block.map((byte, index) => byte ^ (index % 50 === 0 ? 1 : 0)));
          const results: Record<typeof kind, Buffer> = {
            cut: before,
            zero: Buffer.concat([before, Buffer.alloc(block.length), after]),
            flip: Buffer.concat([before, noise, after]),
            insert: Buffer.concat([before, Buffer.alloc(length, 0x55), block, after]),
            remove: Buffer.concat([before, after]),
            duplicate: Buffer.concat([before, block, block, after]),
            mix: Buffer.concat([before, donor, after]),
          };
          bytes[file] = Buffer.from(results[kind]);
        }
        const place = tempFolder();
        for (const [index, path] of paths.entries()) writeFileSync(join(place, basename(path)), bytes[index] as Buffer);
        const { logs } = await scanFolder(nodeDisk, systemClock, place);
        for (const found of logs) {
          const log = Log.found(
            {
              identity: found.identity,
              disk: nodeDisk,
              clock: systemClock,
              problems: { say: () => undefined } as never,
              keepingFolder: () => Promise.reject(new Error()),
              onEnded: () => undefined,
            },
            found,
          );
          expect(log.identity).toEqual(IDENTITY);
          const batches = await readAll(log);
          // Nothing names the log of a file without a header here, so what was in the first one may be unknown.
          const first = decodeSegmentHeader(bytes[0] as Buffer);
          const isBeginKnown = first.is === "valid" && first.header.firstSeq === 1;
          checkTruth(batches, log.missing, original, isBeginKnown ? undefined : batches[0]?.firstSeq);
          await log.close();
        }
      }),
      { numRuns: 250 },
    );
  });
});

test("what was of no more use when a later file was begun is neither replayed nor missed", async () => {
  for (const [doneSeq, expected] of [
    [20, { firstSeq: 21, lastSeq: 30, missing: [] }],
    [16, { firstSeq: 17, lastSeq: 30, missing: [{ firstSeq: 17, lastSeq: 20 }] }],
    [10, { firstSeq: 11, lastSeq: 30, missing: [{ firstSeq: 11, lastSeq: 20 }] }],
    [7, { firstSeq: 1, lastSeq: 30, missing: [{ firstSeq: 11, lastSeq: 20 }] }],
  ] as const) {
    const folder = tempFolder();
    const original = sameBatches(6, 5, 100);
    // The file between them is gone: all of it was acked, or it was lost.
    for (const from of [0, 4]) await leaveBehind(folder, original.slice(from, from + 2));
    const dead = join(folder, DEAD);
    mkdirSync(dead);
    for (const path of segmentsIn(folder)) {
      const bytes = readFileSync(path);
      const decoded = decodeSegmentHeader(bytes);
      if (decoded.is !== "valid") throw new Error("it should be");
      if (decoded.header.firstSeq > 1) encodeSegmentHeader({ ...decoded.header, doneSeq }).copy(bytes);
      writeFileSync(join(dead, basename(path)), bytes);
      rmSync(join(path, ".."), { recursive: true });
    }
    const { orphans } = await adopt(folder);
    expect(orphans).toMatchObject([expected]);
    const batches = await readAll((orphans[0] as { log: SpillLog }).log);
    expect(batches[0]?.firstSeq).toBe(expected.firstSeq);
    checkTruth(batches, expected.missing, original, expected.firstSeq);
  }
});

test("a log whose only frames are damaged is kept for a person, and one that was cut off in its first write is not", async () => {
  for (const [harm, codesExpected, left] of [
    [(bytes: Buffer) => bytes.fill(0x77, HEADER_BYTES + 5), ["SPILL_DAMAGED"], 1],
    [(bytes: Buffer) => bytes.subarray(0, HEADER_BYTES + 60), [], 0],
    [(bytes: Buffer) => bytes.subarray(0, HEADER_BYTES + 10), [], 0],
    [(bytes: Buffer) => bytes.subarray(0, 4_096), [], 0],
    [(bytes: Buffer) => bytes.fill(0, HEADER_BYTES), [], 0],
    [(bytes: Buffer) => bytes.fill(0), [], 0],
  ] as const) {
    const folder = tempFolder();
    await leaveBehind(folder, sameBatches(1, 5, 100));
    const path = segmentsIn(folder)[0] as string;
    writeFileSync(path, harm(readFileSync(path)));
    const { orphans, codes, spill } = await adopt(folder);
    expect([orphans, codes()]).toEqual([[], codesExpected]);
    await spill.close();
    expect(filesIn(folder)).toHaveLength(left);
  }
});

test("a file that is damaged while it is being read loses what is damaged, and says so", async () => {
  const folder = tempFolder();
  const original = sameBatches(2_000, 5, 1_000);
  await leaveBehind(folder, original);
  const { orphans } = await adopt(folder);
  const log = orphans[0]?.log as SpillLog;
  expect(orphans[0]?.missing).toEqual([]);
  const batches = [(await log.next()) as EncodedBatch];
  const path = segmentsIn(folder)[0] as string;
  const bytes = readFileSync(path);
  bytes.fill(0, 1_500_000, 1_501_500);
  writeFileSync(path, bytes.subarray(0, 1_900_000));
  batches.push(...(await readAll(log)));
  checkTruth(batches, log.missing, original);
  expect(batches.at(-1)?.lastSeq).toBe(10_000);
  expect(log.missing).toHaveLength(2);
  expect(log.records).toBe(
    10_000 - log.missing.reduce((sum, { firstSeq, lastSeq }) => sum + lastSeq - firstSeq + 1, 0),
  );
});

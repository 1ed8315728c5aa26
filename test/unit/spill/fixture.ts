// Folders, batches and logs for the tests of spilling.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, expect } from "vitest";
import type { Clock } from "../../../client/src/clock.js";
import { EncodedBatch } from "../../../client/src/encode/encoded-batch.js";
import type { Disk } from "../../../client/src/spill/disk.js";
import {
  type OrphanLog,
  SpillFolder,
  type SpillLog,
  type SpillOptions,
  type SpillProblem,
  type StreamIdentity,
} from "../../../client/src/spill/index.js";

export const IDENTITY: StreamIdentity = { sessionId: "session", streamId: "stream", writerId: "writer" };
export const streamNamed = (streamId: string): StreamIdentity => ({ ...IDENTITY, streamId });

const folders: string[] = [];
const spills: SpillFolder[] = [];

afterEach(async () => {
  await Promise.all(spills.splice(0).map((spill) => spill.close()));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A folder that is gone after the test. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "tailkeep-spill-"));
  folders.push(folder);
  return folder;
}

export interface SpillUnderTest {
  readonly spill: SpillFolder;
  readonly problems: SpillProblem[];
  readonly codes: () => string[];
}

/** Closed after the test. */
export function openSpill(
  folder: string,
  options: Partial<SpillOptions> = {},
  { clock, disk }: { clock?: Clock; disk?: Disk } = {},
): SpillUnderTest {
  const problems: SpillProblem[] = [];
  const spill = new SpillFolder(
    {
      folder,
      bytesMax: 2 ** 30,
      freeBytesMin: 0,
      sync: { everyMs: 5 },
      onProblem: (problem) => problems.push(problem),
      ...options,
    },
    clock,
    disk,
  );
  spills.push(spill);
  return { spill, problems, codes: () => problems.map(({ code }) => code) };
}

export function logOf(spill: SpillFolder, identity: StreamIdentity = IDENTITY): SpillLog {
  const log = spill.log(identity);
  if (log === undefined) throw new Error("nothing can be spilled");
  return log;
}

/** What a batch is made of; its bytes follow from it. */
export type BatchShape =
  | { readonly gap: number; readonly type: number; readonly cause: number }
  | { readonly records: number; readonly bytes: number };

export function makeBatch(firstSeq: number, shape: BatchShape): EncodedBatch {
  if ("gap" in shape) return EncodedBatch.ofGap(firstSeq, shape.gap, shape.type, shape.cause);
  const bytes = Buffer.alloc(shape.bytes);
  // Different for every number, so that no batch can stand for another.
  for (let at = 0; at < bytes.length; at++) bytes[at] = (firstSeq * 31 + at * 7 + (at >> 8)) & 0xff;
  return EncodedBatch.ofRecords(firstSeq, shape.records, bytes);
}

export function makeBatches(shapes: readonly BatchShape[], firstSeq = 1): EncodedBatch[] {
  let next = firstSeq;
  return shapes.map((shape) => {
    const batch = makeBatch(next, shape);
    next = batch.lastSeq + 1;
    return batch;
  });
}

/** `count` batches of `records` records and `bytes` bytes. */
export const sameBatches = (count: number, records: number, bytes: number, firstSeq = 1): EncodedBatch[] =>
  makeBatches(new Array<BatchShape>(count).fill({ records, bytes }), firstSeq);

export const batchShape: fc.Arbitrary<BatchShape> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ records: fc.integer({ min: 1, max: 40 }), bytes: fc.integer({ min: 1, max: 400 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      gap: fc.integer({ min: 1, max: 1000 }),
      type: fc.constantFrom(0, 2, 7),
      cause: fc.integer({ min: 0, max: 4 }),
    }),
  },
);

/** Everything that makes two batches the same. */
export function plain(batch: EncodedBatch): unknown {
  const { firstSeq, count, entryCount, isGap, bytes } = batch;
  return { firstSeq, count, entryCount, isGap, bytes: bytes.toString("base64") };
}

export const plainAll = (batches: readonly EncodedBatch[]): unknown[] => batches.map(plain);

export async function readAll(log: SpillLog): Promise<EncodedBatch[]> {
  const batches: EncodedBatch[] = [];
  for (let batch = await log.next(); batch !== undefined; batch = await log.next()) batches.push(batch);
  return batches;
}

/** Spills `batches` to `folder` and dies, in so far as the folder is anybody's afterwards. */
export async function leaveBehind(
  folder: string,
  batches: readonly EncodedBatch[],
  identity: StreamIdentity = IDENTITY,
): Promise<void> {
  const { spill } = openSpill(folder);
  const log = logOf(spill, identity);
  for (const batch of batches) expect(log.append(batch)).toBe("taken");
  await spill.close();
}

export interface Adopted extends SpillUnderTest {
  readonly orphans: OrphanLog[];
}

export async function adopt(folder: string, options: Partial<SpillOptions> = {}): Promise<Adopted> {
  const under = openSpill(folder, options);
  return { ...under, orphans: await under.spill.adopt() };
}

/** Every file below `folder`, relative, sorted. */
export function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

export const segmentsIn = (folder: string): string[] =>
  filesIn(folder)
    .filter((name) => name.endsWith(".seg"))
    .map((name) => join(folder, name));

/** Waits, in real time, until `holds`. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const endMs = performance.now() + 10_000;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error(`${what} did not come true`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

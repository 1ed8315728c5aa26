/** What is in a file that a dead process left: which of its bytes are frames, and of which numbers. */

import type { Clock } from "../clock.js";
import { SPILL_SEGMENT_BYTES_MAX } from "../limits.js";
import type { Disk } from "./disk.js";
import { FrameReader } from "./frame-reader.js";
import { type NumberRange, NumberRanges } from "./number-ranges.js";
import { Segment } from "./segment.js";
import {
  decodeFrameHeader,
  decodeSegmentHeader,
  FRAME_HEADER_BYTES,
  HEADER_BYTES,
  type Salt,
  type SegmentHeader,
} from "./segment-format.js";
import { Slicer } from "./slicer.js";

export type ScannedSegment =
  | {
      readonly is: "valid";
      readonly header: SegmentHeader;
      /** With an extent for each run of frames. */
      readonly segment: Segment;
      readonly gaps: readonly NumberRange[];
      /** A bad copy of the header, or invalid bytes before or between valid ones. */
      readonly isDamaged: boolean;
      /** Invalid bytes behind the last valid ones: `torn` as a write that was cut off leaves them, or `damaged`. */
      readonly tail: "none" | "torn" | "damaged";
    }
  /** It was begun, and nothing reached it. */
  | { readonly is: "empty" }
  | { readonly is: "of-another-version"; readonly version: number }
  /** Bytes without a header: whose they are, and whether they are whole, cannot be told. */
  | { readonly is: "unreadable" };

/** No link, no pipe, no folder is opened. Throws what the file system throws. */
export async function scanSegment(disk: Disk, clock: Clock, path: string): Promise<ScannedSegment | undefined> {
  const bytes = await disk.fileBytes(path);
  if (bytes === undefined) return undefined;
  const fd = await disk.open(path, "r");
  try {
    const area = await readHeader(disk, fd, Math.min(bytes, HEADER_BYTES));
    const decoded = decodeSegmentHeader(area);
    if (decoded.is === "of-another-version") return decoded;
    // However large somebody made it: nothing behind this was written by a log.
    const end = Math.min(bytes, SPILL_SEGMENT_BYTES_MAX);
    if (decoded.is === "damaged") return (await isZero(disk, fd, end)) ? { is: "empty" } : { is: "unreadable" };
    const { header, isIntact } = decoded;
    const segment = new Segment(disk, path, header.salt, bytes);
    const frames = new FrameReader(disk, fd, header.salt, HEADER_BYTES, end);
    const gaps = new NumberRanges();
    const slicer = new Slicer(clock, "background");
    let validEnd = HEADER_BYTES;
    let skippedBytes = 0;
    for (let frame = await frames.next(end); frame !== undefined; frame = await frames.next(end)) {
      skippedBytes = frames.skippedBytes;
      validEnd = frame.end;
      const { firstSeq, lastSeq, start } = frame;
      if (frame.isGap) gaps.add(firstSeq, lastSeq);
      const run = segment.extents.at(-1);
      if (run !== undefined && run.lastSeq + 1 === firstSeq && run.end === start) {
        run.lastSeq = lastSeq;
        run.end = frame.end;
      } else {
        segment.extents.push({ segment, firstSeq, lastSeq, start, end: frame.end });
      }
      await slicer.step();
    }
    return {
      is: "valid",
      header,
      segment,
      gaps: gaps.all,
      // A process that was killed in its very first write leaves one copy of the header and no frame.
      isDamaged: skippedBytes > 0 || (!isIntact && bytes > HEADER_BYTES),
      tail: validEnd >= end ? "none" : (await isTorn(disk, fd, header.salt, validEnd, end)) ? "torn" : "damaged",
    };
  } finally {
    await disk.close(fd).catch(() => undefined);
  }
}

async function readHeader(disk: Disk, fd: number, bytes: number): Promise<Buffer> {
  const area = Buffer.alloc(HEADER_BYTES);
  let filled = 0;
  while (filled < bytes) {
    // A bad block in one copy leaves the other.
    const read = await disk.read(fd, area, filled, Math.min(4096, bytes - filled), filled).catch(() => undefined);
    if (read === 0) break;
    filled += read ?? 4096;
  }
  return area.subarray(0, Math.min(filled, bytes));
}

/** Whether what follows `from` is a frame that lacks its end, or space that was never filled. */
async function isTorn(disk: Disk, fd: number, salt: Salt, from: number, end: number): Promise<boolean> {
  if (end - from < FRAME_HEADER_BYTES) return true;
  const bytes = Buffer.alloc(FRAME_HEADER_BYTES);
  await disk.read(fd, bytes, 0, bytes.length, from).catch(() => undefined);
  const frame = decodeFrameHeader(bytes, 0, salt);
  return frame === undefined ? await isZero(disk, fd, end, from) : from + bytes.length + frame.payloadBytes > end;
}

async function isZero(disk: Disk, fd: number, end: number, from = 0): Promise<boolean> {
  const chunk = Buffer.alloc(64 * 1024);
  for (let at = from; at < end; ) {
    const read = await disk.read(fd, chunk, 0, Math.min(chunk.length, end - at), at).catch(() => undefined);
    if (read === undefined) return false;
    if (read === 0) break;
    for (let index = 0; index < read; index++) if (chunk[index] !== 0) return false;
    at += read;
  }
  return true;
}

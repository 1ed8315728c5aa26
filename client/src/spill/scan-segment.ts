/** What is in a file that a dead process left: which of its bytes are frames, and of which numbers. */

import type { Clock } from "../clock.js";
import { SPILL_SEGMENT_BYTES_MAX } from "../limits.js";
import type { Disk } from "./disk.js";
import { FrameReader } from "./frame-reader.js";
import { type NumberRange, NumberRanges } from "./number-ranges.js";
import { Segment } from "./segment.js";
import { decodeSegmentHeader, HEADER_BYTES, type SegmentHeader } from "./segment-format.js";
import { Slicer } from "./slicer.js";

export type ScannedSegment =
  | {
      readonly is: "valid";
      readonly header: SegmentHeader;
      /** With an extent for each run of frames. */
      readonly segment: Segment;
      readonly gaps: readonly NumberRange[];
      /** Invalid bytes before or between valid ones, or a bad copy of the header. */
      readonly isDamaged: boolean;
      /** Invalid bytes behind the last valid one. */
      readonly hasTornTail: boolean;
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
    let skippedBytes = 0;
    for (let frame = await frames.next(end); frame !== undefined; frame = await frames.next(end)) {
      skippedBytes = frames.skippedBytes;
      const { firstSeq, lastSeq, start, end: frameEnd } = frame;
      if (frame.isGap) gaps.add(firstSeq, lastSeq);
      const run = segment.extents.at(-1);
      if (run !== undefined && run.lastSeq + 1 === firstSeq && run.end === start) {
        run.lastSeq = lastSeq;
        run.end = frameEnd;
      } else {
        segment.extents.push({ segment, firstSeq, lastSeq, start, end: frameEnd });
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
      hasTornTail: frames.skippedBytes > skippedBytes,
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

async function isZero(disk: Disk, fd: number, end: number): Promise<boolean> {
  const chunk = Buffer.alloc(64 * 1024);
  for (let at = 0; at < end; ) {
    const read = await disk.read(fd, chunk, 0, Math.min(chunk.length, end - at), at).catch(() => undefined);
    if (read === undefined) return false;
    if (read === 0) break;
    for (let index = 0; index < read; index++) if (chunk[index] !== 0) return false;
    at += read;
  }
  return true;
}

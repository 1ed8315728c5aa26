/**
 * The bytes of a segment (docs/spill.md). Integers are little-endian.
 *
 *   header copy, 4096 bytes | header copy, 4096 bytes | frame | frame | ...
 *
 *   header: magic 8 | version 2 | 0 2 | length 4 | first seq 8 | done seq 8 | salt 8 | made at, ms 8 | 3 id lengths of 2
 *           | 0 2 | ids | crc 4
 *   frame:  marker 4 | payload length 4 | type 1 | 0 3 | entries 4 | numbers 4 | first seq 8 | payload crc 4 | crc 4 | payload
 *
 * The salt is random for each segment. Its first half is the marker by which frames are found behind damage, its second
 * half the start value of every checksum: bytes left over from another segment match neither.
 */

import { randomBytes } from "node:crypto";
import type { EncodedBatch } from "../encode/encoded-batch.js";
import {
  BATCH_BYTES_MAX,
  BATCH_ENTRIES_MAX,
  ENVELOPE_BYTES_MAX,
  GAP_COUNT_MAX,
  ID_LENGTH_MAX,
  SEQ_MAX,
} from "../limits.js";
import { crc32 } from "./crc32.js";

/** Which stream, and whose. */
export interface StreamIdentity {
  readonly sessionId: string;
  readonly streamId: string;
  readonly writerId: string;
}

export interface Salt {
  readonly marker: number;
  readonly seed: number;
}

export interface SegmentHeader {
  readonly identity: StreamIdentity;
  readonly firstSeq: number;
  /** Everything up to here was of no more use when the segment was begun: that it is missing says nothing. */
  readonly doneSeq: number;
  readonly salt: Salt;
  /** Wall clock; for people, nothing is decided by it. */
  readonly madeAtMs: number;
}

type BatchNumbers = Pick<EncodedBatch, "firstSeq" | "count" | "entryCount" | "isGap">;

export interface FrameHeader extends BatchNumbers {
  readonly payloadBytes: number;
  readonly payloadCrc: number;
}

export const SEGMENT_VERSION = 1;
/** Two copies, so that one bad block of the disk cannot take the identity of all records behind it. */
export const HEADER_COPY_BYTES = 4096;
export const HEADER_BYTES = 2 * HEADER_COPY_BYTES;
export const FRAME_HEADER_BYTES = 36;

const MAGIC = Buffer.from("TKSPILL\n", "latin1");
const FIXED_HEADER_BYTES = 56;
const FRAME_RECORDS = 1;
const FRAME_GAP = 2;
const TWO_32 = 4_294_967_296;

export function makeSalt(): Salt {
  const random = randomBytes(8);
  // An all-zero marker would be found in every hole of a file.
  return { marker: random.readUInt32LE(0) || 1, seed: random.readUInt32LE(4) };
}

export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const { sessionId, streamId, writerId } = header.identity;
  const ids = [sessionId, streamId, writerId].map((id) => Buffer.from(id, "utf8"));
  const length = ids.reduce((sum, id) => sum + id.length, FIXED_HEADER_BYTES + 4);
  if (length > HEADER_COPY_BYTES) throw new RangeError("the ids of a stream are longer than ids may be");
  const area = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(area);
  area.writeUInt16LE(SEGMENT_VERSION, 8);
  area.writeUInt32LE(length, 12);
  writeUint64(area, 16, header.firstSeq);
  writeUint64(area, 24, header.doneSeq);
  area.writeUInt32LE(header.salt.marker, 32);
  area.writeUInt32LE(header.salt.seed, 36);
  writeUint64(area, 40, header.madeAtMs);
  let at = FIXED_HEADER_BYTES;
  ids.forEach((id, index) => {
    area.writeUInt16LE(id.length, 48 + 2 * index);
    id.copy(area, at);
    at += id.length;
  });
  area.writeUInt32LE(crc32(area.subarray(0, at), 0), at);
  area.copy(area, HEADER_COPY_BYTES, 0, HEADER_COPY_BYTES);
  return area;
}

/** What the first bytes of a file say. `damaged` headers have no valid copy; `isIntact` is false if one of the two is bad. */
export type DecodedSegmentHeader =
  | { readonly is: "valid"; readonly header: SegmentHeader; readonly isIntact: boolean }
  | { readonly is: "of-another-version"; readonly version: number }
  | { readonly is: "damaged" };

export function decodeSegmentHeader(area: Buffer): DecodedSegmentHeader {
  const copies = [area.subarray(0, HEADER_COPY_BYTES), area.subarray(HEADER_COPY_BYTES, HEADER_BYTES)];
  const headers = copies.map(decodeHeaderCopy);
  const header = headers[0] ?? headers[1];
  if (header !== undefined) {
    return { is: "valid", header, isIntact: headers[0] !== undefined && headers[1] !== undefined };
  }
  // Only where the layout of a later version keeps magic and version in place, as every version must.
  const first = copies[0];
  if (first !== undefined && first.length >= 10 && first.subarray(0, 8).equals(MAGIC)) {
    const version = first.readUInt16LE(8);
    if (version !== SEGMENT_VERSION) return { is: "of-another-version", version };
  }
  return { is: "damaged" };
}

function decodeHeaderCopy(copy: Buffer): SegmentHeader | undefined {
  if (copy.length < FIXED_HEADER_BYTES + 4 || !copy.subarray(0, 8).equals(MAGIC)) return undefined;
  if (copy.readUInt16LE(8) !== SEGMENT_VERSION) return undefined;
  const length = copy.readUInt32LE(12);
  if (length < FIXED_HEADER_BYTES + 4 || length > copy.length) return undefined;
  if (crc32(copy.subarray(0, length - 4), 0) !== copy.readUInt32LE(length - 4)) return undefined;
  const firstSeq = readUint64(copy, 16);
  const ids: string[] = [];
  let at = FIXED_HEADER_BYTES;
  for (let index = 0; index < 3; index++) {
    const end = at + copy.readUInt16LE(48 + 2 * index);
    if (end > length - 4) return undefined;
    ids.push(copy.toString("utf8", at, end));
    at = end;
  }
  const [sessionId = "", streamId = "", writerId = ""] = ids;
  if (ids.some((id) => id.length === 0 || id.length > ID_LENGTH_MAX) || firstSeq < 1 || firstSeq > SEQ_MAX)
    return undefined;
  return {
    identity: { sessionId, streamId, writerId },
    firstSeq,
    doneSeq: readUint64(copy, 24),
    salt: { marker: copy.readUInt32LE(32), seed: copy.readUInt32LE(36) },
    madeAtMs: readUint64(copy, 40),
  };
}

/** Whether what is written of `batch` will be believed when it is read. */
export function canBeFramed(batch: EncodedBatch): boolean {
  return isSound(batch, batch.byteLength - ENVELOPE_BYTES_MAX);
}

function isSound({ firstSeq, count, entryCount, isGap }: BatchNumbers, payloadBytes: number): boolean {
  if (payloadBytes === 0 || payloadBytes > BATCH_BYTES_MAX) return false;
  // A sum could round down to SEQ_MAX.
  if (firstSeq < 1 || count < 1 || count - 1 > SEQ_MAX - firstSeq) return false;
  return isGap ? entryCount === 1 && count <= GAP_COUNT_MAX : entryCount === count && count <= BATCH_ENTRIES_MAX;
}

/** Writes the header of `batch`'s frame to `target` at `at`; `payload` are its bytes. */
export function encodeFrameHeader(target: Buffer, at: number, batch: EncodedBatch, payload: Buffer, salt: Salt): void {
  target.writeUInt32LE(salt.marker, at);
  target.writeUInt32LE(payload.length, at + 4);
  target.writeUInt32LE(batch.isGap ? FRAME_GAP : FRAME_RECORDS, at + 8);
  target.writeUInt32LE(batch.entryCount, at + 12);
  target.writeUInt32LE(batch.count, at + 16);
  writeUint64(target, at + 20, batch.firstSeq);
  target.writeUInt32LE(crc32(payload, salt.seed), at + 28);
  target.writeUInt32LE(crc32(target.subarray(at, at + 32), salt.seed), at + 32);
}

/** The frame that begins at `at`, where FRAME_HEADER_BYTES must be readable; undefined if none does. */
export function decodeFrameHeader(bytes: Buffer, at: number, salt: Salt): FrameHeader | undefined {
  if (bytes.readUInt32LE(at) !== salt.marker) return undefined;
  // Before anything else is looked at: a length that is believed costs reading as much.
  if (crc32(bytes.subarray(at, at + 32), salt.seed) !== bytes.readUInt32LE(at + 32)) return undefined;
  const payloadBytes = bytes.readUInt32LE(at + 4);
  const type = bytes.readUInt32LE(at + 8);
  const entryCount = bytes.readUInt32LE(at + 12);
  const count = bytes.readUInt32LE(at + 16);
  const firstSeq = readUint64(bytes, at + 20);
  if (type !== FRAME_RECORDS && type !== FRAME_GAP) return undefined;
  const numbers = { firstSeq, count, entryCount, isGap: type === FRAME_GAP };
  if (!isSound(numbers, payloadBytes)) return undefined;
  return { ...numbers, payloadBytes, payloadCrc: bytes.readUInt32LE(at + 28) };
}

function writeUint64(target: Buffer, at: number, value: number): void {
  target.writeUInt32LE(value % TWO_32, at);
  target.writeUInt32LE(Math.floor(value / TWO_32), at + 4);
}

/** Exact up to 2^53; callers compare with SEQ_MAX. */
function readUint64(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * TWO_32;
}

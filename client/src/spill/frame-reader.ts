/**
 * The valid frames of a file, in the file's order. What does not validate is passed over, whatever it is: the
 * next frame is found by the segment's marker. Cost is linear in the bytes: a length is believed only under a checksum.
 */

import type { EncodedBatch } from "../encode/encoded-batch.js";
import { SPILL_READ_BYTES } from "../limits.js";
import { crc32 } from "./crc32.js";
import type { Disk } from "./disk.js";
import { decodeFrameHeader, FRAME_HEADER_BYTES, type Salt } from "./segment-format.js";

export interface Frame extends Pick<EncodedBatch, "firstSeq" | "count" | "entryCount" | "isGap"> {
  readonly lastSeq: number;
  /** A view of the reader's buffer: valid until the reader goes on. */
  readonly payload: Buffer;
  /** Where it begins and ends in the file. */
  readonly start: number;
  readonly end: number;
}

/** What a disk reads or fails to read at once. */
const BLOCK_BYTES = 4096;
/** Unreadable blocks in a row after which the rest of a file counts as unreadable: each may take the disk seconds. */
const BAD_BLOCKS_MAX = 16;

export class FrameReader {
  readonly #disk: Disk;
  readonly #fd: number;
  readonly #salt: Salt;
  readonly #marker = Buffer.alloc(4);
  #buffer: Buffer;
  /** Position in the file of the buffer's first byte, and how many bytes of it are filled. */
  #start: number;
  #filled = 0;
  #position: number;
  #end = 0;
  #skippedBytes = 0;
  #isExhausted = false;

  /** `fileBytes`: a small file needs no large buffer. */
  constructor(disk: Disk, fd: number, salt: Salt, start: number, fileBytes: number) {
    this.#disk = disk;
    this.#fd = fd;
    this.#salt = salt;
    this.#marker.writeUInt32LE(salt.marker);
    this.#start = start;
    this.#position = start;
    this.#buffer = Buffer.allocUnsafeSlow(Math.min(SPILL_READ_BYTES, Math.max(fileBytes, BLOCK_BYTES)));
  }

  /** Where the next frame is looked for. */
  get position(): number {
    return this.#position;
  }
  /** Bytes passed over so far because they were no valid frame. */
  get skippedBytes(): number {
    return this.#skippedBytes;
  }

  /** Goes on from `position`, keeping what is buffered of it. */
  seek(position: number): void {
    this.#isExhausted = false;
    if (position < this.#start || position > this.#start + this.#filled) {
      this.#start = position;
      this.#filled = 0;
    }
    this.#position = position;
  }

  /** The next frame before `end` that has a number of at least `fromSeq`, if any. Earlier ones are not even verified. */
  async next(end: number, fromSeq = 0): Promise<Frame | undefined> {
    this.#end = end;
    for (;;) {
      const available = await this.#fill(FRAME_HEADER_BYTES);
      if (available < FRAME_HEADER_BYTES) {
        this.#skip(available);
        return undefined;
      }
      const header = decodeFrameHeader(this.#buffer, this.#position - this.#start, this.#salt);
      if (header === undefined) {
        await this.#toNextMarker();
        continue;
      }
      const size = FRAME_HEADER_BYTES + header.payloadBytes;
      const lastSeq = header.firstSeq + header.count - 1;
      if ((await this.#fill(size)) < size) {
        await this.#toNextMarker();
        continue;
      }
      if (lastSeq < fromSeq) {
        this.#position += size;
        continue;
      }
      const at = this.#position - this.#start + FRAME_HEADER_BYTES;
      const payload = this.#buffer.subarray(at, at + header.payloadBytes);
      if (crc32(payload, this.#salt.seed) !== header.payloadCrc) {
        await this.#toNextMarker();
        continue;
      }
      const start = this.#position;
      this.#position += size;
      return { ...header, lastSeq, payload, start, end: this.#position };
    }
  }

  #skip(bytes: number): void {
    this.#position += bytes;
    this.#skippedBytes += bytes;
  }

  async #toNextMarker(): Promise<void> {
    this.#skip(1);
    for (;;) {
      const available = await this.#fill(this.#marker.length);
      const from = this.#position - this.#start;
      const found = this.#buffer.subarray(0, this.#filled).indexOf(this.#marker, from);
      if (found >= 0) return this.#skip(found - from);
      if (available < this.#marker.length) return this.#skip(available);
      // A marker may begin in the last three bytes.
      this.#skip(available - this.#marker.length + 1);
    }
  }

  /** Buffers `bytes` from the position on, or what there is, and returns how many that are. */
  async #fill(bytes: number): Promise<number> {
    let available = this.#start + this.#filled - this.#position;
    if (available >= bytes) return available;
    this.#makeRoom(bytes, available);
    while (available < bytes && !this.#isExhausted) {
      const at = this.#start + this.#filled;
      const length = Math.min(this.#buffer.length - this.#filled, this.#end - at);
      if (length <= 0) break;
      const read = await this.#read(length, at);
      // The file is shorter than it was.
      if (read === 0) this.#isExhausted = true;
      this.#filled += read;
      available += read;
    }
    return available;
  }

  /** Moves what is buffered to the front, and grows the buffer if one frame needs more. */
  #makeRoom(bytes: number, available: number): void {
    const from = this.#position - this.#start;
    const target = bytes > this.#buffer.length ? Buffer.allocUnsafeSlow(bytes) : this.#buffer;
    this.#buffer.copy(target, 0, from, from + available);
    this.#buffer = target;
    this.#start = this.#position;
    this.#filled = available;
  }

  async #read(length: number, position: number): Promise<number> {
    try {
      return await this.#disk.read(this.#fd, this.#buffer, this.#filled, length, position);
    } catch {
      return await this.#readBlocks(length, position);
    }
  }

  /** Reads around bad blocks: they become zeros, which validate as nothing. */
  async #readBlocks(length: number, position: number): Promise<number> {
    let bad = 0;
    let done = 0;
    while (done < length && bad < BAD_BLOCKS_MAX) {
      const at = this.#filled + done;
      const bytes = Math.min(BLOCK_BYTES - ((position + done) % BLOCK_BYTES), length - done);
      try {
        const read = await this.#disk.read(this.#fd, this.#buffer, at, bytes, position + done);
        if (read === 0) break;
        done += read;
        bad = 0;
      } catch {
        this.#buffer.fill(0, at, at + bytes);
        done += bytes;
        bad++;
      }
    }
    if (bad === BAD_BLOCKS_MAX) this.#isExhausted = true;
    return done;
  }
}

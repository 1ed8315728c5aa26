/**
 * Reads protobuf's wire format in place, strictly: an overlong varint, a length past the end, a group, a field number 0
 * or text that is not UTF-8 throws MalformedError. Ours, because the ingest path decodes straight into rows (see
 * decode.ts): half the time of decoding into messages first, and every fault can name its field.
 */
import { isUtf8 } from "node:buffer";

/** The bytes are not protobuf, or not what the field should hold. */
export class MalformedError extends Error {
  override readonly name = "MalformedError";
}

export const WIRE_VARINT = 0;
export const WIRE_64 = 1;
export const WIRE_BYTES = 2;
export const WIRE_32 = 5;

export class Wire {
  #bytes: Buffer = Buffer.alloc(0);
  #view: DataView = new DataView(this.#bytes.buffer);
  at = 0;
  end = 0;
  /** Upper 32 bits of the last varint, which returned the lower. */
  high = 0;

  reset(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = 0;
    this.end = bytes.length;
  }

  /** A varint's lower 32 bits, unsigned; `high` has the rest. */
  varint(): number {
    const bytes = this.#bytes;
    let at = this.at;
    const end = this.end;
    let low = 0;
    this.high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (at >= end) throw new MalformedError("ends in the middle of a number");
      const byte = bytes[at++] as number;
      if (shift < 28) low |= (byte & 0x7f) << shift;
      else if (shift === 28) {
        low |= (byte & 0x0f) << 28;
        this.high = (byte & 0x7f) >>> 4;
      } else if (shift < 63) this.high |= (byte & 0x7f) << (shift - 32);
      else if ((byte & 0xfe) !== 0) throw new MalformedError("has a number of more than 64 bits");
      else this.high |= (byte & 1) << 31;
      if (byte < 0x80) {
        this.at = at;
        return low >>> 0;
      }
    }
    throw new MalformedError("has a number of more than 10 bytes");
  }

  /** A tag: field number times 8 plus wire type. */
  tag(): number {
    const tag = this.varint();
    if (this.high !== 0 || tag >>> 3 === 0) throw new MalformedError("has an impossible field number");
    return tag;
  }

  /** An int64 as a number; NaN if it is not exact. */
  int64(): number {
    const low = this.varint();
    const value = (this.high | 0) * 4_294_967_296 + low;
    return Number.isSafeInteger(value) ? value : Number.NaN;
  }

  int32(): number {
    return this.varint() | 0;
  }

  bool(): number {
    const low = this.varint();
    return low !== 0 || this.high !== 0 ? 1 : 0;
  }

  double(): number {
    if (this.at + 8 > this.end) throw new MalformedError("ends in the middle of a double");
    const value = this.#view.getFloat64(this.at, true);
    this.at += 8;
    return value;
  }

  /** A length, checked against the end; the caller reads or skips that many bytes. */
  length(): number {
    const length = this.varint();
    if (this.high !== 0 || length > this.end - this.at) throw new MalformedError("is shorter than it says");
    return length;
  }

  /** Text of `length` bytes at the current position. */
  text(length: number): string {
    const start = this.at;
    this.at = start + length;
    const text = this.#bytes.utf8Slice(start, this.at);
    // utf8Slice puts U+FFFD where bytes are wrong; only then is the slower check needed.
    if (text.includes("\ufffd") && !isUtf8(this.#bytes.subarray(start, this.at))) {
      throw new MalformedError("has text that is not UTF-8");
    }
    return text;
  }

  skip(wireType: number): void {
    switch (wireType) {
      case WIRE_VARINT:
        this.varint();
        return;
      case WIRE_64:
        this.#advance(8);
        return;
      case WIRE_BYTES:
        this.#advance(this.length());
        return;
      case WIRE_32:
        this.#advance(4);
        return;
      default:
        throw new MalformedError(`has wire type ${wireType}, which is not in use`);
    }
  }

  #advance(bytes: number): void {
    if (bytes > this.end - this.at) throw new MalformedError("ends in the middle of a field");
    this.at += bytes;
  }
}

declare global {
  interface Buffer {
    /** Node's own fast path; `toString("utf8", start, end)` checks its arguments first. */
    utf8Slice(start: number, end: number): string;
  }
}

/**
 * Reads answers that are full of records. Their texts repeat (session, stream, game, action), so those read lately are
 * handed out again: half the time of making each anew, and one string in memory instead of thousands.
 */

import { BinaryReader } from "@bufbuild/protobuf/wire";

/** Texts remembered; a power of two. */
const SLOTS = 256;
/** Longer ones hardly repeat, and comparing them costs as much as making them. */
const REMEMBERED_BYTES_MAX = 64;

const remembered = new Array<string | undefined>(SLOTS);

function slotOf(bytes: Uint8Array, start: number, length: number): number {
  const first = bytes[start] as number;
  const middle = bytes[start + (length >> 1)] as number;
  const last = bytes[start + length - 1] as number;
  return ((first * 31 + last) * 31 + middle * 7 + length) & (SLOTS - 1);
}

/** Whether `text` is these bytes, which is never so beyond ASCII: there a character and a byte differ. */
function isText(text: string, bytes: Uint8Array, start: number, length: number): boolean {
  if (text.length !== length) return false;
  for (let at = 0; at < length; at++) {
    const byte = bytes[start + at] as number;
    if (byte >= 0x80 || byte !== text.charCodeAt(at)) return false;
  }
  return true;
}

export class RecordReader extends BinaryReader {
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    super(bytes);
    this.#bytes = bytes;
  }

  override string(): string {
    const length = this.uint32();
    const start = this.pos;
    this.pos += length;
    if (this.pos > this.len) throw new RangeError("the answer ends within a text");
    if (length === 0) return "";
    const bytes = this.#bytes;
    if (length > REMEMBERED_BYTES_MAX) return bytes.toString("utf8", start, this.pos);
    const slot = slotOf(bytes, start, length);
    const known = remembered[slot];
    if (known !== undefined && isText(known, bytes, start, length)) return known;
    const text = bytes.toString("utf8", start, this.pos);
    remembered[slot] = text;
    return text;
  }
}

/** A method whose answer is read that way. */
export function readingRecords<Method extends { readonly responseDeserialize: (bytes: Buffer) => unknown }>(
  method: Method,
  decoder: { decode(reader: BinaryReader): ReturnType<Method["responseDeserialize"]> },
): Method {
  return { ...method, responseDeserialize: (bytes: Buffer) => decoder.decode(new RecordReader(bytes)) };
}

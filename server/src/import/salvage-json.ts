/**
 * Reads JSON that may end in the middle of a value: the earlier system rewrote its files whole, and a crash tore them.
 *
 * A torn text gives everything that was complete at the tear: open arrays and objects with the members they had by then.
 * A string, number or word that the tear cut is left out, and so is a key without its value: what remains of it may say
 * something else than was meant (`12` of `1234`). Text that stops being JSON before its end (a block of zero bytes, the
 * rest of an older, longer file) is torn at that place.
 *
 * NaN, Infinity and -Infinity are read as numbers: Python writes them, though JSON has none.
 */
import { isUtf8 } from "node:buffer";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export interface Salvage {
  /** Undefined where nothing was complete, as in an empty file. */
  readonly value: Json | undefined;
  readonly torn: boolean;
  /** Where it stops being JSON: the length of the text if it just ends. Absent if it is whole. */
  readonly tornAtByte?: number;
}

const BYTE_ORDER_MARK = "\uFEFF";

export function salvageJson(input: string | Uint8Array): Salvage {
  const bytes = typeof input === "string" ? undefined : input;
  let text = typeof input === "string" ? input : Buffer.from(input.buffer, input.byteOffset, input.length).toString();
  const markLength = text.startsWith(BYTE_ORDER_MARK) ? 1 : 0;
  text = text.slice(markLength);
  try {
    return { value: JSON.parse(text) as Json, torn: false };
  } catch {
    // Torn, or written by Python with NaN: the reader below tells which.
  }
  const reader = new TornReader(text);
  reader.run();
  if (reader.isWhole) return { value: reader.value, torn: false };
  return { value: reader.value, torn: true, tornAtByte: byteOffset(bytes, text, reader.position, markLength) };
}

function byteOffset(bytes: Uint8Array | undefined, text: string, position: number, markLength: number): number {
  const markBytes = 3 * markLength;
  // A character cut in half decodes to a replacement of another length; the text's end is the input's end all the same.
  if (bytes && position >= text.length) return bytes.length;
  if (!bytes || isUtf8(bytes)) return markBytes + Buffer.byteLength(text.slice(0, position));
  let offset = markBytes;
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let decoded = 0;
  // Invalid bytes inside: decoding byte by byte is the only count that is right, and such files are rare.
  while (decoded < position && offset < bytes.length) {
    decoded += decoder.decode(bytes.subarray(offset, offset + 1), { stream: true }).length;
    offset += 1;
  }
  return offset;
}

type Frame =
  | { readonly kind: "array"; readonly container: Json[] }
  | { readonly kind: "object"; readonly container: { [key: string]: Json }; key: string | undefined };

/**
 * What may come next:
 *
 *   value -> (scalar) -> separator          value -> "[" -> value or "]"      value -> "{" -> key or "}"
 *   separator -> "," -> value or key        separator -> "]" or "}" -> separator        key -> value
 */
type Expected = "value" | "value or ]" | "key" | "key or }" | "separator";

const NUMBER = /-?(?:Infinity|(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)/y;
const WORDS: readonly (readonly [string, Json])[] = [
  ["true", true],
  ["false", false],
  ["null", null],
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
];

const CODE_QUOTE = 0x22;
const CODE_BACKSLASH = 0x5c;

/** Keeps its own stack, so that no nesting overflows the call stack. */
class TornReader {
  value: Json | undefined;
  position = 0;
  isWhole = false;
  private readonly text: string;
  private readonly frames: Frame[] = [];
  private expected: Expected = "value";

  constructor(text: string) {
    this.text = text;
  }

  run(): void {
    for (;;) {
      this.skipSpace();
      if (this.position >= this.text.length) break;
      if (!this.step()) return;
    }
    this.isWhole = this.value !== undefined && this.frames.length === 0;
  }

  /** Reads one token. False where the text is no JSON any more; position then stays in front of it. */
  private step(): boolean {
    const character = this.text[this.position];
    const frame = this.frames.at(-1);
    if (this.expected === "separator") {
      if (!frame) return false;
      if (character === ",") {
        this.position += 1;
        this.expected = frame.kind === "array" ? "value" : "key";
        return true;
      }
      return this.closes(frame, character) && this.close();
    }
    if (frame && (this.expected === "value or ]" || this.expected === "key or }") && this.closes(frame, character)) {
      return this.close();
    }
    if (frame?.kind === "object" && (this.expected === "key" || this.expected === "key or }")) {
      return this.readKey(frame);
    }
    return this.readValue(character);
  }

  private closes(frame: Frame, character: string | undefined): boolean {
    return character === (frame.kind === "array" ? "]" : "}");
  }

  private close(): boolean {
    this.position += 1;
    this.frames.pop();
    this.expected = "separator";
    return true;
  }

  private readKey(frame: Frame & { kind: "object" }): boolean {
    const key = this.readString();
    if (key === undefined) return false;
    this.skipSpace();
    if (this.text[this.position] !== ":") return false;
    this.position += 1;
    frame.key = key;
    this.expected = "value";
    return true;
  }

  private readValue(character: string | undefined): boolean {
    if (character === "[") {
      const container: Json[] = [];
      this.place(container);
      this.frames.push({ kind: "array", container });
      this.position += 1;
      this.expected = "value or ]";
      return true;
    }
    if (character === "{") {
      const container: { [key: string]: Json } = {};
      this.place(container);
      this.frames.push({ kind: "object", container, key: undefined });
      this.position += 1;
      this.expected = "key or }";
      return true;
    }
    const scalar = character === '"' ? this.readString() : this.readNumberOrWord();
    if (scalar === undefined) return false;
    this.place(scalar);
    this.expected = "separator";
    return true;
  }

  /** Undefined, and position at the end of the text, where the tear cut it. */
  private readString(): string | undefined {
    const start = this.position;
    if (this.text.charCodeAt(start) !== CODE_QUOTE) return undefined;
    let at = start + 1;
    for (;;) {
      const code = this.text.charCodeAt(at);
      if (Number.isNaN(code)) {
        this.position = this.text.length;
        return undefined;
      }
      if (code === CODE_QUOTE) break;
      at += code === CODE_BACKSLASH ? 2 : 1;
    }
    try {
      const string = JSON.parse(this.text.slice(start, at + 1)) as string;
      this.position = at + 1;
      return string;
    } catch {
      return undefined; // A control character or a false escape.
    }
  }

  private readNumberOrWord(): Json | undefined {
    const start = this.position;
    NUMBER.lastIndex = start;
    const number = NUMBER.exec(this.text)?.[0];
    if (number !== undefined && this.isDelimited(start + number.length)) {
      this.position = start + number.length;
      return Number(number);
    }
    for (const [word, meaning] of WORDS) {
      if (this.text.startsWith(word, start) && this.isDelimited(start + word.length)) {
        this.position = start + word.length;
        return meaning;
      }
    }
    // Cut by the tear, if the rest of the text could still have become one.
    if (/^[-+.0-9A-Za-z]{1,400}$/.test(this.text.slice(start, start + 401))) this.position = this.text.length;
    return undefined;
  }

  /** A number or word at the very end of a torn text may have lost its rest; at the top level there is nothing to lose. */
  private isDelimited(end: number): boolean {
    const next = this.text[end];
    return next === undefined ? this.frames.length === 0 : /[\s,\]}]/.test(next);
  }

  private place(value: Json): void {
    const frame = this.frames.at(-1);
    if (!frame) this.value = value;
    else if (frame.kind === "array") frame.container.push(value);
    else if (frame.key !== undefined) setOwn(frame.container, frame.key, value);
  }

  private skipSpace(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.position);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.position += 1;
    }
  }
}

/** As JSON.parse does: `__proto__` is a key like any other. */
function setOwn(object: { [key: string]: Json }, key: string, value: Json): void {
  if (key === "__proto__") {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    object[key] = value;
  }
}

/**
 * Hashes of 32 bits for any key; keys that are the same have the same.
 *
 * The quick one tells text apart by sixteen of its characters at most: short text by all of them, longer text by the last
 * twelve, where counters, coordinates and file names differ, and by four spread over it. The whole one reads all of them, a
 * nanosecond each.
 */

const scratch = new Float64Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

/** Text up to this length is hashed as a whole. */
const WHOLE_TEXT_LENGTH_MAX = 16;
/** Of longer text, the characters at its end. */
const END_LENGTH = 12;

export type Hash = (key: unknown) => number;

export function quickHash(key: unknown): number {
  if (typeof key === "string") return quickHashOfText(key);
  if (typeof key === "number") {
    if ((key | 0) === key) return stirred(0, key);
    // To a Map all NaN are one key; their bits differ with where they come from.
    scratch[0] = Number.isNaN(key) ? Number.NaN : key;
    return stirred(scratchBits[0] as number, scratchBits[1] as number);
  }
  return hashOfRare(key);
}

export function wholeHash(key: unknown): number {
  if (typeof key === "string") return hashFrom(key, 0, key.length);
  if (typeof key === "bigint") return wholeHash(key.toString(36));
  return quickHash(key);
}

function quickHashOfText(text: string): number {
  const { length } = text;
  if (length <= WHOLE_TEXT_LENGTH_MAX) return hashFrom(text, 0, length);
  const spread = four(text, 0, length >> 2, length >> 1, length - (length >> 2));
  return hashFrom(text, length - END_LENGTH, stirred(length, spread));
}

/** Four characters at a time, from `start` to the end. */
function hashFrom(text: string, start: number, seed: number): number {
  const { length } = text;
  let hash = seed;
  let at = start;
  for (; at + 4 <= length; at += 4) hash = stirred(hash, four(text, at, at + 1, at + 2, at + 3));
  let rest = 0;
  for (; at < length; at++) rest = (rest << 8) ^ text.charCodeAt(at);
  return stirred(hash, rest);
}

function four(text: string, a: number, b: number, c: number, d: number): number {
  return text.charCodeAt(a) ^ (text.charCodeAt(b) << 8) ^ (text.charCodeAt(c) << 16) ^ (text.charCodeAt(d) << 24);
}

/** Lets every bit of both weigh in the low ones. */
function stirred(hash: number, bits: number): number {
  const product = Math.imul(hash ^ bits, 0x9e3779b1);
  return product ^ (product >>> 15);
}

function hashOfRare(key: unknown): number {
  if (typeof key === "bigint") return stirred(1, Number(BigInt.asIntN(32, key)));
  if ((typeof key === "object" && key !== null) || typeof key === "function") return stirred(2, numberOf(key));
  return 0;
}

/** A class whose constructor returns the object it is given, so that the fields of a subclass are put on that object. */
const ReturnsItsArgument = function returnArgument(object: object): object {
  return object;
} as unknown as new (
  object: object,
) => object;

let objects = 0;

/**
 * Objects have no number that a program can see, so each gets one that nobody else can: a private field. A WeakMap would
 * have to be rehashed as a Map has. This happens only to keys of dictionaries above DICT_ONE_MAP_KEYS_MAX.
 */
class Numbered extends ReturnsItsArgument {
  readonly #number = ++objects;

  static of(object: object): number | undefined {
    return #number in object ? object.#number : undefined;
  }
}

function numberOf(object: object): number {
  const known = Numbered.of(object);
  if (known !== undefined) return known;
  try {
    new Numbered(object);
    return objects;
  } catch {
    // A runtime may refuse private fields on frozen objects: they share a hash.
    return 0;
  }
}

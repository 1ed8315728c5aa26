/**
 * A hash of 32 bits for any key, of which keys that are the same have the same.
 *
 * Text is told apart by sixteen of its characters at most: short text by all of them, longer text by the last twelve, where
 * counters, coordinates and file names differ, and by four spread over it. All characters of a long key would take longer
 * than the finding. What agrees in all sixteen has the same hash, which whoever finds by it must bear.
 */

const scratch = new Float64Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

/** Text up to this length is hashed as a whole. */
const WHOLE_TEXT_LENGTH_MAX = 16;
/** Of longer text, the characters at its end. */
const END_LENGTH = 12;

export function hashOf(key: unknown): number {
  if (typeof key === "string") return hashOfText(key);
  if (typeof key === "number") {
    if ((key | 0) === key) return stirred(0, key);
    // To a Map all NaN are one key; their bits differ with where they come from.
    scratch[0] = Number.isNaN(key) ? Number.NaN : key;
    return stirred(scratchBits[0] as number, scratchBits[1] as number);
  }
  return hashOfRare(key);
}

/** Four characters at a time. */
function hashOfText(text: string): number {
  const { length } = text;
  let hash = length;
  let at = 0;
  if (length > WHOLE_TEXT_LENGTH_MAX) {
    hash = stirred(hash, four(text, 0, length >> 2, length >> 1, length - (length >> 2)));
    at = length - END_LENGTH;
  }
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

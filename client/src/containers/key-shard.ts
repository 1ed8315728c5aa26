/**
 * A number for any key, for choosing among a few Maps. It need not be good, it must be cheap: the Map does the finding.
 *
 * Text is told apart by five of its characters, which takes 3 ns where all of them would take 50: one in the middle and four
 * near the end, where counters, coordinates and file names with their endings differ. Keys that agree in all five share a
 * Map, which is as right as before, only larger, and so is the stall when it is rehashed. The last character is left out,
 * and the low bits of whole numbers are too: keys that are made one after another then mostly go into the same Map, whose
 * end is in the cache.
 */

const scratch = new Float64Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

/** Spreads the bits of a number over the low ones. */
function mixed(bits: number): number {
  return Math.imul(bits, 0x9e3779b1) >>> 16;
}

export function shardOf(key: unknown): number {
  if (typeof key === "string") return mixed(key.length < 7 ? bitsOfShort(key) : bitsOfLong(key));
  if (typeof key === "number") {
    if ((key | 0) === key) return mixed(key >>> 12);
    // To a Map all NaN are one key; their bits differ with where they come from.
    scratch[0] = Number.isNaN(key) ? Number.NaN : key;
    return mixed((scratchBits[0] as number) ^ (scratchBits[1] as number));
  }
  return rareShardOf(key);
}

/** Digits differ in their lowest four bits, letters in five: six bits apart, what differs stays apart. */
function bitsOfLong(key: string): number {
  const { length } = key;
  return (
    key.charCodeAt(length - 3) ^
    (key.charCodeAt(length - 4) << 6) ^
    (key.charCodeAt(length - 6) << 12) ^
    (key.charCodeAt(length - 7) << 18) ^
    (key.charCodeAt(length >> 1) << 24)
  );
}

/** Of all characters but the last. */
function bitsOfShort(key: string): number {
  let bits = key.length;
  for (let at = 0; at < key.length - 1; at++) bits = (bits << 6) ^ key.charCodeAt(at) ^ (bits >>> 26);
  return bits;
}

function rareShardOf(key: unknown): number {
  if (typeof key === "bigint") return mixed(Number(BigInt.asUintN(32, key >> 12n)));
  if ((typeof key === "object" && key !== null) || typeof key === "function") return mixed(numberOf(key) >>> 12);
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
 * have to be rehashed as the Map has. This happens only to keys of dictionaries above DICT_ONE_MAP_KEYS_MAX.
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
    // A runtime may refuse private fields on frozen objects: they share a Map.
    return 0;
  }
}

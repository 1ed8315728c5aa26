/**
 * A number for any key, for choosing among a few Maps. It need not be good, it must be cheap: the Map does the finding.
 *
 * Text is told apart by two of its characters, which takes 2 ns where all of them would take 50. Keys that agree in both
 * share a Map, which is as right as before, only larger. The last character is left out, and the low bits of whole numbers
 * are too: keys that are made one after another then mostly go into the same Map, whose end is in the cache.
 */

const scratch = new Float64Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

/** Spreads the bits of a number over the low ones. */
function mixed(bits: number): number {
  return Math.imul(bits, 0x9e3779b1) >>> 16;
}

export function shardOf(key: unknown): number {
  if (typeof key === "string") {
    const { length } = key;
    return length < 3 ? mixed(length) : mixed(key.charCodeAt(length - 3) + (key.charCodeAt(length >> 1) << 8));
  }
  if (typeof key === "number") {
    if ((key | 0) === key) return mixed(key >>> 12);
    scratch[0] = key;
    return mixed((scratchBits[0] as number) ^ (scratchBits[1] as number));
  }
  return rareShardOf(key);
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

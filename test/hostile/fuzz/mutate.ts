/** Damage to encoded messages, each kind of it as it happens on a broken or a hostile way. */
import type { SeededRandom } from "../../fault/harness/random.js";
import { bytesField, tag } from "./wire.js";

type Mutation = (bytes: Buffer, random: SeededRandom, other: Buffer) => Buffer;

function insert(bytes: Buffer, random: SeededRandom, what: Uint8Array): Buffer {
  const at = random.whole(0, bytes.length);
  return Buffer.concat([bytes.subarray(0, at), what, bytes.subarray(at)]);
}

const MUTATIONS: readonly Mutation[] = [
  // A bit, or some bytes.
  (bytes, random) => {
    const changed = Buffer.from(bytes);
    if (changed.length > 0) {
      const at = random.whole(0, changed.length - 1);
      changed[at] = (changed[at] as number) ^ (1 << random.whole(0, 7));
    }
    return changed;
  },
  (bytes, random) => {
    const changed = Buffer.from(bytes);
    for (let times = random.whole(1, 8); times > 0 && changed.length > 0; times--) {
      changed[random.whole(0, changed.length - 1)] = random.whole(0, 255);
    }
    return changed;
  },
  // Cut at the end, at the beginning, in the middle.
  (bytes, random) => bytes.subarray(0, random.whole(0, bytes.length)),
  (bytes, random) => bytes.subarray(random.whole(0, bytes.length)),
  (bytes, random) => {
    const at = random.whole(0, bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random.whole(0, 16))]);
  },
  // Twice, and a part twice.
  (bytes) => Buffer.concat([bytes, bytes]),
  (bytes, random) => {
    const at = random.whole(0, bytes.length);
    return insert(bytes, random, bytes.subarray(at, at + random.whole(0, 64)));
  },
  // The beginning of one, the end of another.
  (bytes, random, other) =>
    Buffer.concat([bytes.subarray(0, random.whole(0, bytes.length)), other.subarray(random.whole(0, other.length))]),
  (bytes, random, other) => insert(bytes, random, other.subarray(0, 4_096)),
  // Numbers of too many bytes or bits, and lengths that lie.
  (bytes, random) => insert(bytes, random, Buffer.from("ffffffffffffffffffff01", "hex")),
  (bytes, random) => insert(bytes, random, Buffer.from("ffffffffffffffffff7f", "hex")),
  (bytes, random) =>
    insert(bytes, random, Buffer.concat([tag(random.whole(1, 9), 2), Buffer.from("ffffffff0f", "hex")])),
  // Groups, open and closed, and wire types that do not exist.
  (bytes, random) => insert(bytes, random, Buffer.concat(new Array<Buffer>(random.whole(1, 200)).fill(tag(1, 3)))),
  (bytes, random) => insert(bytes, random, tag(random.whole(1, 20), random.whole(3, 7))),
  // Fields that nobody knows, by the hundred, and field number 0.
  (bytes, random) =>
    Buffer.concat([
      ...Array.from({ length: random.whole(1, 300) }, (_, at) => bytesField(1_000 + at, Buffer.from("x"))),
      bytes,
    ]),
  (bytes, random) => insert(bytes, random, Buffer.from([0x00, 0x01])),
  // The right field with a wrong wire type.
  (bytes) => {
    const changed = Buffer.from(bytes);
    if (changed.length > 0) changed[0] = ((changed[0] as number) & 0xf8) | (((changed[0] as number) + 1) & 7);
    return changed;
  },
  // Messages in messages in messages.
  (bytes, random) => {
    let nested = bytes.subarray(0, 64);
    for (let depth = random.whole(10, 300); depth > 0; depth--) nested = bytesField(random.whole(1, 5), nested);
    return nested;
  },
  // What is no UTF-8: a lone byte, an overlong zero, a surrogate, beyond the last character, half a character.
  (bytes, random) => {
    const bad = random.pick(["ff", "c080", "eda080", "f4908080", "f09f98"]);
    const changed = Buffer.from(bytes);
    if (changed.length > 4) Buffer.from(bad, "hex").copy(changed, random.whole(2, changed.length - 1));
    return changed;
  },
  // Something else altogether.
  (_, random) => Buffer.from(Array.from({ length: random.whole(0, 60) }, () => random.whole(0, 255))),
];

export function mutated(bytes: Buffer, random: SeededRandom, other: Buffer): Buffer {
  let changed = bytes;
  for (let times = random.chance(0.7) ? 1 : random.whole(2, 4); times > 0; times--) {
    changed = random.pick(MUTATIONS)(changed, random, other);
  }
  return changed;
}

/** What happens to files between two lives of a trainer. */
import { closeSync, existsSync, ftruncateSync, openSync, readdirSync, readSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { SeededRandom } from "../../harness/random.js";

export const DAMAGES = ["flip a bit", "zero a block", "swap two blocks", "cut", "add rubbish"] as const;
export type Damage = (typeof DAMAGES)[number];

const BLOCK_BYTES = 512;

/** Damages segments in a folder, at random places; returns what was done. */
export function damageSpill(folder: string, damage: Damage, random: SeededRandom): string[] {
  // A trainer that was killed before it had spilled anything.
  if (!existsSync(folder)) return [];
  const segments = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".seg"))
    .sort()
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).size > 0);
  if (segments.length === 0) return [];
  const path = random.pick(segments);
  const { size } = statSync(path);
  const file = openSync(path, "r+");
  try {
    return [`${path}: ${damage} ${harm(file, size, damage, random)}`];
  } finally {
    closeSync(file);
  }
}

function harm(file: number, size: number, damage: Damage, random: SeededRandom): string {
  const at = random.whole(0, size - 1);
  switch (damage) {
    case "flip a bit": {
      const byte = read(file, at, 1);
      byte.writeUInt8(byte.readUInt8(0) ^ (1 << random.whole(0, 7)), 0);
      writeSync(file, byte, 0, 1, at);
      return `at ${at}`;
    }
    case "zero a block":
      writeSync(file, Buffer.alloc(Math.min(BLOCK_BYTES, size - at)), 0, undefined, at);
      return `at ${at}`;
    case "swap two blocks": {
      const blocks = Math.floor(size / BLOCK_BYTES);
      const [one, other] = [random.whole(0, blocks) * BLOCK_BYTES, random.whole(0, blocks) * BLOCK_BYTES];
      const [first, second] = [read(file, one, BLOCK_BYTES), read(file, other, BLOCK_BYTES)];
      writeSync(file, second, 0, undefined, one);
      writeSync(file, first, 0, undefined, other);
      return `${one} and ${other}`;
    }
    case "cut":
      ftruncateSync(file, at);
      return `to ${at}`;
    case "add rubbish":
      writeSync(
        file,
        Buffer.from(Array.from({ length: random.whole(1, 2_000) }, () => random.whole(0, 255))),
        0,
        undefined,
        size,
      );
      return `behind ${size}`;
  }
}

function read(file: number, at: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, readSync(file, bytes, 0, length, at));
}

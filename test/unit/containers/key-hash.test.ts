// How keys of every usual kind are spread: what a large dictionary needs to find one, and equal keys in equal places.
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { type Hash, quickHash, wholeHash } from "../../../client/src/containers/key-hash.js";
import { DICT_PROBES_MAX } from "../../../client/src/limits.js";

const KEYS = 100_000;
const CELLS = 2 ** 18;

/** Cells that are looked at for a key of a full table, on average and at most. */
function probes(hash: Hash, keyAt: (index: number) => unknown): { average: number; most: number } {
  const isTaken = new Uint8Array(CELLS);
  let [sum, most] = [0, 0];
  for (let index = 0; index < KEYS; index++) {
    let at = hash(keyAt(index)) & (CELLS - 1);
    let count = 1;
    for (; isTaken[at] === 1; at = (at + 1) & (CELLS - 1)) count++;
    isTaken[at] = 1;
    sum += count;
    most = Math.max(most, count);
  }
  return { average: sum / KEYS, most };
}

const hex = (index: number) => createHash("md5").update(String(index)).digest("hex");

describe("keys of every usual kind", () => {
  test.each<[string, (index: number) => unknown]>([
    ["counters", (index) => `${index}`],
    ["counters after a word", (index) => `frame-${index}`],
    ["counters with leading zeros", (index) => `agent/${String(index).padStart(8, "0")}`],
    ["counters amid a long text", (index) => `a trainer of the second kind/${index}/state`],
    ["file names", (index) => `frame_${index}.png`],
    ["file names with a longer ending", (index) => `states/${index}.json`],
    ["coordinates", (index) => `${index % 316},${Math.floor(index / 316)}`],
    [
      "coordinates in three dimensions",
      (index) => `${index % 47}:${Math.floor(index / 47) % 47}:${Math.floor(index / 2_209)}`,
    ],
    ["hashes", hex],
    ["short hashes", (index) => hex(index).slice(0, 8)],
    ["UUIDs", (index) => hex(index).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")],
    ["words of another script", (index) => `ключ ${index}`],
    ["whole numbers", (index) => index],
    ["whole numbers far apart", (index) => index * 4_096],
    ["large whole numbers", (index) => 2 ** 40 + index],
    ["fractions", (index) => index / 7],
    ["large integers", (index) => BigInt(index) << 3n],
    ["objects", () => ({})],
  ])("%s are found in a step or two", (_, keyAt) => {
    for (const hash of [quickHash, wholeHash]) {
      const { average, most } = probes(hash, keyAt);
      // With a perfect hash it is 1.3 on average.
      expect(average).toBeLessThan(1.7);
      expect(most).toBeLessThan(DICT_PROBES_MAX);
    }
  });
});

test.each([quickHash, wholeHash])("equal keys have the same hash, however they were made: %o", (hash) => {
  expect(hash("frame-1234567")).toBe(hash(["frame", "1234567"].join("-")));
  expect(hash(0)).toBe(hash(-0));
  const [otherNaN] = new Float64Array(new Uint32Array([1, 0xfff80000]).buffer);
  expect(hash(otherNaN)).toBe(hash(Number.NaN));
  const object = Object.freeze({});
  for (const key of ["", "a", "ab", "é", "日本", "x".repeat(99), 5n, object, undefined, null, true, Symbol("s")])
    expect(hash(key)).toBe(hash(key));
});

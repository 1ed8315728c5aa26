// How keys are spread over the Maps of a large dictionary: the largest of them is the longest stall.
import { createHash } from "node:crypto";
import { shardOf } from "@tailkeep/client/internals";
import { describe, expect, test } from "vitest";

const MAPS = 128;
const KEYS = 100_000;

/** Keys in the fullest Map, of `KEYS`. */
function fullest(keyAt: (index: number) => unknown): number {
  const counts = new Uint32Array(MAPS);
  for (let index = 0; index < KEYS; index++) {
    const map = shardOf(keyAt(index)) % MAPS;
    counts[map] = (counts[map] as number) + 1;
  }
  return Math.max(...counts);
}

const hex = (index: number) => createHash("md5").update(String(index)).digest("hex");

describe("keys of every usual kind", () => {
  test.each<[string, (index: number) => unknown]>([
    ["counters", (index) => `${index}`],
    ["counters after a word", (index) => `frame-${index}`],
    ["counters with leading zeros", (index) => `agent/${String(index).padStart(8, "0")}`],
    ["file names", (index) => `frame_${index}.png`],
    ["file names with a longer ending", (index) => `states/${index}.json`],
    ["coordinates", (index) => `${index % 316},${Math.floor(index / 316)}`],
    ["coordinates in three dimensions", (index) => `${index % 47}:${Math.floor(index / 47) % 47}:${index % 45}`],
    ["hashes", hex],
    ["short hashes", (index) => hex(index).slice(0, 6)],
    ["UUIDs", (index) => hex(index).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")],
    ["whole numbers far apart", (index) => index * 4_096],
    ["fractions", (index) => index / 7],
    ["objects", () => ({})],
  ])("%s fill no Map ten times as much as the average", (_, keyAt) => {
    // Some of them are one after another on purpose: below a thousand whole numbers, and the last digit of a counter.
    expect(fullest(keyAt)).toBeLessThan((10 * KEYS) / MAPS);
  });
});

test("equal keys are of one Map, however they were made", () => {
  expect(shardOf("frame-1234567")).toBe(shardOf(["frame", "1234567"].join("-")));
  expect(shardOf(0)).toBe(shardOf(-0));
  const [otherNaN] = new Float64Array(new Uint32Array([1, 0xfff80000]).buffer);
  expect(shardOf(otherNaN)).toBe(shardOf(Number.NaN));
  for (const key of ["", "a", "ab", "é", "日本", undefined, null, true, Symbol("s")])
    expect(shardOf(key)).toBe(shardOf(key));
});

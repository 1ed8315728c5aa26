// The hash table of large dictionaries against a Map: rows of cells that run into each other and around the end, keys of
// one hash, and more of those than a row may have.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { quickHash, wholeHash } from "../../../client/src/containers/key-hash.js";
import { keyIndex, type SlotFinder } from "../../../client/src/containers/key-index.js";

/** An index and a Map that are told the same. */
class Pair {
  readonly #keys: unknown[] = [undefined];
  readonly #index: SlotFinder<unknown>;
  readonly #model = new Map<unknown, number>();
  readonly #free: number[];
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#index = keyIndex(capacity, this.#keys);
    this.#free = Array.from({ length: capacity }, (_, index) => capacity - index);
  }

  /** Adds the key if it is not there and there is room, removes it if it is there. */
  toggle(key: unknown): void {
    const slot = this.#model.get(key);
    if (slot !== undefined) {
      this.#index.remove(this.#keys[slot], slot);
      this.#model.delete(key);
      this.#keys[slot] = undefined;
      this.#free.push(slot);
    } else if (this.#model.size < this.#capacity) {
      const free = this.#free.pop() as number;
      this.#keys[free] = key;
      this.#index.add(key, free);
      this.#model.set(key, free);
    }
  }

  expectSame(keys: Iterable<unknown>): void {
    for (const key of keys) expect(this.#index.find(key)).toBe(this.#model.get(key));
  }
}

/** Texts that differ only where the quick hash does not look. */
const alike = (index: number) => `an ${String(index).padStart(6, "0")} that is in the middle of a text of forty`;

test("texts that differ where the quick hash does not look have one, and another whole one", () => {
  expect(quickHash(alike(1))).toBe(quickHash(alike(654_321)));
  expect(wholeHash(alike(1))).not.toBe(wholeHash(alike(654_321)));
});

describe("finds what a Map finds", () => {
  const mixed = [Number.NaN, null, undefined, true, false, 0, "", {}, 1.5, 7n];
  const kinds: [string, (index: number) => unknown][] = [
    ["numbers", (index) => index],
    ["text", (index) => `k${index}`],
    ["keys of a few hashes", (index) => alike(index).slice(index % 3)],
    ["symbols, which have one hash", (index) => Symbol(index)],
    ["what is like nothing else", (index) => mixed[index % mixed.length]],
  ];

  test.each(kinds)("%s", (_, keyAt) => {
    const keys = Array.from({ length: 60 }, (_, index) => keyAt(index));
    const capacity = fc.integer({ min: 1, max: 40 });
    const toggles = fc.array(fc.nat(keys.length - 1), { maxLength: 300 });
    fc.assert(
      fc.property(capacity, toggles, (room, indexes) => {
        const pair = new Pair(room);
        for (const index of indexes) {
          pair.toggle(keys[index]);
          pair.expectSame([keys[index]]);
        }
        pair.expectSame(keys);
      }),
      { numRuns: 500 },
    );
  });

  test.each<[string, (index: number) => unknown]>([
    ["texts of one quick hash", alike],
    ["bigints of the same lowest bits", (index) => BigInt(index) << 40n],
    ["symbols", (index) => Symbol(index)],
  ])("hundreds of %s", (_, keyAt) => {
    const keys = Array.from({ length: 300 }, (_, index) => keyAt(index));
    const pair = new Pair(keys.length);
    for (const key of keys) pair.toggle(key);
    pair.expectSame(keys);
    for (const [index, key] of keys.entries()) if (index % 3 > 0) pair.toggle(key);
    pair.expectSame(keys);
    for (const key of keys) pair.toggle(key);
    pair.expectSame(keys);
  });
});

// The central configuration in the database: each change is a row that follows the one before, whoever writes it.
import type { ConfigRow } from "@tailkeep/server/dist/store/config.js";
import { describe, expect, test } from "vitest";
import { everyStore } from "./support/stores.js";

const row = (version: number, author = "a"): ConfigRow => ({
  version,
  createdAtUs: version * 1_000_000,
  author,
  comment: 'wegen "Ü" 😀',
  changesJson: `{"memoryLimits.scoreHistory":{"after":${version}}}`,
  overridesJson: `{"memoryLimits.scoreHistory":${version}}`,
});

everyStore((fixture) => {
  describe("changes", () => {
    test("follow one another, and the newest holds; a page goes back from it", async () => {
      const { store } = fixture();
      expect(await store.reads.newestConfig()).toBeUndefined();
      for (const version of [1, 2, 3]) expect(await store.config.append(row(version))).toEqual({ kind: "written" });
      expect(await store.reads.newestConfig()).toEqual(row(3));
      expect(await store.reads.listConfigChanges(undefined, 2)).toEqual([row(3), row(2)]);
      expect(await store.reads.listConfigChanges(2, 10)).toEqual([row(1)]);
      expect(await store.reads.listConfigChanges(1, 10)).toEqual([]);
    });

    test("that follow another version than the newest are not made", async () => {
      const { store } = fixture();
      for (const version of [1, 3, 5]) {
        expect(await store.config.append(row(version, "late"))).toEqual({ kind: "mismatch", version: 3 });
      }
      expect(await store.reads.listConfigChanges(undefined, 10)).toEqual([row(3), row(2), row(1)]);
    });

    test("made at the same moment: one is written, the others hear of it", async () => {
      const { store } = fixture();
      const outcomes = await Promise.all(Array.from({ length: 8 }, (_, at) => store.config.append(row(4, `w${at}`))));
      expect(outcomes.filter(({ kind }) => kind === "written")).toHaveLength(1);
      expect(outcomes.filter(({ kind }) => kind === "mismatch")).toEqual(
        new Array(7).fill({ kind: "mismatch", version: 4 }),
      );
      const winner = outcomes.findIndex(({ kind }) => kind === "written");
      expect(await store.reads.newestConfig()).toEqual(row(4, `w${winner}`));
    });
  });
});

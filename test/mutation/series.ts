/** Planted bugs in what is summed up, and in how it is read. */
import type { Catcher, Mutant } from "./mutant.js";

const EXACT: Catcher = { by: "test", filter: "contract/series/exact", named: "SQLite" };
const KEEPING: Catcher = { by: "test", filter: "contract/series/keeping", named: "SQLite" };

export const SERIES_MUTANTS: readonly Mutant[] = [
  {
    name: "a checkpoint is written wherever the store stands",
    area: "series",
    file: "server/dist/store/sqlite/rollups.js",
    edits: [{ find: '["rolled_seq"] ?? 0) !== fromSeq)', replace: '["rolled_seq"] ?? 0) < 0)' }],
    catcher: KEEPING,
  },
  {
    name: "a checkpoint is written for a stream that is no more",
    area: "series",
    file: "server/dist/store/sqlite/rollups.js",
    edits: [{ find: "this.#isThere.get(key) === undefined", replace: "false" }],
    catcher: KEEPING,
  },
  {
    name: "what a newer node has is read again with the newest records",
    area: "series",
    file: "server/dist/series/series-reader.js",
    edits: [
      {
        find: "Math.max(stream.rolledSeq, lastNode?.lastSeq[lastNode.entries - 1] ?? 0)",
        replace: "stream.rolledSeq",
      },
    ],
    catcher: { by: "test", filter: "contract/series/meanwhile", named: "SQLite" },
  },
  {
    name: "children of an upper node are put one entry too far",
    area: "series",
    file: "server/dist/series/uppers.js",
    edits: [{ find: "child * ENTRIES_PER_CHILD + Math.floor", replace: "child * ENTRIES_PER_CHILD + Math.ceil" }],
    catcher: EXACT,
  },
  {
    name: "entries at the edge of a range are taken whole",
    area: "series",
    file: "server/dist/series/buckets.js",
    edits: [
      {
        find: "return xFirst >= from && xLast <= to && xLast - xFirst <= this.width;",
        replace: "return xLast - xFirst <= this.width;",
      },
    ],
    catcher: EXACT,
  },
  {
    name: "a live stream that misses a commit goes on",
    area: "series",
    file: "server/dist/series/rolled-stream.js",
    edits: [
      { find: "if (first.firstSeq === this.rollup.seq + 1) {", replace: "if (first.firstSeq > this.rollup.seq) {" },
    ],
    catcher: EXACT,
  },
];

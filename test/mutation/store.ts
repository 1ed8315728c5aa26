/** Planted bugs in what a transaction does: the part that all stores share, and SQLite's own. */
import { type Catcher, type Edit, type Mutant, SIMULATOR, simulatorWith } from "./mutant.js";

/** The assertion that would notice by itself. */
const WITHOUT_SUM: Edit = { find: "if (sum !== next.committedSeq) {", replace: "if (false) {" };

const ON_SQLITE: Catcher = { by: "test", filter: "contract/commit", named: "SQLite" };

export const STORE_MUTANTS: readonly Mutant[] = [
  {
    name: "the epoch is not compared",
    area: "store",
    file: "server/dist/store/admit.js",
    edits: [{ find: "if (row.epoch !== run.epoch)", replace: "if (false)" }],
    catcher: simulatorWith("server paused"),
  },
  {
    name: "holes are let in",
    area: "store",
    file: "server/dist/store/admit.js",
    edits: [{ find: "if (run.firstSeq > row.committedSeq + 1)", replace: "if (false)" }, WITHOUT_SUM],
    catcher: simulatorWith("database restored"),
  },
  {
    name: "the last committed number is not skipped",
    area: "store",
    file: "server/dist/store/admit.js",
    edits: [
      {
        find: "const alreadyUpTo = Math.min(row.committedSeq, run.lastSeq);",
        replace: "const alreadyUpTo = Math.min(row.committedSeq, run.lastSeq) - 1;",
      },
      WITHOUT_SUM,
    ],
    catcher: SIMULATOR,
  },
  {
    name: "dead letters that were committed before are written again",
    area: "store",
    file: "server/dist/store/admit.js",
    edits: [{ find: "run.rejected.filter((each) => each.seq > seq)", replace: "run.rejected" }, WITHOUT_SUM],
    catcher: simulatorWith("commit's answer lost"),
  },
  {
    name: "the watermark goes one too far",
    area: "store",
    file: "server/dist/store/admit.js",
    edits: [{ find: "committedSeq: run.lastSeq,", replace: "committedSeq: run.lastSeq + 1," }, WITHOUT_SUM],
    catcher: SIMULATOR,
  },
  {
    name: "the watermark stays one behind",
    area: "store",
    file: "server/dist/store/admit.js",
    edits: [{ find: "committedSeq: run.lastSeq,", replace: "committedSeq: run.lastSeq - 1," }, WITHOUT_SUM],
    catcher: SIMULATOR,
  },
  {
    name: "gaps are not counted",
    area: "store",
    file: "server/dist/store/admit.js",
    edits: [{ find: "sum + gap.lastSeq - gap.firstSeq + 1, row.gapped)", replace: "sum, row.gapped)" }, WITHOUT_SUM],
    catcher: SIMULATOR,
  },
  {
    name: "rows that the store refuses are not counted",
    area: "store",
    file: "server/dist/store/admit.js",
    edits: [{ find: "run.rejected.length + refused.length,", replace: "run.rejected.length," }, WITHOUT_SUM],
    catcher: SIMULATOR,
  },
  {
    name: "a restored database is not noticed",
    area: "store",
    file: "server/dist/store/open.js",
    edits: [{ find: "Math.max(0, request.ackedSeq - base.committedSeq)", replace: "0" }],
    catcher: simulatorWith("database restored"),
  },
  {
    name: "a restored database is noticed and not written down",
    area: "store",
    file: "server/dist/store/open.js",
    edits: [{ find: "regressed: lost === 0 ? null :", replace: "regressed: lost >= 0 ? null :" }],
    catcher: simulatorWith("database restored"),
  },
  {
    name: "a stream may be opened by whoever asks",
    area: "store",
    file: "server/dist/store/open.js",
    edits: [{ find: "row.writerId !== request.writerId && !request.takeover) {", replace: "false) {" }],
    catcher: simulatorWith("stream taken over"),
  },
  {
    name: "SQLite: INSERT OR IGNORE",
    area: "store",
    file: "server/dist/store/sqlite/insert.js",
    edits: [{ find: "const head = `INSERT INTO ", replace: "const head = `INSERT OR IGNORE INTO " }],
    catcher: ON_SQLITE,
  },
  {
    name: "SQLite: the watermark is not saved",
    area: "store",
    file: "server/dist/store/sqlite/writer.js",
    edits: [{ find: "this.#streams.save(run.key, next);", replace: ";" }],
    catcher: ON_SQLITE,
  },
  {
    name: "SQLite: gaps are not written",
    area: "store",
    file: "server/dist/store/sqlite/writer.js",
    edits: [{ find: "for (const gap of admitted.gaps)", replace: "for (const gap of [])" }],
    catcher: ON_SQLITE,
  },
];

/** Planted bugs between a trainer's queue and the server's transaction. */
import { type Mutant, SIMULATOR, simulatorWith } from "./mutant.js";

const COMMITTED_ALL = `members.map(({ batches }) => ({ kind: "committed", committedSeq: batches.at(-1).lastSeq,
  counts: { stored: batches.at(-1).lastSeq, rejected: 0, gapped: 0 }, alreadyUpTo: 0, rejected: [] }))`;

export const PROTOCOL_MUTANTS: readonly Mutant[] = [
  {
    name: "acked before the commit",
    area: "protocol",
    file: "server/dist/session/session.js",
    edits: [
      {
        find: "this.#commit.enqueue(this.#queue, batch);",
        replace: "this.#commit.enqueue(this.#queue, batch); this.#listener.progress(batch.lastSeq, [], []);",
      },
    ],
    catcher: SIMULATOR,
  },
  {
    name: "a commit whose answer was lost counts as done",
    area: "protocol",
    file: "server/dist/commit/group-commit.js",
    edits: [
      {
        find: `const error = thrown instanceof StoreError ? thrown : new StoreError("refused", String(thrown), "INTERNAL");`,
        replace: `const error = thrown instanceof StoreError ? thrown : new StoreError("refused", String(thrown), "INTERNAL");
          if (error.kind === "unknownOutcome") { await this.#tellAll(members, ${COMMITTED_ALL}); return []; }`,
      },
    ],
    catcher: simulatorWith("commit lost"),
  },
  {
    name: "rows that an earlier attempt refused are not reported",
    area: "protocol",
    file: "server/dist/commit/group-commit.js",
    edits: [{ find: "if (outcome.alreadyUpTo >= first)", replace: "if (false)" }],
    catcher: simulatorWith("commit's answer lost"),
  },
  {
    name: "what is committed is not given back to the memory budget",
    area: "protocol",
    file: "server/dist/stream/ingest-call.js",
    edits: [
      {
        find: "this.#context.budget.release(cost);",
        replace: "",
      },
    ],
    catcher: SIMULATOR,
  },
  {
    name: "the client sends beyond its credit",
    area: "protocol",
    file: "client/dist/protocol/stream-machine.js",
    edits: [{ find: "if (this.#sentBytes + batch.creditBytes > this.#creditBytes)", replace: "if (false)" }],
    catcher: simulatorWith("large records"),
  },
  {
    name: "the last acked batch is sent again",
    area: "protocol",
    file: "client/dist/protocol/stream-machine.js",
    edits: [
      {
        find: "if (batch.lastSeq > committedSeq)\n                break;",
        replace: "if (batch.lastSeq >= committedSeq)\n                break;",
      },
    ],
    catcher: SIMULATOR,
  },
  {
    name: "after a lost call nothing is sent again",
    area: "protocol",
    file: "client/dist/protocol/batch-queue.js",
    edits: [{ find: "this.#unsent = this.#head;\n    }\n    /** Removes", replace: "}\n    /** Removes" }],
    catcher: simulatorWith("calls cut"),
  },
  {
    name: "a fenced writer goes on",
    area: "protocol",
    file: "client/dist/protocol/call-end.js",
    edits: [{ find: `["FENCED", "fatal"]`, replace: `["FENCED", "retry"]` }],
    catcher: simulatorWith("stream taken over"),
  },
  {
    name: "dropping from the queue leaves a hole instead of a gap",
    area: "protocol",
    file: "client/dist/protocol/batch-queue.js",
    edits: [
      {
        find: "this.#batches.splice(joins ? at - 1 : at, joins ? 2 : 1, gap);",
        replace: "this.#batches.splice(joins ? at - 1 : at, joins ? 2 : 1);",
      },
    ],
    catcher: SIMULATOR,
  },
  {
    name: "what was sent in an earlier call may become a gap",
    area: "protocol",
    file: "client/dist/protocol/stream-machine.js",
    edits: [
      {
        find: "this.#queue.dropOldestAbove(this.#progress.sentSeq, gapOf)",
        replace: "this.#queue.dropOldestAbove(0, gapOf)",
      },
    ],
    catcher: SIMULATOR,
  },
  {
    name: "a gap is declared again and again",
    area: "protocol",
    file: "client/dist/recorder/lane.js",
    edits: [
      {
        find: "this.#withheld = 0;\n        this.#settings.problems.solved",
        replace: "this.#settings.problems.solved",
      },
    ],
    catcher: SIMULATOR,
  },
  {
    name: "a dropped batch gets no gap",
    area: "protocol",
    file: "client/dist/recorder/lane.js",
    edits: [{ find: "this.#withheld += batch.count;\n            this.#dropped", replace: "this.#dropped" }],
    catcher: SIMULATOR,
  },
  {
    name: "a stream is used again by the next process",
    area: "protocol",
    file: "client/dist/recorder/recorder.js",
    edits: [{ find: "streamId: this.#newId(),", replace: `streamId: "always-the-same",` }],
    catcher: simulatorWith("trainer killed"),
  },
  {
    name: "what was open when its stream was lost is counted twice",
    area: "protocol",
    file: "client/src/recorder/lane.ts",
    edits: [
      {
        find: "#take(batch: EncodedBatch): void {\n    if (this.#stopped !== undefined) {",
        replace: "#take(batch: EncodedBatch): void {\n    if (batch === undefined) {",
      },
    ],
    catcher: { by: "test", filter: "unit/recorder/lost-records" },
  },
  {
    name: "what was dropped and then forgotten is counted twice",
    area: "protocol",
    file: "client/dist/recorder/lane.js",
    edits: [{ find: "counts.gapped - before.gapped - ownGaps", replace: "counts.gapped - ownGaps" }],
    catcher: simulatorWith("database restored"),
  },
  {
    name: "what was forgotten is counted only where the answer that says so arrives",
    area: "protocol",
    file: "client/src/recorder/lane.ts",
    edits: [
      { find: "#opened({ counts }: StreamInfo,", replace: "#opened({ regressed, counts }: StreamInfo," },
      { find: "if (lost <= 0) return;", replace: "if (regressed === undefined) return;" },
    ],
    catcher: { by: "test", filter: "unit/recorder/lost-records" },
  },
];

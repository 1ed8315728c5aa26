/** Planted bugs on the way to the disk and back. */
import { type Mutant, SIMULATOR, simulatorWith } from "./mutant.js";

export const SPILL_MUTANTS: readonly Mutant[] = [
  {
    name: "a segment is deleted once it was read",
    area: "spill",
    file: "client/dist/recorder/log-feeder.js",
    edits: [
      {
        find: "this.log.acked(Math.min(this.#link.ackedSeq, this.#link.enqueuedSeq));",
        replace: "this.log.acked(this.#link.enqueuedSeq);",
      },
    ],
    catcher: simulatorWith("trainer killed"),
  },
  {
    name: "the name of a new segment is not synced",
    area: "spill",
    file: "client/dist/spill/segment-files.js",
    edits: [{ find: "await this.#place.sync();", replace: ";" }],
    catcher: simulatorWith("trainer lost power"),
  },
  {
    name: "files are said to be synced and are not",
    area: "spill",
    file: "client/dist/spill/open-segment.js",
    edits: [{ find: "await this.#operate(() => this.disk.syncFile(this.#fd));", replace: ";" }],
    catcher: simulatorWith("trainer lost power"),
  },
  {
    name: "a sync that failed is tried again on the same file",
    area: "spill",
    file: "client/src/spill/log-writer.ts",
    edits: [
      {
        find: "const wasUnsynced = await this.#files.sync();",
        replace: "const wasUnsynced = await this.#files.sync().catch(() => this.#files.sync());",
      },
    ],
    catcher: { by: "test", filter: "unit/spill/durable" },
  },
  {
    name: "new records overtake what is spilled",
    area: "spill",
    file: "client/dist/recorder/lane.js",
    edits: [
      {
        find: "if (this.#isSpilling && hasNewAck && this.#isCaughtUp)",
        replace: "if (this.#isSpilling && hasNewAck)",
      },
    ],
    catcher: SIMULATOR,
  },
  {
    name: "what is on the line is not copied to the log",
    area: "spill",
    file: "client/dist/recorder/lane.js",
    edits: [{ find: "if (batch.firstSeq <= log.lastSeq)\n                continue;", replace: "continue;" }],
    catcher: SIMULATOR,
  },
  {
    name: "what a dead process had spilled is deleted before it is acked",
    area: "spill",
    file: "client/dist/recorder/replay.js",
    edits: [
      {
        find: "if (this.#link.ackedSeq >= this.#orphan.lastSeq)",
        replace: "if (this.#link.enqueuedSeq >= this.#orphan.lastSeq)",
      },
      { find: "this.#link.finish();", replace: "this.#link.abort();" },
    ],
    catcher: simulatorWith("trainer killed"),
  },
  {
    name: "what a dead process had spilled is not taken over",
    area: "spill",
    file: "client/dist/recorder/recorder.js",
    edits: [{ find: "this.#orphans.push(...orphans);", replace: ";" }],
    catcher: simulatorWith("trainer killed"),
  },
  {
    name: "damaged records that are to be replayed are counted twice",
    area: "spill",
    file: "client/src/recorder/replay.ts",
    edits: [
      { find: "lastSeq - ackedSeq - missingCount(log, ackedSeq);", replace: "lastSeq - ackedSeq;" },
      { find: "Math.min(this.#unsettled, appended - lost)", replace: "this.#unsettled" },
    ],
    catcher: { by: "test", filter: "unit/recorder/lost-records" },
  },
  {
    name: "damaged spilled records pass for sound ones",
    area: "spill",
    file: "client/src/spill/frame-reader.ts",
    edits: [{ find: "if (crc32(payload, this.#salt.seed) !== header.payloadCrc) {", replace: "if (false) {" }],
    catcher: { by: "test", filter: "unit/spill/damage" },
  },
];

/** What a person should know about spilling and can mend. */

export interface SpillProblem {
  readonly code: SpillProblemCode;
  /** One line: what happened, and what to do. */
  readonly message: string;
}

export type SpillProblemCode =
  /** The folder cannot be made or written: nothing is spilled. */
  | "SPILL_FOLDER_UNUSABLE"
  /** The quota is used up. */
  | "SPILL_QUOTA_FULL"
  /** The disk has less free space than is to be left to others. */
  | "SPILL_DISK_LOW"
  /** The disk or its quota is full. */
  | "SPILL_DISK_FULL"
  /** A file could not be written or synced; another one took over. */
  | "SPILL_FILE_FAILED"
  /** No file can be written or synced: what cannot be sent stays in memory, within its bound. */
  | "SPILL_MEMORY_ONLY"
  /** A batch came out of order, or is larger than any may be: a bug of the caller. */
  | "SPILL_BAD_BATCH"
  /** Files that a dead process left are damaged. */
  | "SPILL_DAMAGED"
  /** Files that a later version left are not touched. */
  | "SPILL_UNKNOWN_VERSION"
  /** Whether the owner of a folder lives cannot be found out. */
  | "SPILL_OWNER_UNKNOWN"
  /** What a dead process left could not be taken over. */
  | "SPILL_ADOPT_FAILED";

/** Says each code once. */
export class SpillProblems {
  readonly #onProblem: (problem: SpillProblem) => void;
  readonly #said = new Set<SpillProblemCode>();

  constructor(onProblem: (problem: SpillProblem) => void) {
    this.#onProblem = onProblem;
  }

  say(code: SpillProblemCode, message: string): void {
    if (this.#said.has(code)) return;
    this.#said.add(code);
    try {
      this.#onProblem({ code, message });
    } catch (error) {
      // Spilling goes on whatever a listener does.
      process.emitWarning(error instanceof Error ? error : String(error), "TailkeepListenerWarning");
    }
  }
}

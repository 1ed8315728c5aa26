/** What a state store tells a person: once each, to listeners, or as a process warning where there are none. */

import { Listeners } from "../ingest/listeners.js";

/** Something a person should know and can mend. The trainer goes on. */
export interface StateProblem {
  /**
   * Stable, upper case. FOLDER_FAILED: the folder cannot be read or written. FILE_SET_ASIDE: a file in it is damaged or
   * foreign. OWNERSHIP_LOST: this process was silent for so long that another took its pending documents over.
   * REFUSED: the server will not take a pending document. COUNT_DOUBTFUL: it cannot be told whether an increment is
   * already in, so it was not repeated. NOT_RECONCILED: a pending document cannot be written now. MERGE_FAILED: the conflict function threw.
   * LOST_AT_CLOSE: a document was only in memory when the store was closed.
   */
  readonly code: StateProblemCode;
  /** One line: what happened, and what to do. */
  readonly message: string;
  /** The document's full name, where it is about one. */
  readonly name?: string | undefined;
  readonly cause?: unknown;
}

/** What kind of problem; see `StateProblem.code`. */
export type StateProblemCode =
  | "FOLDER_FAILED"
  | "FILE_SET_ASIDE"
  | "OWNERSHIP_LOST"
  | "REFUSED"
  | "COUNT_DOUBTFUL"
  | "NOT_RECONCILED"
  | "MERGE_FAILED"
  | "LOST_AT_CLOSE";

/** Codes that stand for a lasting condition: told when it begins, not at each document that meets it. */
const LASTING: ReadonlySet<StateProblemCode> = new Set(["FOLDER_FAILED", "NOT_RECONCILED"]);

export class StateProblems {
  readonly #listeners = new Listeners<StateProblem>();
  readonly #lasting = new Set<StateProblemCode>();

  add(listener: (problem: StateProblem) => void): () => void {
    return this.#listeners.add(listener);
  }

  report(problem: StateProblem): void {
    if (this.#lasting.has(problem.code)) return;
    if (LASTING.has(problem.code)) this.#lasting.add(problem.code);
    if (!this.#listeners.isEmpty) this.#listeners.emit(problem);
    else process.emitWarning(problem.message, { type: "TailkeepWarning", code: problem.code });
  }

  /** It is over; should it come again, it is told again. */
  solved(code: StateProblemCode): void {
    this.#lasting.delete(code);
  }
}

/** What an error says, in one line. */
export function wordsOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split("\n", 1)[0] ?? "";
}

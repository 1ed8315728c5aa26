import { Listeners } from "../ingest/listeners.js";

/** Something a person should know and can mend. Data may be at stake; the trainer goes on. */
export interface Problem {
  /** Stable, upper case. */
  readonly code: string;
  /** One line: what happened, and what to do. */
  readonly message: string;
}

/** Tells each problem once: to the listeners, or as a process warning where there is none. */
export class Problems {
  readonly #listeners = new Listeners<Problem>();
  readonly #said = new Set<string>();

  add(listener: (problem: Problem) => void): () => void {
    return this.#listeners.add(listener);
  }

  report(problem: Problem): void {
    if (this.#said.has(problem.code)) return;
    this.#said.add(problem.code);
    if (!this.#listeners.isEmpty) this.#listeners.emit(problem);
    else process.emitWarning(problem.message, { type: "TailkeepWarning", code: problem.code });
  }

  /** It is over; should it come again, it is told again. */
  solved(code: string): void {
    this.#said.delete(code);
  }
}

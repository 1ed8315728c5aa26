/** What happens when a document was changed here while the server was away, and by somebody else in the database. */

import { Listeners } from "../ingest/listeners.js";
import type { JsonValue } from "../records/training-record.js";
import { badField } from "./values.js";

/**
 * One value out of three, each undefined where there was no document (the base also where it is not known). Called
 * synchronously. Undefined as the result leaves theirs as they are.
 */
export type MergeConflict = (
  base: JsonValue | undefined,
  ours: JsonValue | undefined,
  theirs: JsonValue | undefined,
) => JsonValue | undefined;

/**
 * - `theirs`: what is in the database stays. Nobody's work is overwritten by somebody who had not seen it.
 * - `ours`: what was put here replaces it.
 * - a function: its result replaces it.
 */
export type ConflictPolicy = "theirs" | "ours" | MergeConflict;

/** A conflict that was resolved. Neither side is lost: both are here, and in the file. */
export interface StateConflict {
  /** The document's full name. */
  readonly name: string;
  /** What is in the database now. */
  readonly resolution: "theirs" | "ours" | "merged";
  /** What the change here was made on; undefined if there was nothing, or it is not known. */
  readonly base: JsonValue | undefined;
  /** What was put here; undefined: it was deleted here. */
  readonly ours: JsonValue | undefined;
  /** What was found in the database; undefined: it was deleted there. */
  readonly theirs: JsonValue | undefined;
  /** The function's result, if there is one. */
  readonly merged: JsonValue | undefined;
  /** Where both sides are kept as JSON; undefined if the folder cannot be written. */
  readonly file: string | undefined;
}

export function checkPolicy(policy: ConflictPolicy): ConflictPolicy {
  if (policy === "theirs" || policy === "ours" || typeof policy === "function") return policy;
  throw badField(`conflict must be "theirs", "ours" or a function, but is ${String(policy)}`);
}

/** Tells of conflicts; as a process warning where nobody listens. */
export class Conflicts {
  readonly #listeners = new Listeners<StateConflict>();
  #count = 0;

  /** So far. */
  get count(): number {
    return this.#count;
  }

  add(listener: (conflict: StateConflict) => void): () => void {
    return this.#listeners.add(listener);
  }

  report(conflict: StateConflict): void {
    this.#count++;
    if (!this.#listeners.isEmpty) {
      this.#listeners.emit(conflict);
      return;
    }
    const { name, resolution, file } = conflict;
    const kept = file === undefined ? "the other side could not be kept" : `both sides are in ${file}`;
    process.emitWarning(
      `the document ${name} was changed here and in the database while the server was away: ${resolution} won; ${kept}`,
      { type: "TailkeepWarning", code: "STATE_CONFLICT" },
    );
  }
}

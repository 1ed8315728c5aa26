/**
 * Brings what is pending into the database, each step by compare-and-set, so that it may be repeated after any failure.
 *
 * A replacement is written if the database still has what it was based on, or an earlier attempt of our own whose answer
 * was lost; if the database has moved on otherwise, that is a conflict. Increments are added to whatever is there; the
 * document's marker tells which of them it already has.
 */

import { InvalidArgumentError, VersionMismatchError } from "../errors/errors.js";
import type { JsonValue } from "../records/training-record.js";
import type { ConflictPolicy, Conflicts, StateConflict } from "./conflict.js";
import { addToText } from "./counts.js";
import { marked, ownText, presenceOf } from "./marker.js";
import { openMarker } from "./open-marker.js";
import { attempted, type Pending, type Replacement, type SealedBatch } from "./pending.js";
import { type StateProblems, wordsOf } from "./problems.js";
import type { Patience, RemoteDocument, RemoteDocuments } from "./remote-documents.js";
import type { StateFolder } from "./state-folder.js";
import { digestOf, parsed, sameValue } from "./values.js";

/** A pending in memory. */
export interface Held {
  pending: Pending;
  /** Whether its file says the same. */
  isKept: boolean;
}

export interface ReconcilerParts {
  readonly remote: RemoteDocuments;
  readonly folder: StateFolder;
  readonly policy: ConflictPolicy;
  readonly conflicts: Conflicts;
  readonly problems: StateProblems;
  /** Writes the file of a pending that has changed, if it can be. */
  readonly keep: (held: Held) => Promise<void>;
  /** The database said this of a document. */
  readonly learned: (name: string, document: RemoteDocument) => Promise<void>;
}

export class Reconciler {
  readonly #parts: ReconcilerParts;

  constructor(parts: ReconcilerParts) {
    this.#parts = parts;
  }

  /** Rejects if it could not be done now; what is done is no longer in `held.pending` then. */
  async settle(held: Held, patience: Patience): Promise<void> {
    while (held.pending.replacement !== undefined) await this.#replace(held, held.pending.replacement, patience);
    while (held.pending.sealed !== undefined || held.pending.open !== undefined) await this.#count(held, patience);
  }

  async #replace(held: Held, replacement: Replacement, patience: Patience): Promise<void> {
    const { remote, learned } = this.#parts;
    const { name } = held.pending;
    const theirs = await remote.read(name, patience);
    const verdict = judge(replacement, theirs);
    if (verdict === "settled") {
      await learned(name, theirs);
      change(held, { replacement: undefined });
      return;
    }
    if (verdict === "conflict") {
      await this.#resolve(held, replacement, theirs);
      return;
    }
    // From here on only what we see now counts as the base.
    const sent = attempted(verdict === "unchanged" ? replacement : { ...replacement, base: theirs, attempts: [] });
    try {
      const { text } = replacement;
      const written =
        text === undefined
          ? await remote.delete(name, theirs.version, patience)
          : await remote.write(name, text, theirs.marker, theirs.version, patience);
      await learned(name, written);
      change(held, { replacement: undefined });
    } catch (error) {
      if (error instanceof VersionMismatchError) {
        await patience.giveWay();
        return;
      }
      if (error instanceof InvalidArgumentError) {
        await this.#refused(held, error, { ours: jsonOf(replacement.text), theirs: jsonOf(theirs.text) });
        change(held, { replacement: undefined });
        return;
      }
      change(held, { replacement: sent });
      await this.#parts.keep(held);
      throw error;
    }
  }

  async #resolve(held: Held, replacement: Replacement, theirs: RemoteDocument): Promise<void> {
    const { name } = held.pending;
    const sides = {
      base: jsonOf(replacement.base.text),
      ours: jsonOf(replacement.text),
      theirs: jsonOf(theirs.text),
    };
    const { resolution, text } = this.#decide(name, replacement, theirs);
    const merged = resolution === "merged" ? jsonOf(text) : undefined;
    const file = await this.#parts.folder.keepConflict(name, { resolution, ...sides, merged });
    if (resolution === "theirs") {
      await this.#parts.learned(name, theirs);
      change(held, { replacement: undefined });
    } else {
      change(held, { replacement: { text, base: theirs, attempts: [] } });
      await this.#parts.keep(held);
    }
    this.#parts.conflicts.report({ name, resolution, ...sides, merged, file });
  }

  #decide(
    name: string,
    replacement: Replacement,
    theirs: RemoteDocument,
  ): { resolution: StateConflict["resolution"]; text: string | undefined } {
    const { policy, problems } = this.#parts;
    const keepTheirs = { resolution: "theirs", text: theirs.text } as const;
    if (policy === "theirs") return keepTheirs;
    if (policy === "ours") return { resolution: "ours", text: replacement.text };
    try {
      // Copies: the function may change what it gets.
      const merged = policy(jsonOf(replacement.base.text), jsonOf(replacement.text), jsonOf(theirs.text));
      return merged === undefined ? keepTheirs : { resolution: "merged", text: ownText(merged) };
    } catch (error) {
      problems.report({
        code: "MERGE_FAILED",
        message: `the conflict function failed for ${name} (${wordsOf(error)}): what is in the database stays`,
        name,
        cause: error,
      });
      return keepTheirs;
    }
  }

  async #count(held: Held, patience: Patience): Promise<void> {
    const { remote, learned, keep } = this.#parts;
    const { name, writer, open } = held.pending;
    const document = await remote.read(name, patience);
    const { marker, version } = document;
    let sealed = held.pending.sealed ?? (open as SealedBatch);
    const presence = presenceOf(marker, version, writer, sealed.seq, sealed.attemptedVersion);
    if (presence === "present") {
      await learned(name, document);
      change(held, { ...rest(held), sealed: undefined });
      return;
    }
    if (presence === "unknown") {
      await this.#doubtful(held, sealed, document);
      return;
    }
    let text: string;
    try {
      text = addToText(document.text, sealed.by);
    } catch (error) {
      await this.#refused(held, error, { increments: Object.fromEntries(sealed.by), theirs: jsonOf(document.text) });
      change(held, { ...rest(held), sealed: undefined });
      return;
    }
    try {
      if (marker === undefined) {
        await learned(name, await openMarker(remote, name, document, patience));
        return;
      }
      sealed = { ...sealed, attemptedVersion: version };
      change(held, { ...rest(held), sealed });
      // A successor must know that, and at which version, it may have happened.
      await keep(held);
      const next = marked(marker, writer, sealed.seq, version + 1);
      await learned(name, await remote.write(name, text, next, version, patience));
      change(held, { sealed: undefined });
    } catch (error) {
      if (error instanceof VersionMismatchError) {
        await patience.giveWay();
      } else if (error instanceof InvalidArgumentError) {
        await this.#refused(held, error, { increments: Object.fromEntries(sealed.by), theirs: jsonOf(document.text) });
        change(held, { ...rest(held), sealed: undefined });
      } else throw error;
    }
  }

  async #doubtful(held: Held, sealed: SealedBatch, document: RemoteDocument): Promise<void> {
    const { name } = held.pending;
    const increments = Object.fromEntries(sealed.by);
    const file = await this.#parts.folder.keepConflict(name, { increments, theirs: jsonOf(document.text) });
    change(held, { ...rest(held), sealed: undefined });
    this.#parts.problems.report({
      code: "COUNT_DOUBTFUL",
      message:
        `${name} was written so often, or by something else than a state store, that it cannot be told whether it has ` +
        `the increments ${JSON.stringify(increments)}: they were not repeated${file === undefined ? "" : `; see ${file}`}`,
      name,
    });
  }

  /** It will never be taken: out of the way with it, so that what comes after it is not held up. */
  async #refused(held: Held, error: unknown, content: object): Promise<void> {
    const { name } = held.pending;
    const file = await this.#parts.folder.keepConflict(name, { refused: wordsOf(error), ...content });
    this.#parts.problems.report({
      code: "REFUSED",
      message:
        `a change of ${name} from the time when the server was away cannot be made (${wordsOf(error)}): ` +
        `${file === undefined ? "it is lost" : `it is kept in ${file}`}`,
      name,
      cause: error,
    });
  }
}

type Verdict = "settled" | "unchanged" | "ours-before" | "conflict";

function judge({ text, base, attempts }: Replacement, theirs: RemoteDocument): Verdict {
  if (sameValue(text, theirs.text)) return "settled";
  // A base that is only known by its version has no time.
  const isSameTime = base.updatedAtUs === 0 || base.updatedAtUs === theirs.updatedAtUs;
  if (theirs.version === base.version && isSameTime) return "unchanged";
  if (theirs.version !== base.version + 1 && theirs.version !== 0) return "conflict";
  const digest = digestOf(theirs.text);
  const isOurs = attempts.some((attempt) => {
    if (attempt.kind === "value") return attempt.digest === digest;
    const entry = theirs.marker?.writers.get(attempt.writer);
    return entry?.seq === attempt.seq && entry.version === theirs.version;
  });
  return isOurs ? "ours-before" : "conflict";
}

/** What is left once a sealed batch leaves: an open one that became it, or that is still to come. */
function rest({ pending }: Held): Pick<Pending, "open"> {
  return { open: pending.sealed === undefined ? undefined : pending.open };
}

function change(held: Held, by: Partial<Pending>): void {
  held.pending = { ...held.pending, ...by };
  held.isKept = false;
}

function jsonOf(text: string | undefined): JsonValue | undefined {
  return text === undefined ? undefined : parsed(text);
}

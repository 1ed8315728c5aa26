/**
 * The operations on one document, by its full name and as JSON text.
 *
 * Each tries the database first. What is pending for the document goes there before anything new, so that the database is
 * only ever read or written when this process has nothing to add. When the server is away, or does not answer in time,
 * the change becomes pending; whether it happened all the same is decided later (see reconcile.ts).
 */

import type { Clock } from "../clock.js";
import { VersionMismatchError } from "../errors/errors.js";
import { STATE_ATTEMPTS_MAX } from "../limits.js";
import { Circuit, isAway } from "./circuit.js";
import type { ConflictPolicy, Conflicts } from "./conflict.js";
import { type CountCall, type CountResult, reject, sumUp } from "./count-calls.js";
import type { Amounts } from "./counts.js";
import { type Marker, marked } from "./marker.js";
import { openMarker } from "./open-marker.js";
import type { Base } from "./pending.js";
import { PendingBook } from "./pending-book.js";
import type { EngineWrite } from "./places.js";
import type { StateProblems } from "./problems.js";
import { Reconciler } from "./reconcile.js";
import { Patience, PatienceOver, type RemoteDocument, type RemoteDocuments } from "./remote-documents.js";
import { SeenDocuments } from "./seen-documents.js";
import type { StateFolder } from "./state-folder.js";
import { Turns } from "./turns.js";

export interface EngineParts {
  readonly clock: Clock;
  readonly remote: RemoteDocuments;
  readonly folder: StateFolder;
  readonly policy: ConflictPolicy;
  readonly conflicts: Conflicts;
  readonly problems: StateProblems;
  readonly patienceMs: number;
  /** Rejects while the server is away. */
  readonly ask: () => Promise<void>;
  readonly onBack: () => void;
  /** Something is pending although the server is there. */
  readonly onLate: () => void;
  /** Something ended that somebody may wait for. */
  readonly onProgress: () => void;
}

/** A document as this process sees it. */
export interface EngineRead {
  readonly text: string | undefined;
  readonly version: number;
  readonly updatedAtUs: number;
  readonly place: "database" | "folder";
}

export class StateEngine {
  readonly circuit: Circuit;
  readonly book: PendingBook;
  readonly turns: Turns;
  readonly #parts: EngineParts;
  readonly #seen: SeenDocuments;
  readonly #reconciler: Reconciler;

  constructor(parts: EngineParts) {
    const { clock, folder, problems } = parts;
    this.#parts = parts;
    this.circuit = new Circuit(clock, parts);
    this.book = new PendingBook(folder, problems, () => clock.nowMs());
    this.turns = new Turns(parts.onProgress);
    this.#seen = new SeenDocuments(folder);
    this.#reconciler = new Reconciler({
      ...parts,
      keep: (held) => this.book.keep(held),
      learned: (name, document) => this.#seen.learn(name, document),
    });
  }

  read(name: string): Promise<EngineRead> {
    return this.turns.take(name, async () => {
      const document = await this.#online(name, async (patience) => {
        const read = await this.#parts.remote.read(name, patience);
        await this.#seen.learn(name, read);
        return read;
      });
      if (document !== AWAY) return { ...document, place: "database" };
      const known = await this.#seen.known(name);
      return { ...known, text: this.book.view(name, known.text), place: "folder" };
    });
  }

  /** Of replacements that wait one behind the other only the last is written. @param text Undefined deletes the document. */
  replace(name: string, text: string | undefined): Promise<EngineWrite> {
    const last = this.turns.joinable(name);
    if (last instanceof WaitingReplacement && last.result !== undefined) {
      last.text = text;
      return last.result;
    }
    const own = new WaitingReplacement(text);
    own.result = this.turns.take(name, () => this.#change(name, () => own.text), own);
    return own.result;
  }

  /** @param make May be called several times. Undefined leaves the document as it is. */
  update(
    name: string,
    make: (text: string | undefined) => string | undefined,
  ): Promise<EngineWrite & { text: string | undefined }> {
    return this.turns.take(name, async () => {
      let text: string | undefined;
      const write = await this.#change(
        name,
        (before) => {
          text = make(before);
          return text ?? UNCHANGED;
        },
        "fresh",
      );
      return { ...write, text };
    });
  }

  /** Increments that wait one behind the other are added up, and written at once. */
  count(name: string, by: Amounts): Promise<CountResult> {
    return new Promise((resolve, reject) => {
      const call = { by, resolve, reject };
      const last = this.turns.joinable(name);
      if (last instanceof WaitingCounts) {
        last.calls.push(call);
        return;
      }
      const own = new WaitingCounts([call]);
      this.turns
        .take(name, () => this.#count(name, own.calls), own)
        .catch((error: unknown) => {
          for (const each of own.calls) each.reject(error);
        });
    });
  }

  /** Brings what is pending for a document into the database. Rejects if that is not possible now. */
  reconcile(name: string, patienceMs: number): Promise<void> {
    return this.turns.take(name, () => this.#settle(name, new Patience(this.#parts.clock, patienceMs)));
  }

  /** Documents without their values, by name. */
  async list(prefix: string, limit: number): Promise<Map<string, Base>> {
    const { remote, folder, clock, patienceMs } = this.#parts;
    const listed = await this.#asked(() => remote.list(prefix, limit, new Patience(clock, patienceMs)));
    const found = new Map<string, Base>();
    if (listed !== AWAY) {
      for (const item of listed) found.set(item.name, { ...item, text: undefined });
    } else {
      for (const name of await folder.documentNames()) {
        if (name.startsWith(prefix)) found.set(name, await this.#seen.known(name));
      }
    }
    for (const name of this.book.names()) {
      if (!name.startsWith(prefix)) continue;
      const known = await this.#seen.known(name);
      if (this.book.view(name, known.text) === undefined) found.delete(name);
      else if (!found.has(name)) found.set(name, known);
    }
    return found;
  }

  /** Writes the files of what is only in memory so far, if that is possible by now. */
  async keepAgain(): Promise<void> {
    for (const name of this.book.unkept()) await this.turns.take(name, () => this.book.keepAll(name));
  }

  /** Does it with the server, after what is pending; AWAY if that is not possible now. */
  #online<Result>(name: string, work: (patience: Patience) => Promise<Result>): Promise<Result | typeof AWAY> {
    return this.#asked(async () => {
      const patience = new Patience(this.#parts.clock, this.#parts.patienceMs);
      await this.#settle(name, patience);
      return await work(patience);
    });
  }

  /** What the server answers, or AWAY. Throws what it refuses, and what the caller's own functions throw. */
  async #asked<Result>(question: () => Promise<Result>): Promise<Result | typeof AWAY> {
    if (this.circuit.isAway) return AWAY;
    try {
      const result = await question();
      this.circuit.answered();
      return result;
    } catch (error) {
      if (error instanceof CallerError) throw error.cause;
      if (error instanceof PatienceOver) this.#parts.onLate();
      else if (isAway(error)) this.circuit.lost(error);
      else throw error;
      return AWAY;
    }
  }

  async #settle(name: string, patience: Patience): Promise<void> {
    for (let held = this.book.head(name); held !== undefined; held = this.book.head(name)) {
      try {
        await this.#reconciler.settle(held, patience);
      } catch (error) {
        if (!held.isKept) await this.book.keep(held);
        throw error;
      }
      await this.book.drop(name, held);
    }
  }

  async #change(
    name: string,
    make: (text: string | undefined) => string | undefined | typeof UNCHANGED,
    needs: Needs = "version",
  ): Promise<EngineWrite> {
    let sent: { readonly text: string | undefined; readonly known: RemoteDocument } | undefined;
    const written = await this.#online(name, async (patience) => {
      for (let attempt = 1; ; attempt++) {
        const known = await this.#knownOrRead(name, needs, patience);
        const text = ofCaller(() => make(known.text));
        if (text === UNCHANGED || (text === undefined && known.version === 0)) return known;
        try {
          sent = { text, known };
          const document = await this.#write(name, text, known, patience);
          await this.#seen.learn(name, document);
          return document;
        } catch (error) {
          if (error instanceof PatienceOver) sent = undefined;
          if (!(error instanceof VersionMismatchError)) throw error;
          sent = undefined;
          this.#seen.forget(name);
          if (attempt < STATE_ATTEMPTS_MAX) await patience.giveWay();
          if (attempt >= STATE_ATTEMPTS_MAX || patience.isOver) throw contended(name, error);
        }
      }
    });
    if (written !== AWAY) return { place: "database", version: written.version };
    if (sent !== undefined) {
      const { text, known } = sent;
      return {
        place: await this.book.replace(name, text, await this.#withText(name, known), true),
        version: undefined,
      };
    }
    const known = await this.#seen.known(name);
    const text = make(this.book.view(name, known.text));
    if (text === UNCHANGED) return { place: "folder", version: undefined };
    return { place: await this.book.replace(name, text, known, false), version: undefined };
  }

  #write(name: string, text: string | undefined, known: RemoteDocument, patience: Patience): Promise<RemoteDocument> {
    const { remote } = this.#parts;
    if (text === undefined) return remote.delete(name, known.version, patience);
    return remote.write(name, text, known.marker, known.version, patience);
  }

  async #count(name: string, calls: CountCall[]): Promise<void> {
    let sent:
      | { readonly writer: string; readonly seq: number; readonly by: Amounts; readonly version: number }
      | undefined;
    const written = await this.#online(name, async (patience) => {
      const { writer, seq } = this.book.nextCount();
      let needs: Needs = "text";
      for (;;) {
        const known = await this.#knownOrRead(name, needs, patience);
        const { text, by, done, misfits } = sumUp(known.text, calls);
        // Perhaps they fit what is there by now.
        if (misfits.length > 0 && needs !== "fresh") {
          needs = "fresh";
          continue;
        }
        reject(misfits, calls);
        if (done.length === 0) return { done, version: known.version };
        try {
          if (known.marker === undefined) {
            await this.#seen.learn(name, await openMarker(this.#parts.remote, name, known, patience));
            continue;
          }
          const marker: Marker = marked(known.marker, writer, seq, known.version + 1);
          sent = { writer, seq, by, version: known.version };
          const document = await this.#parts.remote.write(name, text, marker, known.version, patience);
          await this.#seen.learn(name, document);
          return { done, version: document.version };
        } catch (error) {
          if (error instanceof PatienceOver) sent = undefined;
          if (!(error instanceof VersionMismatchError)) throw error;
          sent = undefined;
          this.#seen.forget(name);
          await patience.giveWay();
        }
      }
    });
    if (written !== AWAY) {
      for (const { call, values } of written.done)
        call.resolve({ place: "database", version: written.version, values });
      return;
    }
    const known = await this.#seen.known(name);
    const { by, done, misfits } = sumUp(this.book.view(name, known.text), calls);
    reject(misfits, calls);
    if (done.length === 0) return;
    const place = await (sent === undefined
      ? this.book.count(name, by)
      : this.book.countSent(name, sent.writer, { seq: sent.seq, by: sent.by, attemptedVersion: sent.version }));
    for (const { call, values } of done) call.resolve({ place, version: undefined, values });
  }

  /** What the database has, or had when it last said so: a compare-and-set shows whether it still has. */
  async #knownOrRead(name: string, needs: Needs, patience: Patience): Promise<RemoteDocument> {
    const seen = needs === "fresh" ? undefined : this.#seen.get(name);
    if (seen !== undefined && (needs === "version" || seen.version === 0 || seen.text !== undefined)) return seen;
    const read = await this.#parts.remote.read(name, patience);
    await this.#seen.learn(name, read);
    return read;
  }

  /** The base of a write whose answer was lost, with the value that a merge wants to see. */
  async #withText(name: string, known: RemoteDocument): Promise<Base> {
    const { version, updatedAtUs, text } = known;
    if (text !== undefined || version === 0) return { version, updatedAtUs, text };
    const copy = await this.#seen.known(name);
    return { version, updatedAtUs, text: copy.version === version ? copy.text : undefined };
  }
}

class WaitingReplacement {
  text: string | undefined;
  result: Promise<EngineWrite> | undefined;

  constructor(text: string | undefined) {
    this.text = text;
  }
}

class WaitingCounts {
  readonly calls: CountCall[];

  constructor(calls: CountCall[]) {
    this.calls = calls;
  }
}

/** A put overwrites whatever the value is; a function of the caller sees no old one; a sum may be tried on one. */
type Needs = "version" | "text" | "fresh";

const AWAY = Symbol("away");
const UNCHANGED = Symbol("unchanged");

/** What a function of the caller threw, on its way through code that knows only errors of the server. */
class CallerError extends Error {}

function ofCaller<Result>(call: () => Result): Result {
  try {
    return call();
  } catch (cause) {
    throw new CallerError("", { cause });
  }
}

function contended(name: string, cause: unknown): VersionMismatchError {
  return new VersionMismatchError(`${name} is written by others all the time: do it again when they pause`, {
    code: "STATE_CONTENDED",
    retryable: false,
    grpcStatus: 10,
    cause,
  });
}

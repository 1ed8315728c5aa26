/** Everything that this process has pending, by document: in memory, and in its files where they can be written. */

import { ResourceExhaustedError } from "../errors/errors.js";
import { STATE_PENDING_BYTES_MAX, STATE_PENDING_DOCUMENTS_MAX } from "../limits.js";
import type { Amounts } from "./counts.js";
import {
  attempted,
  type Base,
  counted,
  isDone,
  type Pending,
  replaced,
  type SealedBatch,
  viewOf,
  weightOf,
} from "./pending.js";
import { PendingFiles } from "./pending-files.js";
import type { StateProblems } from "./problems.js";
import type { Held } from "./reconcile.js";
import type { StateFolder } from "./state-folder.js";

/** Where a change is that is not in the database yet. */
export type LocalPlace = "folder" | "memory";

/** A second time would already be a wonder. */
const ROBBED_MAX = 3;

export class PendingBook {
  readonly #files: PendingFiles;
  readonly #byName = new Map<string, readonly Held[]>();
  readonly #bytesByName = new Map<string, number>();
  #bytes = 0;
  #lastSeq = 0;

  constructor(folder: StateFolder, problems: StateProblems, nowMs: () => number) {
    this.#files = new PendingFiles(folder, problems, nowMs, () => {
      for (const list of this.#byName.values()) for (const held of list) held.isKept = false;
    });
  }

  /** Documents with something pending. */
  get size(): number {
    return this.#byName.size;
  }
  get bytes(): number {
    return this.#bytes;
  }
  names(): string[] {
    return [...this.#byName.keys()];
  }
  /** What comes first for a document. */
  head(name: string): Held | undefined {
    return this.#byName.get(name)?.[0];
  }
  has(name: string): boolean {
    return this.#byName.has(name);
  }
  /** Names of documents whose change is only in memory. */
  unkept(): string[] {
    return this.names().filter((name) => this.#listOf(name).some(({ isKept }) => !isKept));
  }

  /** The document's text after everything pending. */
  view(name: string, text: string | undefined): string | undefined {
    return viewOf(
      text,
      this.#listOf(name).map(({ pending }) => pending),
    );
  }

  /** This process as a writer of increments, and the number of its next one. */
  nextCount(): { readonly writer: string; readonly seq: number } {
    return { writer: this.#files.owner, seq: this.#nextSeq() };
  }

  /** @param known What the database had, as far as known. @param wasSent Expecting that, and the answer was lost. */
  async replace(name: string, text: string | undefined, known: Base, wasSent: boolean): Promise<LocalPlace> {
    const place = await this.#change(name, (list, own) => {
      const next = replaced(
        list.map(({ pending }) => pending),
        own,
        text,
        known,
      );
      return wasSent && next.replacement ? { ...next, replacement: attempted(next.replacement) } : next;
    });
    // Now that the new file is there, it stands for all of them.
    const list = this.#listOf(name);
    for (const held of list.slice(0, -1)) await this.drop(name, held);
    return place;
  }

  async count(name: string, by: Amounts): Promise<LocalPlace> {
    return await this.#change(name, (_list, own) => counted(own, by, () => this.#nextSeq()));
  }

  /** An increment that was sent and not answered. */
  async countSent(name: string, writer: string, sealed: SealedBatch): Promise<LocalPlace> {
    return await this.#change(name, (_list, own) => ({ ...own, writer, sealed }));
  }

  /** Writes the file of a pending that changed; that it cannot be written was told before. */
  async keep(held: Held): Promise<void> {
    for (let attempt = 0; attempt < ROBBED_MAX; attempt++) {
      const { pending } = held;
      const outcome = await this.#files.write(pending);
      if (outcome === "written" && held.pending === pending) held.isKept = true;
      if (outcome !== "robbed") return;
    }
  }

  /** Writes all files of a document that do not say what memory does. */
  async keepAll(name: string): Promise<void> {
    for (const held of this.#listOf(name)) if (!held.isKept) await this.keep(held);
  }

  /** It is done. */
  async drop(name: string, held: Held): Promise<void> {
    const list = this.#listOf(name).filter((each) => each !== held);
    this.#set(name, list);
    // One writer's pending may be held twice, after its file was taken back.
    if (!list.some(({ pending }) => pending.writer === held.pending.writer)) await this.#files.remove(held.pending);
  }

  /** Takes over what dead processes left. Returns the documents' names. Never throws. */
  async adopt(): Promise<string[]> {
    const hasRoom = (): boolean => this.size < STATE_PENDING_DOCUMENTS_MAX && this.#bytes < STATE_PENDING_BYTES_MAX / 2;
    const adopted = await this.#files.adopt(hasRoom);
    for (const pending of adopted) {
      const list = this.#listOf(pending.name);
      // What others left came before what this process does now.
      const at = list.findIndex((held) => held.pending.writer === this.#files.owner);
      const held: Held = { pending, isKept: true };
      this.#set(pending.name, at < 0 ? [...list, held] : list.toSpliced(at, 0, held));
    }
    for (const { name } of adopted) {
      const list = this.#listOf(name);
      const superseded = new Set(list.flatMap(({ pending }) => pending.supersedes));
      for (const held of list) {
        if (superseded.has(held.pending.writer) || isDone(held.pending)) await this.drop(name, held);
      }
    }
    return adopted.map(({ name }) => name).filter((name) => this.has(name));
  }

  /** Shows that this process lives. */
  async beat(): Promise<void> {
    await this.#files.beat();
  }

  /** What is in files is left to whoever comes next. */
  async release(): Promise<void> {
    await this.#files.release();
  }

  async #change(name: string, make: (list: readonly Held[], own: Pending) => Pending): Promise<LocalPlace> {
    for (let attempt = 1; ; attempt++) {
      const list = this.#listOf(name);
      // Only what bears the present id is added to: another's file may be known to more than one process.
      const own = list.findLast(({ pending }) => pending.writer === this.#files.owner);
      const next = make(list, own?.pending ?? this.#fresh(name));
      this.#checkRoom(name, next, own);
      const outcome = await this.#files.write(next);
      if (outcome === "robbed" && attempt < ROBBED_MAX) continue;
      const isKept = outcome === "written";
      this.#set(name, [...list.filter((held) => held !== own), { pending: next, isKept }]);
      return isKept ? "folder" : "memory";
    }
  }

  #fresh(name: string): Pending {
    return {
      name,
      writer: this.#files.owner,
      madeAtUs: Date.now() * 1_000,
      supersedes: [],
      replacement: undefined,
      sealed: undefined,
      open: undefined,
    };
  }

  #checkRoom(name: string, next: Pending, own: Held | undefined): void {
    const bytes = this.#bytes + weightOf(next) - (own === undefined ? 0 : weightOf(own.pending));
    if (bytes <= STATE_PENDING_BYTES_MAX && (this.has(name) || this.size < STATE_PENDING_DOCUMENTS_MAX)) return;
    throw new ResourceExhaustedError(
      `${this.size} documents of ${this.#bytes} bytes wait for the server, and there is no room for ${name}: see that ` +
        "the server comes back, or put less",
      { code: "STATE_PENDING_FULL", retryable: true, grpcStatus: 8 },
    );
  }

  #listOf(name: string): readonly Held[] {
    return this.#byName.get(name) ?? [];
  }

  #nextSeq(): number {
    return ++this.#lastSeq;
  }

  #set(name: string, list: readonly Held[]): void {
    const bytes = list.reduce((sum, { pending }) => sum + weightOf(pending), 0);
    this.#bytes += bytes - (this.#bytesByName.get(name) ?? 0);
    if (list.length === 0) {
      this.#byName.delete(name);
      this.#bytesByName.delete(name);
    } else {
      this.#byName.set(name, list);
      this.#bytesByName.set(name, bytes);
    }
  }
}

/**
 * What the database last said of each document, for the documents used last: a write that knows the version needs no read
 * before it. A copy goes to the folder, to be read while the server is away.
 */

import { STATE_SEEN_DOCUMENTS_MAX, STATE_SEEN_TEXT_LENGTH_MAX } from "../limits.js";
import type { Base } from "./pending.js";
import { NOTHING_KNOWN } from "./pending.js";
import type { RemoteDocument } from "./remote-documents.js";
import type { StateFolder } from "./state-folder.js";

/** As the database had it. A text that is too long to be remembered is undefined although the version is above 0. */
export type SeenDocument = RemoteDocument;

export class SeenDocuments {
  readonly #folder: StateFolder;
  readonly #seen = new Map<string, SeenDocument>();

  constructor(folder: StateFolder) {
    this.#folder = folder;
  }

  get(name: string): SeenDocument | undefined {
    return this.#seen.get(name);
  }

  /** The database has something else by now. */
  forget(name: string): void {
    this.#seen.delete(name);
  }

  async learn(name: string, document: RemoteDocument): Promise<void> {
    const before = this.#seen.get(name);
    const { text } = document;
    const isLong = text !== undefined && text.length > STATE_SEEN_TEXT_LENGTH_MAX;
    this.#seen.delete(name);
    this.#seen.set(name, isLong ? { ...document, text: undefined } : document);
    if (this.#seen.size > STATE_SEEN_DOCUMENTS_MAX) this.#forgetOldest();
    if (before?.version === document.version && before.updatedAtUs === document.updatedAtUs) return;
    if (text === undefined) await this.#folder.removeDocument(name);
    else await this.#folder.writeDocument(name, { ...document, text });
  }

  /** What is known without asking: the newer of memory and folder. */
  async known(name: string): Promise<Base> {
    const seen = this.#seen.get(name);
    if (seen !== undefined && (seen.text !== undefined || seen.version === 0)) return seen;
    const copy = await this.#folder.readDocument(name);
    if (seen === undefined) return copy ?? NOTHING_KNOWN;
    return copy?.version === seen.version && copy.updatedAtUs === seen.updatedAtUs ? copy : seen;
  }

  #forgetOldest(): void {
    const oldest = this.#seen.keys().next();
    if (!oldest.done) this.#seen.delete(oldest.value);
  }
}

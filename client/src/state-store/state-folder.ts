/**
 * The folder of a state store:
 *
 *   documents/<name>.json                  what the database last said; the read cache while it is away
 *   pending/<name>.<writer>.<owner>.json   what is not in the database yet (see pending-files.ts)
 *   owners/<owner>.json                    who owns pending files (see owner.ts)
 *   conflicts/<name>.<time>-<id>.json      the losing sides of conflicts, for people
 *   damaged/<file>.<time>-<id>             files that were not what they should be
 *
 * `<name>` is made by file-name.ts. All files appear whole or not at all.
 */

import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { STATE_CACHED_DOCUMENTS_MAX, STATE_CONFLICT_FILES_MAX } from "../limits.js";
import { errorCode, ownerOfTemporary, syncFolder, writeAtomically } from "./atomic-file.js";
import { openText, sealText } from "./checked-text.js";
import { fileStem, isCutStem, nameOfStem } from "./file-name.js";
import { newOwnerId } from "./owner.js";
import type { Base } from "./pending.js";
import { type StateProblems, wordsOf } from "./problems.js";

const ENDING = ".json";
const LEFTOVER_AGE_MS = 3_600_000;

/** A copy of a document of the database. */
export type CachedDocument = Base & { readonly text: string };

export class StateFolder {
  readonly path: string;
  readonly #problems: StateProblems;
  /** Files in `documents/`, about; undefined until counted. */
  #documentFiles: number | undefined;
  /** Marks the files that this process is writing; not the owner of pending files, which may change. */
  readonly #writerId = newOwnerId();

  constructor(path: string, problems: StateProblems) {
    this.path = path;
    this.#problems = problems;
  }

  /** The database's document as of the last time that any process of this folder saw it. */
  async readDocument(name: string): Promise<CachedDocument | undefined> {
    const body = await this.readChecked(this.#documentPath(name));
    if (body === undefined) return undefined;
    const { name: written, version, updatedAtUs, value } = JSON.parse(body) as DocumentFile;
    // Two names never share a file, short of a copy made by hand.
    return written === name ? { version, updatedAtUs, text: JSON.stringify(value) } : undefined;
  }

  /** Not synced: the database has it, and a copy that a crash of the machine damages is noticed. Never throws. */
  async writeDocument(name: string, { version, updatedAtUs, text }: CachedDocument): Promise<void> {
    await this.#quietly(async () => {
      const path = this.#documentPath(name);
      const head = JSON.stringify({ format: 1, name, version, updatedAtUs });
      await this.#written("documents", () =>
        writeAtomically(path, sealText(`${head.slice(0, -1)},"value":${text}}`), this.#writerId, false),
      );
      await this.#makeRoomForDocuments();
    });
  }

  async removeDocument(name: string): Promise<void> {
    await this.#quietly(() => rm(this.#documentPath(name), { force: true }));
  }

  /** Names of the documents that have a copy, in no order. */
  async documentNames(): Promise<string[]> {
    const names: string[] = [];
    for (const file of await this.filesIn("documents")) {
      if (!file.endsWith(ENDING)) continue;
      const stem = file.slice(0, -ENDING.length);
      const name = isCutStem(stem) ? await this.#nameInside(join(this.path, "documents", file)) : nameOfStem(stem);
      if (name !== undefined) names.push(name);
    }
    return names;
  }

  /**
   * Keeps what lost. Returns the file's path, or undefined where nothing can be written (a problem is reported).
   */
  async keepConflict(name: string, content: object): Promise<string | undefined> {
    const file = `${fileStem(name)}.${Date.now()}-${newOwnerId()}${ENDING}`;
    const path = join(this.path, "conflicts", file);
    try {
      const text = `${JSON.stringify({ name, at: new Date().toISOString(), ...content }, undefined, 2)}\n`;
      await this.#written("conflicts", () => writeAtomically(path, text, this.#writerId, true));
      await this.#removeOldest("conflicts", STATE_CONFLICT_FILES_MAX);
      return path;
    } catch (error) {
      this.failed(error);
      return undefined;
    }
  }

  /** What a checked file says; undefined if there is none, or none that is whole: that one is set aside. */
  async readChecked(path: string): Promise<string | undefined> {
    let bytes: Buffer;
    try {
      bytes = await readFile(path);
    } catch (error) {
      if (errorCode(error) !== "ENOENT") this.failed(error);
      return undefined;
    }
    const opened = openText(bytes);
    if ("body" in opened) return opened.body;
    await this.setAside(path, opened.wrong);
    return undefined;
  }

  /** Moves a file out of the way that is not what it should be. @param wrong The end of a sentence about it. */
  async setAside(path: string, wrong: string): Promise<void> {
    const name = path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
    const aside = join(this.path, "damaged", `${name}.${Date.now()}-${newOwnerId()}`);
    let outcome = `it was moved to ${aside}`;
    try {
      await this.#written("damaged", () => rename(path, aside));
    } catch (error) {
      // Another process was quicker.
      if (errorCode(error) === "ENOENT") return;
      outcome = `it is left alone, as it cannot be moved (${wordsOf(error)})`;
    }
    this.#problems.report({
      code: "FILE_SET_ASIDE",
      message: `${path} ${wrong}; ${outcome}: look whether something in it is needed, then delete it`,
    });
  }

  /** Removes what processes left that were killed while they wrote a copy. Never throws. */
  async removeLeftovers(): Promise<void> {
    for (const part of ["documents", "conflicts"] as const) {
      for (const file of await this.filesIn(part)) {
        if (ownerOfTemporary(file) === undefined) continue;
        const path = join(this.path, part, file);
        const ageMs = await stat(path).then(
          ({ mtimeMs }) => Date.now() - mtimeMs,
          () => 0,
        );
        // A write takes milliseconds. Should one be under way after all, it is made again.
        if (ageMs > LEFTOVER_AGE_MS) await this.#quietly(() => rm(path, { force: true }));
      }
    }
  }

  /** Names of the files in one of the folders; none if it cannot be read. */
  async filesIn(part: Part): Promise<string[]> {
    try {
      return await readdir(join(this.path, part));
    } catch (error) {
      if (errorCode(error) !== "ENOENT") this.failed(error);
      return [];
    }
  }

  /** Makes a part of the folder, durably. */
  async makePart(part: Part): Promise<string> {
    const path = join(this.path, part);
    const made = await mkdir(path, { recursive: true });
    if (made !== undefined) await syncFolder(this.path);
    return path;
  }

  failed(error: unknown): void {
    this.#problems.report({
      code: "FOLDER_FAILED",
      message:
        `the folder ${this.path} cannot be used (${wordsOf(error)}): what is put while the server is away is only in ` +
        "memory; make the folder writable and see to free space, or give another one as `folder` or TAILKEEP_STATE_DIR",
      cause: error,
    });
  }

  worked(): void {
    this.#problems.solved("FOLDER_FAILED");
  }

  #documentPath(name: string): string {
    return join(this.path, "documents", fileStem(name) + ENDING);
  }

  async #nameInside(path: string): Promise<string | undefined> {
    const body = await this.readChecked(path);
    return body === undefined ? undefined : (JSON.parse(body) as DocumentFile).name;
  }

  /** Writes, and makes the folder if that was what was missing. */
  async #written(part: Part, write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      if (errorCode(error) !== "ENOENT") throw error;
      await this.makePart(part);
      await write();
    }
  }

  async #makeRoomForDocuments(): Promise<void> {
    this.#documentFiles = (this.#documentFiles ?? (await this.filesIn("documents")).length) + 1;
    if (this.#documentFiles <= STATE_CACHED_DOCUMENTS_MAX) return;
    // Counted anew: most writes replace a file.
    this.#documentFiles = await this.#removeOldest("documents", STATE_CACHED_DOCUMENTS_MAX);
  }

  /** Beyond the limit the oldest go until a tenth is free. Returns how many are left. */
  async #removeOldest(part: Part, filesMax: number): Promise<number> {
    const files = await this.filesIn(part);
    if (files.length <= filesMax) return files.length;
    const aged = await Promise.all(
      files.map(async (file) => {
        const path = join(this.path, part, file);
        const changedAtMs = await stat(path).then(
          ({ mtimeMs }) => mtimeMs,
          () => 0,
        );
        return { path, changedAtMs };
      }),
    );
    aged.sort((a, b) => a.changedAtMs - b.changedAtMs);
    const surplus = aged.slice(0, files.length - Math.floor(0.9 * filesMax));
    for (const { path } of surplus) await rm(path, { force: true });
    return files.length - surplus.length;
  }

  async #quietly(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.failed(error);
    }
  }
}

/** The parts of the folder. */
export type Part = "documents" | "pending" | "owners" | "conflicts" | "damaged";

interface DocumentFile {
  readonly name: string;
  readonly version: number;
  readonly updatedAtUs: number;
  readonly value: unknown;
}

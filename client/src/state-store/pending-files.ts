/**
 * The pending files of one owner, and those it takes over from the dead.
 *
 * Only its owner writes a pending file, so that nothing has to be locked: two processes that change the same document
 * while the server is away have a file each, and each is reconciled by itself. When an owner dies, another process takes
 * its files over by renaming them: of several that try, one succeeds with each file. It first deletes the dead one's
 * owner file. An owner that was only silent (paused for a minute, on a machine that this one cannot look into) notices
 * that before or after its next write, and goes on under a new id: what it has in memory then exists twice, under one
 * writer and number each, which the database's documents remember, so that it is still applied once.
 */

import { readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errorCode, ownerOfTemporary, writeAtomically } from "./atomic-file.js";
import { sealText } from "./checked-text.js";
import { fileStem } from "./file-name.js";
import { newOwnerId, OWNER_ID, OwnerWatch, ownRecord, readOwnerRecord } from "./owner.js";
import { type Pending, pendingText, readPending } from "./pending.js";
import { type StateProblems, wordsOf } from "./problems.js";
import type { StateFolder } from "./state-folder.js";

/** `<stem>.<writer>.<owner>.json`; a stem has no dot. */
const FILE = /^([^.]+)\.([a-z2-7]{16})\.([a-z2-7]{16})\.json$/;

/**
 * Written: durable. Failed: only in memory; a problem is reported. Robbed: nothing was written, and the owner has a new
 * id; make the change anew.
 */
export type WriteOutcome = "written" | "failed" | "robbed";

export class PendingFiles {
  readonly #folder: StateFolder;
  readonly #problems: StateProblems;
  readonly #watch: OwnerWatch;
  readonly #onRobbed: () => void;
  #owner = newOwnerId();
  #isOwnerFileWritten = false;

  /** @param onRobbed This owner has a new id: what it holds must be written again, and not be added to. */
  constructor(folder: StateFolder, problems: StateProblems, nowMs: () => number, onRobbed: () => void) {
    this.#folder = folder;
    this.#problems = problems;
    this.#watch = new OwnerWatch(nowMs);
    this.#onRobbed = onRobbed;
  }

  /** This owner's id, which is also the writer of the increments it makes. */
  get owner(): string {
    return this.#owner;
  }

  /** Writes durably what is pending. */
  async write(pending: Pending): Promise<WriteOutcome> {
    if (this.#isOwnerFileWritten && !(await this.#isOwnerFileThere())) {
      this.#robbed();
      return "robbed";
    }
    const path = this.#path(pending);
    try {
      await this.#own();
      await writeAtomically(path, sealText(pendingText(pending)), this.#owner, true);
    } catch (error) {
      // Whoever robs an owner also clears away what it was writing, and then nothing was written.
      if (errorCode(error) === "ENOENT" && this.#isOwnerFileWritten && !(await this.#isOwnerFileThere())) {
        this.#robbed();
        return "robbed";
      }
      this.#folder.failed(error);
      return "failed";
    }
    this.#folder.worked();
    if (await this.#isOwnerFileThere()) return "written";
    this.#robbed();
    return await this.#takeBack(path, pending);
  }

  /** It is in the database, or given up. */
  async remove(pending: Pending): Promise<void> {
    try {
      await rm(this.#path(pending), { force: true });
    } catch (error) {
      this.#folder.failed(error);
    }
  }

  /** Takes over what the dead left, and their rubbish. Never throws. @param canTake Whether there is room for more. */
  async adopt(canTake: () => boolean): Promise<Pending[]> {
    const files = await this.#folder.filesIn("pending");
    const ownerFiles = await this.#folder.filesIn("owners");
    const owners = new Set(
      [
        ...ownerFiles.map((file) => file.replace(/\.json$/, "")),
        ...files.map((file) => FILE.exec(file)?.[3] ?? ownerOfTemporary(file) ?? ""),
      ].filter((owner) => OWNER_ID.test(owner)),
    );
    this.#watch.retain(owners);
    const adopted: Pending[] = [];
    for (const owner of owners) {
      if (owner === this.#owner || (await this.#isAlive(owner))) continue;
      try {
        // First: whoever was only silent notices by this.
        await rm(this.#ownerPath(owner), { force: true });
        for (const file of files) {
          if (ownerOfTemporary(file) === owner) await rm(join(this.#folder.path, "pending", file), { force: true });
          else if (FILE.exec(file)?.[3] === owner && canTake()) await this.#adoptFile(file, adopted);
        }
      } catch (error) {
        this.#folder.failed(error);
      }
    }
    return adopted.sort((a, b) => a.madeAtUs - b.madeAtUs);
  }

  /** Shows that this owner lives. Never throws. */
  async beat(): Promise<void> {
    if (!this.#isOwnerFileWritten) return;
    const now = new Date();
    // A failure is noticed at the next write, where it matters.
    await utimes(this.#ownerPath(this.#owner), now, now).catch(() => undefined);
  }

  /** The files stay; whoever comes next takes them over at once. Never throws. */
  async release(): Promise<void> {
    if (this.#isOwnerFileWritten) await rm(this.#ownerPath(this.#owner), { force: true }).catch(() => undefined);
    this.#isOwnerFileWritten = false;
  }

  async #adoptFile(file: string, adopted: Pending[]): Promise<void> {
    const [, stem = "", writer = ""] = FILE.exec(file) ?? [];
    const from = join(this.#folder.path, "pending", file);
    const to = join(this.#folder.path, "pending", `${stem}.${writer}.${this.#owner}.json`);
    await this.#own();
    try {
      await rename(from, to);
    } catch (error) {
      // Another process was quicker.
      if (errorCode(error) === "ENOENT") return;
      throw error;
    }
    const body = await this.#folder.readChecked(to);
    if (body === undefined) return;
    try {
      const pending = readPending(body);
      if (fileStem(pending.name) !== stem || pending.writer !== writer) throw new Error("has another document's name");
      adopted.push(pending);
    } catch (error) {
      await this.#folder.setAside(to, wordsOf(error));
    }
  }

  async #isAlive(owner: string): Promise<boolean> {
    try {
      const path = this.#ownerPath(owner);
      const [text, { mtimeMs }] = await Promise.all([readFile(path, "utf8"), stat(path)]);
      return this.#watch.isAlive(owner, readOwnerRecord(text), mtimeMs);
    } catch (error) {
      // Gone: it ended in order, or a process that took over its files has died meanwhile.
      return errorCode(error) !== "ENOENT";
    }
  }

  /** Makes sure that there is an owner file before there is a pending one. */
  async #own(): Promise<void> {
    if (this.#isOwnerFileWritten) return;
    await this.#folder.makePart("pending");
    await this.#folder.makePart("owners");
    await writeFile(this.#ownerPath(this.#owner), JSON.stringify(ownRecord()));
    this.#isOwnerFileWritten = true;
  }

  #robbed(): void {
    this.#isOwnerFileWritten = false;
    this.#owner = newOwnerId();
    this.#problems.report({
      code: "OWNERSHIP_LOST",
      message:
        `another process took over what this one had pending in ${this.#folder.path}, as it was silent for a minute or ` +
        "the folder was emptied: nothing is lost; give each machine a folder of its own if processes are often paused",
    });
    this.#onRobbed();
  }

  /** After a write under an id that was robbed at that moment: whoever gets hold of the file has the change. */
  async #takeBack(path: string, pending: Pending): Promise<WriteOutcome> {
    try {
      await this.#own();
      await rename(path, this.#path(pending));
      return "robbed";
    } catch (error) {
      return errorCode(error) === "ENOENT" ? "written" : "failed";
    }
  }

  async #isOwnerFileThere(): Promise<boolean> {
    try {
      await stat(this.#ownerPath(this.#owner));
      return true;
    } catch {
      return false;
    }
  }

  #path({ name, writer }: Pending): string {
    return join(this.#folder.path, "pending", `${fileStem(name)}.${writer}.${this.#owner}.json`);
  }

  #ownerPath(owner: string): string {
    return join(this.#folder.path, "owners", `${owner}.json`);
  }
}

/**
 * The spill of one process: its own folder in the base folder that all processes of a trainer share, the logs in it, and
 * what it took over from dead processes.
 *
 *   base/<owner>/<log>-<n>-<first seq>.seg     this process's segments
 *   base/<owner>/<dead owner>/...              taken over, being replayed
 *   base/quarantine/                           damaged files, for a person to look at
 *   base/fenced/                               files of streams that another writer has now
 */

import { join, resolve } from "node:path";
import { type Clock, systemClock } from "../clock.js";
import { SPILL_RETRY_MS_LAST } from "../limits.js";
import { flatten, foldersIn, removeOwnerFolder, takeDeadFolders } from "./adopt.js";
import { type Disk, nodeDisk } from "./disk.js";
import { DiskBudget } from "./disk-budget.js";
import { Lane } from "./lane.js";
import type { NumberRange } from "./number-ranges.js";
import { isOwnerFolder, machineOwners, type Owners, type OwnFolder } from "./owner.js";
import { type SpillProblem, SpillProblems } from "./problems.js";
import { quarantine } from "./quarantine.js";
import { scanFolder, segmentName } from "./scan-folder.js";
import type { StreamIdentity } from "./segment-format.js";
import type { SegmentPlace, SpillShared } from "./shared.js";
import { SpillLog, type SpillLogSettings } from "./spill-log.js";
import { type SyncPolicy, SyncSchedule } from "./sync-schedule.js";

export interface SpillOptions {
  /** Shared by all processes of a trainer. */
  readonly folder: string;
  /** Most bytes of this process and of what it took over. */
  readonly bytesMax: number;
  /** Free bytes that are left to others on the disk. */
  readonly freeBytesMin: number;
  readonly sync: SyncPolicy;
  /** Hears each code once. */
  readonly onProblem: (problem: SpillProblem) => void;
}

/** What a dead process left of one stream. */
export interface OrphanLog {
  /** To be read, acked and removed; it takes nothing. */
  readonly log: SpillLog;
  readonly identity: StreamIdentity;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Damaged ranges; the log gives a gap in the place of each. */
  readonly missing: readonly NumberRange[];
}

export class SpillFolder {
  readonly #options: SpillOptions;
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #owners: Owners;
  readonly #problems: SpillProblems;
  readonly #shared: SpillShared;
  readonly #logs = new Set<SpillLog>();
  /** Folders that were taken over and read, and those of their logs that have not ended. */
  readonly #adopted = new Map<string, Set<SpillLog>>();
  readonly #adoptions = new Lane();
  #owned: OwnFolder | undefined;
  #areFoldersNamed = false;
  #failedAtMs: number | undefined;
  #closing: Promise<void> | undefined;

  /** Touches nothing. */
  constructor(
    options: SpillOptions,
    clock: Clock = systemClock,
    disk: Disk = nodeDisk,
    owners: Owners = machineOwners,
  ) {
    this.#options = { ...options, folder: resolve(options.folder) };
    this.#disk = disk;
    this.#clock = clock;
    this.#owners = owners;
    const problems = new SpillProblems(options.onProblem);
    this.#problems = problems;
    const { bytesMax, freeBytesMin, sync } = options;
    this.#shared = {
      disk,
      clock,
      problems,
      budget: new DiskBudget({ bytesMax, freeBytesMin, disk, clock, problems, usedBytes: () => this.bytes }),
      syncPolicy: sync,
      syncs: new SyncSchedule(sync, clock),
      writes: new Lane(),
    };
  }

  /** "failed": the folder could not be made; it is tried again every now and then. */
  get state(): "unused" | "owned" | "failed" {
    if (this.#owned !== undefined) return "owned";
    return this.#failedAtMs === undefined ? "unused" : "failed";
  }

  /** On disk or on their way, of this process and of what it took over. */
  get bytes(): number {
    let sum = 0;
    for (const log of this.#logs) sum += log.bytes;
    return sum;
  }

  /** Makes a log for a stream of this process; undefined if nothing can be spilled. */
  log(identity: StreamIdentity): SpillLog | undefined {
    const owned = this.#own();
    if (owned === undefined) return undefined;
    const name = this.#newLogName();
    let segments = 0;
    const place: SegmentPlace = {
      newPath: (firstSeq) => join(owned.path, segmentName(name, ++segments, firstSeq)),
      sync: () => this.#syncNames(owned),
      syncNow: () => this.#syncNamesNow(owned),
    };
    const log = SpillLog.make(
      this.#settingsOf(identity, () => undefined),
      this.#shared,
      place,
    );
    this.#logs.add(log);
    return log;
  }

  /** Takes over what dead processes left, and returns the logs that were not returned before. Never rejects. */
  adopt(): Promise<OrphanLog[]> {
    return this.#adoptions.run(async () => {
      try {
        return this.#closing === undefined ? await this.#adopt() : [];
      } catch (error) {
        this.#sayAdoptFailed(this.#options.folder, error);
        return [];
      }
    });
  }

  /** Writes and syncs everything queued, on this thread: for the end of the process. */
  writeAllSync(): void {
    for (const log of this.#logs) log.syncSync();
  }

  /** Writes and syncs what can be, and leaves all files to a successor. Folders without any are removed. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Tells the logs of this folder apart; who takes it over knows streams by their headers. */
  #newLogName(): string {
    return Math.floor(this.#clock.random() * 2 ** 32)
      .toString(16)
      .padStart(8, "0");
  }

  #own(): OwnFolder | undefined {
    if (this.#closing !== undefined) return undefined;
    if (this.#owned !== undefined) return this.#owned;
    if (this.#failedAtMs !== undefined && this.#clock.nowMs() - this.#failedAtMs < SPILL_RETRY_MS_LAST)
      return undefined;
    try {
      this.#owned = this.#owners.make(this.#options.folder);
      this.#failedAtMs = undefined;
      this.#shared.budget.watch(this.#owned.path);
    } catch (error) {
      this.#failedAtMs = this.#clock.nowMs();
      this.#problems.say(
        "SPILL_FOLDER_UNUSABLE",
        `nothing can be spilled to ${this.#options.folder} (${String(error)}): while the server is away, records stay in ` +
          "memory, within its bound; make the folder writable, or name another one in TAILKEEP_SPILL_DIR",
      );
    }
    return this.#owned;
  }

  async #syncNames(owned: OwnFolder): Promise<void> {
    await this.#disk.syncFolder(owned.path);
    if (this.#areFoldersNamed) return;
    for (const path of owned.newFolders) await this.#disk.syncFolder(path);
    this.#areFoldersNamed = true;
  }

  #syncNamesNow(owned: OwnFolder): void {
    this.#disk.syncFolderSync(owned.path);
    if (this.#areFoldersNamed) return;
    for (const path of owned.newFolders) this.#disk.syncFolderSync(path);
    this.#areFoldersNamed = true;
  }

  async #adopt(): Promise<OrphanLog[]> {
    const { folder: base } = this.#options;
    await takeDeadFolders({
      base,
      disk: this.#disk,
      owners: this.#owners,
      problems: this.#problems,
      ownFolder: () => this.#own()?.path,
      isOwn: (name) => name === this.#owned?.id,
    });
    const own = this.#owned?.path;
    if (own === undefined) return [];
    await flatten(this.#disk, own);
    const logs: OrphanLog[] = [];
    for (const name of await foldersIn(this.#disk, own)) {
      if (!isOwnerFolder(name) || this.#adopted.has(name)) continue;
      try {
        logs.push(...(await this.#read(join(own, name), name)));
      } catch (error) {
        this.#sayAdoptFailed(join(own, name), error);
      }
    }
    return logs;
  }

  /** Reads a folder that was taken over. */
  async #read(folder: string, name: string): Promise<OrphanLog[]> {
    const found = await scanFolder(this.#disk, this.#clock, folder);
    const { damaged, unreadable, empty, foreign } = found;
    if (damaged.length + unreadable.length > 0) {
      await quarantine(this.#disk, await this.#folderFor("quarantine"), name, damaged, unreadable);
      const lost = found.logs.flatMap(({ missing }) => missing).reduce((sum, r) => sum + r.lastSeq - r.firstSeq + 1, 0);
      this.#problems.say(
        "SPILL_DAMAGED",
        `${damaged.length + unreadable.length} spill file(s) of a process that died are damaged: ${lost} record(s) are lost ` +
          "and become a declared gap in the history (what was behind the last that can be read cannot be told); everything " +
          `else is replayed; the files are kept in ${join(this.#options.folder, "quarantine")}: check the disk, and delete ` +
          "them when nobody needs them",
      );
    }
    if (foreign.length > 0) {
      this.#problems.say(
        "SPILL_UNKNOWN_VERSION",
        `${foreign[0]} was written by another version of @tailkeep/client and is left alone: run a trainer with that version ` +
          "once on this folder, or delete the file",
      );
    }
    for (const path of empty) await this.#disk.unlink(path).catch(() => undefined);
    const logs = new Set<SpillLog>();
    this.#adopted.set(name, logs);
    const whenEnded = (log: SpillLog): void => {
      logs.delete(log);
      if (logs.size === 0) void removeOwnerFolder(this.#disk, folder).catch(() => undefined);
    };
    const orphans = found.logs.map(({ identity, ...foundLog }) => {
      const log = SpillLog.found(this.#settingsOf(identity, whenEnded), foundLog);
      logs.add(log);
      this.#logs.add(log);
      const { firstSeq, lastSeq, missing } = foundLog;
      return { log, identity, firstSeq, lastSeq, missing };
    });
    if (orphans.length === 0) await removeOwnerFolder(this.#disk, folder);
    return orphans;
  }

  #settingsOf(identity: StreamIdentity, whenEnded: (log: SpillLog) => void): SpillLogSettings {
    return {
      identity,
      disk: this.#disk,
      clock: this.#clock,
      problems: this.#problems,
      keepingFolder: () => this.#folderFor("fenced"),
      onEnded: (log) => {
        this.#logs.delete(log);
        whenEnded(log);
      },
    };
  }

  /** A folder for people, beside those of the owners. */
  async #folderFor(name: "quarantine" | "fenced"): Promise<string> {
    const path = join(this.#options.folder, name);
    await this.#disk.makeFolder(path);
    return path;
  }

  #sayAdoptFailed(path: string, error: unknown): void {
    this.#problems.say(
      "SPILL_ADOPT_FAILED",
      `what a dead process spilled to ${path} cannot be read (${String(error)}): it is kept, and tried again later`,
    );
  }

  async #close(): Promise<void> {
    await this.#adoptions.run(() => Promise.resolve());
    await Promise.all([...this.#logs].map((log) => log.close()));
    const owned = this.#owned;
    if (owned === undefined) return;
    for (const name of this.#adopted.keys())
      await removeOwnerFolder(this.#disk, join(owned.path, name)).catch(() => undefined);
    await owned.release();
    await this.#disk.removeFolder(owned.path).catch(() => undefined);
  }
}

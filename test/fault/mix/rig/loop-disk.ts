/**
 * A file system of the test's own, in a file: it can lose its power, fill up, stand still and be mounted again, and nobody
 * else notices. Takes root.
 *
 * What was not synced when the power goes is gone, exactly: the image lies in memory and is written by the mounted file
 * system alone.
 */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { run, works } from "./shell.js";

export type FileSystem = "ext4" | "xfs";

const PREFIX = "tailkeep-disk-";
const UNMOUNT_ATTEMPTS_MAX = 200;
const UNMOUNT_PAUSE_MS = 25;
/** Where an image lies: in memory if there is such a place, as syncs of a second file system on a disk are slow. */
const IMAGE_FOLDER = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

export class LoopDisk {
  /** Where it is mounted. */
  readonly path: string;
  readonly fileSystem: FileSystem;
  readonly #folder: string;
  #isFrozen = false;

  private constructor(folder: string, fileSystem: FileSystem) {
    this.#folder = folder;
    this.path = join(folder, "disk");
    this.fileSystem = fileSystem;
  }

  static async make(fileSystem: FileSystem, megabytes: number): Promise<LoopDisk> {
    await unmountLeftovers();
    const folder = await mkdtemp(join(IMAGE_FOLDER, `${PREFIX}${process.pid}-`));
    const disk = new LoopDisk(folder, fileSystem);
    await mkdir(disk.path);
    await writeFile(disk.#image, "");
    await truncate(disk.#image, megabytes * 2 ** 20);
    await run(`mkfs.${fileSystem}`, "-q", disk.#image);
    await disk.#mount();
    return disk;
  }

  get #image(): string {
    return join(this.#folder, "image");
  }
  get #ballast(): string {
    return join(this.path, "ballast");
  }

  /** The power is gone: from now on every access fails, and what was not synced will not be there again. */
  async losePower(): Promise<void> {
    await run("xfs_io", "-x", "-c", "shutdown", this.path);
  }

  /** Whoever had files open must be dead. */
  async remount(): Promise<void> {
    await this.#unmount();
    await this.#mount();
    // That it was removed may be what the disk has lost.
    await this.empty();
  }

  /** Leaves about so many bytes. */
  async fill(leaveBytes: number): Promise<void> {
    const free = Number((await run("df", "--output=avail", "-B1", this.path)).split("\n")[1]);
    const bytes = Math.max(4_096, free - leaveBytes);
    // A file system keeps something back for itself: less is asked for until it fits.
    for (let share = 1; share > 0.5; share -= 0.02) {
      if (await works("fallocate", "-l", String(Math.floor(bytes * share)), this.#ballast)) return;
    }
    throw new Error(`${this.path} could not be filled`);
  }

  async empty(): Promise<void> {
    await rm(this.#ballast, { force: true });
  }

  /** Writers wait until it is thawed, and cannot even be killed. */
  async freeze(): Promise<void> {
    await run("fsfreeze", "--freeze", this.path);
    this.#isFrozen = true;
  }

  async thaw(): Promise<void> {
    if (!this.#isFrozen) return;
    this.#isFrozen = false;
    await run("fsfreeze", "--unfreeze", this.path);
  }

  async remove(): Promise<void> {
    await this.thaw();
    await this.#unmount();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #mount(): Promise<void> {
    await run("mount", "-o", "loop", this.#image, this.path);
  }

  async #unmount(): Promise<void> {
    // Never lazily: the same image must not be mounted twice.
    for (let attempt = 0; attempt < UNMOUNT_ATTEMPTS_MAX; attempt++) {
      if (await works("umount", this.path)) return;
      await sleep(UNMOUNT_PAUSE_MS);
    }
    throw new Error(`${this.path} is still in use`);
  }
}

/** Disks of test runs that were killed. */
async function unmountLeftovers(): Promise<void> {
  for (const name of await readdir(IMAGE_FOLDER)) {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue;
    const folder = join(IMAGE_FOLDER, name);
    await works("fsfreeze", "--unfreeze", join(folder, "disk"));
    await works("umount", "-l", join(folder, "disk"));
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}

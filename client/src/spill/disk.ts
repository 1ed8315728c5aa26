/** What spilling needs of the file system, so that a test may stand between the two. */

import fs from "node:fs";
import { dirname } from "node:path";

/** Files are plain descriptors: a FileHandle that is forgotten warns and closes at a time of the collector's choosing. */
export interface Disk {
  open(path: string, flags: string): Promise<number>;
  openSync(path: string, flags: string): number;
  close(fd: number): Promise<void>;
  closeSync(fd: number): void;
  /** Reads at most `length` bytes into `buffer` at `offset`; 0 at the end of the file. */
  read(fd: number, buffer: Buffer, offset: number, length: number, position: number): Promise<number>;
  /** Writes at most everything; returns how many bytes it did. */
  write(fd: number, buffers: readonly Buffer[], position: number): Promise<number>;
  writeSync(fd: number, buffers: readonly Buffer[], position: number): number;
  syncFile(fd: number): Promise<void>;
  syncFileSync(fd: number): void;
  /** Makes the names in a folder durable. Does nothing where the platform or the file system has no such thing. */
  syncFolder(path: string): Promise<void>;
  syncFolderSync(path: string): void;
  unlink(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  link(from: string, to: string): Promise<void>;
  /** Makes a folder and its parents; one that is there is as good. */
  makeFolder(path: string): Promise<void>;
  /** Removes a folder, which must be empty. */
  removeFolder(path: string): Promise<void>;
  list(path: string): Promise<fs.Dirent[]>;
  /** Bytes of a regular file; undefined for anything else. */
  fileBytes(path: string): Promise<number | undefined>;
  /** Bytes that this process may still write on the disk that holds `path`. */
  freeBytes(path: string): Promise<number>;
  freeBytesSync(path: string): number;
}

type Done<T> = (error: NodeJS.ErrnoException | null, value: T) => void;

function calling<T>(call: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => call((error, value) => (error === null ? resolve(value) : reject(error))));
}

/** Spilled records are the owner's business. */
const FILE_MODE = 0o600;

const free = ({ bavail, bsize }: fs.StatsFs): number => bavail * bsize;

export const nodeDisk: Disk = Object.freeze<Disk>({
  open: (path, flags) => calling<number>((done) => fs.open(path, flags, FILE_MODE, done)),
  openSync: (path, flags) => fs.openSync(path, flags, FILE_MODE),
  close: (fd) => calling<void>((done) => fs.close(fd, (error) => done(error ?? null))),
  closeSync: (fd) => fs.closeSync(fd),
  read: (fd, buffer, offset, length, position) =>
    calling<number>((done) => fs.read(fd, buffer, offset, length, position, done)),
  write: (fd, buffers, position) => calling<number>((done) => fs.writev(fd, buffers, position, done)),
  writeSync: (fd, buffers, position) => fs.writevSync(fd, buffers, position),
  syncFile: (fd) => calling<void>((done) => fs.fdatasync(fd, (error) => done(error ?? null))),
  syncFileSync: (fd) => fs.fdatasyncSync(fd),
  async syncFolder(path) {
    if (process.platform === "win32") return;
    const fd = await this.open(path, "r");
    try {
      await calling<void>((done) => fs.fsync(fd, (error) => done(error ?? null)));
    } catch (error) {
      if (!isUnsupported(error)) throw error;
    } finally {
      await this.close(fd);
    }
  },
  syncFolderSync(path) {
    if (process.platform === "win32") return;
    const fd = this.openSync(path, "r");
    try {
      fs.fsyncSync(fd);
    } catch (error) {
      if (!isUnsupported(error)) throw error;
    } finally {
      this.closeSync(fd);
    }
  },
  unlink: (path) => fs.promises.unlink(path),
  rename: (from, to) => fs.promises.rename(from, to),
  link: (from, to) => fs.promises.link(from, to),
  async makeFolder(path) {
    await fs.promises.mkdir(path, { recursive: true, mode: 0o700 });
  },
  removeFolder: (path) => fs.promises.rmdir(path),
  list: (path) => fs.promises.readdir(path, { withFileTypes: true }),
  async fileBytes(path) {
    const stats = await fs.promises.lstat(path);
    return stats.isFile() ? stats.size : undefined;
  },
  freeBytes: async (path) => free(await fs.promises.statfs(path)),
  freeBytesSync: (path) => free(fs.statfsSync(path)),
});

/** Writes all of `buffers`, however few bytes the system takes at a time, while `goesOn`. */
export async function writeAll(
  disk: Disk,
  fd: number,
  buffers: readonly Buffer[],
  position: number,
  goesOn: () => boolean,
): Promise<void> {
  let rest = buffers;
  for (let at = position; rest.length > 0 && goesOn(); ) {
    const written = await disk.write(fd, rest, at);
    rest = restAfter(rest, written);
    at += written;
  }
}

export function writeAllNow(disk: Disk, fd: number, buffers: readonly Buffer[], position: number): void {
  let rest = buffers;
  for (let at = position; rest.length > 0; ) {
    const written = disk.writeSync(fd, rest, at);
    rest = restAfter(rest, written);
    at += written;
  }
}

function restAfter(buffers: readonly Buffer[], written: number): readonly Buffer[] {
  // A system that takes nothing and says nothing would be asked for ever.
  if (written <= 0) throw Object.assign(new Error("the system wrote no byte"), { code: "EIO" });
  let skipped = written;
  for (let index = 0; index < buffers.length; index++) {
    const buffer = buffers[index] as Buffer;
    if (skipped < buffer.length) return [buffer.subarray(skipped), ...buffers.slice(index + 1)];
    skipped -= buffer.length;
  }
  return [];
}

export function errorCode(error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code ?? "UNKNOWN";
}

/** No room: of the disk, of a quota, or for larger files. */
export function isDiskFull(error: unknown): boolean {
  return ["ENOSPC", "EDQUOT", "EFBIG"].includes(errorCode(error));
}

/** The process or the machine has no more descriptors or memory at the moment. */
export function isOutOfResources(error: unknown): boolean {
  return ["EMFILE", "ENFILE", "ENOMEM", "EAGAIN"].includes(errorCode(error));
}

/** Some file systems cannot sync a folder, and need not. */
function isUnsupported(error: unknown): boolean {
  return ["EINVAL", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(errorCode(error));
}

/** `folder` and its parents up to `top`, innermost first. */
export function foldersUpTo(folder: string, top: string): string[] {
  const folders = [folder];
  for (let at = folder; at !== top && dirname(at) !== at; ) {
    at = dirname(at);
    folders.push(at);
  }
  return folders;
}

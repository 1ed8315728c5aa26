/**
 * A machine's disk: what was written survives the death of a process; what was synced survives the loss of power. Names
 * become durable in the order in which they were made and removed, as a journaling file system does it. A sync that failed
 * has thrown away what it should have written, and the next one says nothing about that.
 */
import type { Dirent } from "node:fs";
import type { Disk } from "../../client/dist/spill/disk.js";
import type { Owners, OwnFolder } from "../../client/dist/spill/owner.js";
import type { SimulatedProcess } from "./process.js";
import type { Random } from "./random.js";
import type { World } from "./world.js";

class File {
  content: Buffer = Buffer.alloc(0);
  durable: Buffer = Buffer.alloc(0);
  dirty: { from: number; to: number }[] = [];

  write(bytes: Buffer, position: number): void {
    this.content = written(this.content, bytes, position);
    this.dirty.push({ from: position, to: position + bytes.length });
  }

  sync(): void {
    for (const { from, to } of this.dirty.splice(0)) {
      this.durable = written(this.durable, this.content.subarray(from, to), from);
    }
  }

  syncFails(): void {
    this.dirty = [];
  }

  losePower(random: Random): void {
    // Some of what was not synced may have been written all the same.
    for (const { from, to } of this.dirty.splice(0)) {
      if (random.chance(0.6)) continue;
      const end = random.chance(0.5) ? to : random.int(from, to);
      this.durable = written(this.durable, this.content.subarray(from, end), from);
    }
    this.content = Buffer.from(this.durable);
  }
}

function written(into: Buffer, bytes: Buffer, position: number): Buffer {
  const longer = Buffer.alloc(Math.max(into.length, position + bytes.length));
  into.copy(longer);
  bytes.copy(longer, position);
  return longer;
}

type Node = File | "folder";
type NameChange =
  | { readonly is: "made"; readonly path: string; readonly node: Node }
  | { readonly is: "removed"; readonly path: string }
  | { readonly is: "renamed"; readonly from: string; readonly to: string };

export type DiskTrouble = "write" | "sync" | "open";

function failure(code: string): Error {
  return Object.assign(new Error(`${code}: by the simulation`), { code });
}

export class SimulatedDisk {
  readonly #world: World;
  readonly #random: Random;
  #tree = new Map<string, Node>([["/", "folder"]]);
  /** Since names were last synced. */
  #changes: NameChange[] = [];
  #durableTree = new Map(this.#tree);
  readonly #descriptors = new Map<number, File>();
  readonly #owners = new Map<string, SimulatedProcess | undefined>();
  #nextDescriptor = 10;
  freeBytes = Number.MAX_SAFE_INTEGER;
  isFull = false;
  /** Calls that fail next. */
  readonly troubles: DiskTrouble[] = [];

  constructor(world: World) {
    this.#world = world;
    this.#random = world.random("disk");
  }

  /** The disk as one process uses it: its calls end with it. */
  of(process: SimulatedProcess): Disk {
    const later = <Result>(what: string, work: () => Result): Promise<Result> =>
      new Promise((resolve, reject) => {
        // The disk does it, whether or not the process lives to hear of it.
        this.#world.after(this.#world.latencyMs(0.02, 4), `disk: ${what}`, () => {
          try {
            const result = work();
            process.after(0.01, "disk answers", () => resolve(result));
          } catch (error) {
            process.after(0.01, "disk fails", () => reject(error as Error));
          }
        });
      });
    return {
      open: (path, flags) => later("open", () => this.#open(path, flags)),
      openSync: (path, flags) => this.#open(path, flags),
      close: (fd) => later("close", () => void this.#descriptors.delete(fd)),
      closeSync: (fd) => void this.#descriptors.delete(fd),
      read: (fd, buffer, offset, length, position) =>
        later("read", () => this.#file(fd).content.copy(buffer, offset, position, position + length)),
      write: (fd, buffers, position) => later("write", () => this.#write(fd, buffers, position)),
      writeSync: (fd, buffers, position) => this.#write(fd, buffers, position),
      syncFile: (fd) => later("sync", () => this.#sync(fd)),
      syncFileSync: (fd) => this.#sync(fd),
      syncFolder: () => later("sync folder", () => this.#syncNames()),
      syncFolderSync: () => this.#syncNames(),
      unlink: (path) => later("unlink", () => this.#remove(path)),
      rename: (from, to) => later("rename", () => this.#rename(from, to)),
      link: () => Promise.reject(failure("EPERM")),
      makeFolder: (path) => later("mkdir", () => this.#makeFolder(path)),
      removeFolder: (path) =>
        later("rmdir", () => {
          if (this.#names(path).length > 0) throw failure("ENOTEMPTY");
          this.#remove(path);
        }),
      list: (path) =>
        later("list", () => {
          if (this.#tree.get(path) !== "folder") throw failure("ENOENT");
          return this.#names(path).map((name) => {
            const isFolder = this.#tree.get(`${path}/${name}`) === "folder";
            return { name, isDirectory: () => isFolder, isFile: () => !isFolder } as Dirent;
          });
        }),
      fileBytes: (path) =>
        later("stat", () => {
          const node = this.#tree.get(path);
          if (node === undefined) throw failure("ENOENT");
          return node === "folder" ? undefined : node.content.length;
        }),
      freeBytes: () => later("statfs", () => this.freeBytes),
      freeBytesSync: () => this.freeBytes,
    };
  }

  /** The processes that own folders on it, as one of them sees the others. */
  ownersFor(process: SimulatedProcess): Owners {
    return {
      make: (base): OwnFolder => {
        this.#makeFolder(base);
        const id = process.random.hex(16);
        const path = `${base}/${id}`;
        this.#makeFolder(path);
        this.#owners.set(id, process);
        const release = (): Promise<void> => {
          this.#owners.set(id, undefined);
          return Promise.resolve();
        };
        return { id, path, newFolders: [base, "/"], release };
      },
      livenessOf: (_folder, id) => Promise.resolve({ is: this.#owners.get(id)?.isAlive === true ? "alive" : "dead" }),
    };
  }

  /** Every process on the machine must have been killed before. */
  losePower(): void {
    const kept = this.#random.int(0, this.#changes.length);
    const tree = this.#durableTree;
    for (const change of this.#changes.slice(0, kept)) replay(tree, change);
    this.#tree = tree;
    this.#durableTree = new Map(tree);
    this.#changes = [];
    this.#descriptors.clear();
    for (const node of this.#tree.values()) if (node !== "folder") node.losePower(this.#random);
  }

  #change(change: NameChange): void {
    replay(this.#tree, change);
    this.#changes.push(change);
  }

  #syncNames(): void {
    this.#fail("sync");
    for (const change of this.#changes) replay(this.#durableTree, change);
    this.#changes = [];
  }

  #open(path: string, flags: string): number {
    const node = this.#tree.get(path);
    if (flags === "wx") {
      this.#fail("open");
      if (this.isFull) throw failure("ENOSPC");
      if (node !== undefined) throw failure("EEXIST");
      this.#change({ is: "made", path, node: new File() });
    } else if (node === undefined) throw failure("ENOENT");
    const fd = this.#nextDescriptor++;
    const file = this.#tree.get(path);
    if (file === undefined || file === "folder") throw failure("EISDIR");
    this.#descriptors.set(fd, file);
    return fd;
  }

  #file(fd: number): File {
    const file = this.#descriptors.get(fd);
    if (file === undefined) throw failure("EBADF");
    return file;
  }

  #write(fd: number, buffers: readonly Buffer[], position: number): number {
    const file = this.#file(fd);
    this.#fail("write");
    if (this.isFull) throw failure("ENOSPC");
    // As a signal may have it: less than all.
    const taken = this.#random.chance(0.1) && buffers.length > 1 ? buffers.slice(0, -1) : buffers;
    const bytes = Buffer.concat(taken);
    file.write(bytes, position);
    return bytes.length;
  }

  #sync(fd: number): void {
    const file = this.#file(fd);
    try {
      this.#fail("sync");
    } catch (error) {
      file.syncFails();
      throw error;
    }
    file.sync();
  }

  #fail(call: DiskTrouble): void {
    const at = this.troubles.indexOf(call);
    if (at < 0) return;
    this.troubles.splice(at, 1);
    throw failure("EIO");
  }

  #remove(path: string): void {
    if (!this.#tree.has(path)) throw failure("ENOENT");
    this.#change({ is: "removed", path });
  }

  #rename(from: string, to: string): void {
    if (!this.#tree.has(from)) throw failure("ENOENT");
    this.#change({ is: "renamed", from, to });
  }

  #makeFolder(path: string): void {
    if (!this.#tree.has(path)) this.#change({ is: "made", path, node: "folder" });
  }

  #names(path: string): string[] {
    const prefix = `${path}/`;
    return [...this.#tree.keys()]
      .filter((each) => each.startsWith(prefix) && !each.includes("/", prefix.length))
      .map((each) => each.slice(prefix.length));
  }
}

function replay(tree: Map<string, Node>, change: NameChange): void {
  if (change.is === "made") tree.set(change.path, change.node);
  else if (change.is === "removed") tree.delete(change.path);
  else {
    const before = [...tree];
    for (const [path, node] of before) {
      if (path !== change.from && !path.startsWith(`${change.from}/`)) continue;
      tree.delete(path);
      tree.set(change.to + path.slice(change.from.length), node);
    }
  }
}

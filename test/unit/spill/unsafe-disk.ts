// A disk that forgets what was not synced when the power goes, and whose calls can be made to fail.
import fs from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { type Disk, nodeDisk } from "../../../client/src/spill/disk.js";

/** A call that fails if `fails` says so. The path is of the file or folder concerned. */
export type Call = "open" | "write" | "syncFile" | "syncFolder";

export class UnsafeDisk {
  readonly disk: Disk;
  /** Asked before each call; an error code to fail it with. */
  fails: (call: Call, path: string) => string | undefined = () => undefined;
  /** Called between the steps of asynchronous calls. */
  delay: () => Promise<void> = () => Promise.resolve();
  /** In order, with the name of the file or folder. */
  readonly calls: string[] = [];
  /** Writes and syncs of files that had failed before. */
  readonly touchedAgain: string[] = [];
  readonly #failed = new Set<string>();
  readonly #paths = new Map<number, string>();
  /** Contents that a sync has made durable. */
  readonly #durable = new Map<string, Buffer>();
  /** Files whose name a sync has made durable. */
  readonly #named = new Set<string>();

  constructor() {
    this.disk = {
      ...nodeDisk,
      open: async (path, flags) => {
        if (flags === "wx") this.#note("open", path);
        const fd = await nodeDisk.open(path, flags);
        this.#paths.set(fd, path);
        return fd;
      },
      openSync: (path, flags) => {
        if (flags === "wx") this.#note("open", path);
        const fd = nodeDisk.openSync(path, flags);
        this.#paths.set(fd, path);
        return fd;
      },
      write: async (fd, buffers, position) => {
        await this.#noteAndDelay("write", this.#pathOf(fd));
        // As a signal or a full disk may have it: less than all.
        return nodeDisk.write(
          fd,
          buffers.length > 1 && this.calls.length % 3 === 0 ? buffers.slice(0, 1) : buffers,
          position,
        );
      },
      writeSync: (fd, buffers, position) => {
        this.#note("write", this.#pathOf(fd));
        return nodeDisk.writeSync(fd, buffers, position);
      },
      syncFile: async (fd) => {
        const path = this.#pathOf(fd);
        const contents = fs.readFileSync(`/proc/self/fd/${fd}`);
        await this.#noteAndDelay("syncFile", path);
        // One that was begun later may have ended before.
        if (contents.length > (this.#durable.get(path)?.length ?? -1)) this.#durable.set(path, contents);
      },
      syncFileSync: (fd) => {
        const path = this.#pathOf(fd);
        this.#note("syncFile", path);
        this.#durable.set(path, fs.readFileSync(`/proc/self/fd/${fd}`));
      },
      syncFolder: async (path) => {
        const names = fs.readdirSync(path);
        await this.#noteAndDelay("syncFolder", path);
        for (const name of names) this.#named.add(join(path, name));
      },
      syncFolderSync: (path) => {
        this.#note("syncFolder", path);
        for (const name of fs.readdirSync(path)) this.#named.add(join(path, name));
      },
      unlink: async (path) => {
        await this.delay();
        await nodeDisk.unlink(path);
      },
    };
  }

  /** What of `base` is there after the power was gone, copied to `target`, which is empty. */
  powerLoss(base: string, target: string): void {
    for (const [path, contents] of this.#durable) {
      const isNamed = [path, dirname(path)].every((each) => this.#named.has(each));
      // An unlink may be durable at once.
      if (!isNamed || !fs.existsSync(path)) continue;
      const copy = join(target, relative(base, path));
      fs.mkdirSync(dirname(copy), { recursive: true });
      fs.writeFileSync(copy, contents);
    }
  }

  #pathOf(fd: number): string {
    return this.#paths.get(fd) as string;
  }

  #note(call: Call, path: string): void {
    this.#tell(this.#begin(call, path), path);
  }

  /** An error is decided at the beginning, and told at the end. */
  async #noteAndDelay(call: Call, path: string): Promise<void> {
    const error = this.#begin(call, path);
    await this.delay();
    this.#tell(error, path);
  }

  #begin(call: Call, path: string): Error | undefined {
    this.calls.push(`${call} ${basename(path)}`);
    if (this.#failed.has(path) && (call === "write" || call === "syncFile")) this.touchedAgain.push(`${call} ${path}`);
    const code = this.fails(call, path);
    return code === undefined ? undefined : Object.assign(new Error(`${code}: by the test, ${call}`), { code });
  }

  #tell(error: Error | undefined, path: string): void {
    if (error === undefined) return;
    this.#failed.add(path);
    throw error;
  }
}

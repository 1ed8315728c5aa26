/** A file of a log, as readers and the deletion of files see it. */

import type { Disk } from "./disk.js";
import type { Salt } from "./segment-format.js";

/** Frames that follow each other in a file and in their numbers. The last one of a file that is written grows. */
export interface Extent {
  readonly segment: Segment;
  firstSeq: number;
  lastSeq: number;
  /** From where to where in the file. */
  start: number;
  end: number;
}

export class Segment {
  readonly path: string;
  readonly salt: Salt;
  protected readonly disk: Disk;
  /** In the order they were written or found. */
  extents: Extent[] = [];
  /** What it takes on disk. */
  bytes: number;
  /** Removed from its log: the file is, or is about to be, gone. */
  isRemoved = false;
  /** A damaged file is moved here instead of being deleted. */
  keepAs: string | undefined;

  constructor(disk: Disk, path: string, salt: Salt, bytes: number) {
    this.disk = disk;
    this.path = path;
    this.salt = salt;
    this.bytes = bytes;
  }

  /** Lowest and highest number that can be read from it; none: Infinity and 0. */
  get firstSeq(): number {
    return this.extents.reduce((least, { firstSeq }) => Math.min(least, firstSeq), Number.POSITIVE_INFINITY);
  }
  get lastSeq(): number {
    return this.extents.reduce((most, { lastSeq }) => Math.max(most, lastSeq), 0);
  }

  /** Whether it is of no more use when everything up to `doneSeq` is, and everything up to `safeSeq` is safe elsewhere. */
  isSpent(doneSeq: number, _safeSeq: number): boolean {
    return this.lastSeq <= doneSeq;
  }

  /** Deletes the file, or moves it to where a person finds it. */
  async remove(): Promise<void> {
    if (this.keepAs === undefined) await this.disk.unlink(this.path);
    else await this.disk.rename(this.path, this.keepAs);
  }

  /** Moves the file away from its log, for good. */
  async keep(path: string): Promise<void> {
    this.isRemoved = true;
    await this.disk.rename(this.path, path);
  }
}

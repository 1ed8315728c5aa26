/** The files of one log, in the order they were begun. Numbers may be in two of them: the later one was written with care. */

import type { Extent, Segment } from "./segment.js";

export class SegmentList {
  #segments: Segment[] = [];
  #bytesBeingRemoved = 0;
  #removals = Promise.resolve();

  get all(): readonly Segment[] {
    return this.#segments;
  }
  /** On disk, or given to a file. */
  get bytes(): number {
    return this.#segments.reduce((sum, { bytes }) => sum + bytes, this.#bytesBeingRemoved);
  }
  /** Lowest number in any of them; Infinity if there is none. */
  get firstSeq(): number {
    return this.#segments.reduce((least, { firstSeq }) => Math.min(least, firstSeq), Number.POSITIVE_INFINITY);
  }

  add(segment: Segment): void {
    this.#segments.push(segment);
  }

  /** Where `seq` can be read. */
  covering(seq: number): Extent | undefined {
    for (let index = this.#segments.length - 1; index >= 0; index--) {
      const found = this.#segments[index]?.extents.find(({ firstSeq, lastSeq }) => firstSeq <= seq && seq <= lastSeq);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Lowest number above `seq` that can be read; Infinity if there is none. */
  nextAbove(seq: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { extents } of this.#segments) {
      for (const { firstSeq } of extents) if (firstSeq > seq && firstSeq < next) next = firstSeq;
    }
    return next;
  }

  /** The numbers firstSeq to lastSeq of `extent` turned out to be unreadable; what follows them begins at `resumeAt`. */
  lose(extent: Extent, firstSeq: number, lastSeq: number, resumeAt: number): void {
    const { segment } = extent;
    const rest = lastSeq < extent.lastSeq ? { ...extent, firstSeq: lastSeq + 1, start: resumeAt } : undefined;
    const pieces = rest === undefined ? [] : [rest];
    if (firstSeq > extent.firstSeq) pieces.unshift({ ...extent, lastSeq: firstSeq - 1 });
    // The last extent of a file that is being written must stay the last, and the same object.
    const grows = pieces.at(-1);
    if (rest !== undefined && grows !== undefined) {
      Object.assign(extent, grows);
      pieces[pieces.length - 1] = extent;
    }
    segment.extents = segment.extents.flatMap((each) => (each === extent ? pieces : [each]));
  }

  /** Removes the files that are of no more use. */
  collect(doneSeq: number, safeSeq: number): void {
    if (!this.#segments.some((segment) => segment.isSpent(doneSeq, safeSeq))) return;
    const spent = this.#segments.filter((segment) => segment.isSpent(doneSeq, safeSeq));
    for (const segment of spent) this.discard(segment);
  }

  discard(segment: Segment): void {
    this.#segments = this.#segments.filter((each) => each !== segment);
    this.#bytesBeingRemoved += segment.bytes;
    segment.isRemoved = true;
    // One after the other, oldest first: what a death in the middle leaves is the end of the log, without holes.
    this.#removals = this.#removals
      .then(() => segment.remove())
      // What cannot be deleted is replayed once more by a successor, which harms nothing.
      .catch(() => undefined)
      .then(() => {
        this.#bytesBeingRemoved -= segment.bytes;
      });
  }

  discardAll(): void {
    for (const segment of this.#segments) this.discard(segment);
  }

  /** Moves all files away from the log, to `pathOf` each. */
  async keepAll(pathOf: (segment: Segment) => string): Promise<void> {
    const kept = this.#segments;
    this.#segments = [];
    for (const segment of kept) await segment.keep(pathOf(segment));
  }

  /** Resolves when every removal under way is done. */
  settled(): Promise<void> {
    return this.#removals;
  }
}

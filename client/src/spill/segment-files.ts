/** The files of one log that are open for writing: the one being filled, and full ones that are not yet synced. */

import { OpenSegment } from "./open-segment.js";
import { HEADER_BYTES, type StreamIdentity } from "./segment-format.js";
import type { SegmentList } from "./segment-list.js";
import type { SegmentPlace, SpillShared } from "./shared.js";

export class SegmentFiles {
  readonly #shared: SpillShared;
  readonly #identity: StreamIdentity;
  readonly #segments: SegmentList;
  readonly #place: SegmentPlace;
  readonly #doneSeq: () => number;
  #active: OpenSegment | undefined;
  #files: OpenSegment[] = [];

  /** `doneSeq`: everything up to there is of no more use. */
  constructor(
    shared: SpillShared,
    identity: StreamIdentity,
    segments: SegmentList,
    place: SegmentPlace,
    doneSeq: () => number,
  ) {
    this.#shared = shared;
    this.#identity = identity;
    this.#segments = segments;
    this.#place = place;
    this.#doneSeq = doneSeq;
  }

  /** The file being filled, if `bytes` fit. */
  withRoom(bytes: number): OpenSegment | undefined {
    return this.#active !== undefined && this.#active.room >= bytes ? this.#active : undefined;
  }

  /** What `bytes` of frames, none of them in a file yet, will take on disk. */
  bytesOf(bytes: number): number {
    const isFirst = (this.withRoom(bytes)?.bytes ?? 0) === 0;
    return bytes > 0 && isFirst ? bytes + HEADER_BYTES : bytes;
  }

  /** Begins the next file, unless it is not wanted any more when it is open. */
  async open(firstSeq: number, isWanted: () => boolean): Promise<void> {
    const { disk, writes } = this.#shared;
    const path = this.#place.newPath(firstSeq);
    await writes.run(async () => {
      const fd = await disk.open(path, "wx");
      if (isWanted()) {
        this.#begin(path, fd);
      } else {
        await disk.close(fd);
        await disk.unlink(path);
      }
    });
  }

  openNow(firstSeq: number): OpenSegment {
    const path = this.#place.newPath(firstSeq);
    return this.#begin(path, this.#shared.disk.openSync(path, "wx"));
  }

  #begin(path: string, fd: number): OpenSegment {
    this.retire();
    const segment = new OpenSegment(this.#shared.disk, path, fd, this.#identity, this.#doneSeq());
    this.#active = segment;
    this.#files.push(segment);
    this.#segments.add(segment);
    return segment;
  }

  /** Whatever comes next goes to a new file. */
  retire(): void {
    this.#active?.retire();
    this.#active = undefined;
  }

  /** Syncs what was confirmed before, names included. False if there was nothing to sync. */
  async sync(): Promise<boolean> {
    const unsynced = this.#files.filter(({ isUnsynced }) => isUnsynced);
    // It may have been deleted while the one before it was synced.
    for (const file of unsynced) if (file.isUnsynced) await file.sync();
    if (unsynced.some(({ isNamed }) => !isNamed)) await this.#place.sync();
    this.#areSynced(unsynced);
    return unsynced.length > 0;
  }

  syncNow(): boolean {
    const unsynced = this.#files.filter(({ isUnsynced }) => isUnsynced);
    for (const file of unsynced) file.syncNow();
    if (unsynced.some(({ isNamed }) => !isNamed)) this.#place.syncNow();
    this.#areSynced(unsynced);
    return unsynced.length > 0;
  }

  #areSynced(files: readonly OpenSegment[]): void {
    for (const file of files) {
      file.isNamed = true;
      file.closeIfDone();
    }
    this.#files = this.#files.filter((file) => file === this.#active || file.isUnsynced);
  }

  /** Seals all of them; `syncedSeq` is durable in them or elsewhere. Those not worth keeping may be deleted at once. */
  sealAll(syncedSeq: number, areWorthKeeping: boolean): void {
    for (const file of this.#files) {
      file.seal(syncedSeq);
      if (!areWorthKeeping) this.#segments.discard(file);
    }
    this.#files = [];
    this.#active = undefined;
  }
}

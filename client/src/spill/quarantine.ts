/** Damaged files are kept for a person: nobody else can tell a broken disk from a bug. */

import { basename, join } from "node:path";
import { type Disk, errorCode } from "./disk.js";
import type { Segment } from "./segment.js";

/** Makes damaged files findable in `folder`, which exists. `owner` makes their names unique. */
export async function quarantine(
  disk: Disk,
  folder: string,
  owner: string,
  damaged: readonly Segment[],
  unreadable: readonly string[],
): Promise<void> {
  const pathOf = (path: string): string => join(folder, `${owner}-${basename(path)}`);
  for (const segment of damaged) {
    const target = pathOf(segment.path);
    try {
      // A second name: the first is what a successor replays from, should this process die before it has.
      await disk.link(segment.path, target);
    } catch (error) {
      if (errorCode(error) !== "EEXIST") segment.keepAs = target;
    }
  }
  // What cannot be moved stays, and is found again by the next one who takes the folder over.
  for (const path of unreadable) await disk.rename(path, pathOf(path)).catch(() => undefined);
}

/** The logs in a folder that a dead process left. */

import { join } from "node:path";
import type { Clock } from "../clock.js";
import { SEQ_MAX } from "../limits.js";
import { type Disk, errorCode, isOutOfResources } from "./disk.js";
import type { NumberRange } from "./number-ranges.js";
import { type ScannedSegment, scanSegment } from "./scan-segment.js";
import type { Extent, Segment } from "./segment.js";
import type { StreamIdentity } from "./segment-format.js";
import { SegmentList } from "./segment-list.js";
import type { FoundLog } from "./spill-log.js";

/** `<log>-<number of the segment>-<first seq>.seg`; the log's name is random. Names are hints, headers are the truth. */
const SEGMENT_NAME = /^([0-9a-f]{8})-(\d{6,})-(\d{16})\.seg$/;

export function segmentName(logName: string, index: number, firstSeq: number): string {
  return `${logName}-${String(index).padStart(6, "0")}-${String(firstSeq).padStart(16, "0")}.seg`;
}

export interface ScannedFolder {
  readonly logs: readonly (FoundLog & { readonly identity: StreamIdentity })[];
  /** Those with invalid bytes where there should be none. */
  readonly damaged: readonly Segment[];
  /** Files whose header is gone, or everything behind it. */
  readonly unreadable: readonly string[];
  /** Files that were begun and never written. */
  readonly empty: readonly string[];
  /** Files of another version. */
  readonly foreign: readonly string[];
}

type ValidSegment = ScannedSegment & { readonly is: "valid" };

interface Group {
  readonly identity: StreamIdentity;
  readonly segments: ValidSegment[];
  /** First numbers of its files, as their headers or else their names say. */
  readonly hints: number[];
}

export async function scanFolder(disk: Disk, clock: Clock, folder: string): Promise<ScannedFolder> {
  const names = (await disk.list(folder)).map(({ name }) => name).filter((name) => SEGMENT_NAME.test(name));
  const groups = new Map<string, Group>();
  const groupsByLog = new Map<string, Group>();
  const unreadable: string[] = [];
  const empty: string[] = [];
  const foreign: string[] = [];
  for (const name of names.sort()) {
    const path = join(folder, name);
    const scanned = await scanFile(disk, clock, path);
    if (scanned === undefined) continue;
    if (scanned.is !== "valid") {
      ({ unreadable, empty, "of-another-version": foreign })[scanned.is].push(path);
      continue;
    }
    const { identity } = scanned.header;
    const key = JSON.stringify([identity.sessionId, identity.streamId, identity.writerId]);
    const group = groups.get(key) ?? { identity, segments: [], hints: [] };
    group.segments.push(scanned);
    // Its first frames may be among those that are damaged.
    group.hints.push(scanned.header.firstSeq);
    groups.set(key, group);
    groupsByLog.set(logOf(name), group);
  }
  for (const path of [...unreadable, ...empty]) {
    const name = path.slice(folder.length + 1);
    groupsByLog.get(logOf(name))?.hints.push(firstSeqOf(name));
  }
  const damaged: Segment[] = [];
  const logs: (FoundLog & { readonly identity: StreamIdentity })[] = [];
  for (const group of groups.values()) {
    const log = logOfGroup(group);
    const bad = damagedOf(group, log);
    if (log !== undefined) {
      logs.push(log);
      damaged.push(...bad);
    } else {
      // No number is to be had of it.
      const paths = group.segments.map(({ segment }) => segment.path);
      const badPaths = bad.map(({ path }) => path);
      unreadable.push(...badPaths);
      empty.push(...paths.filter((path) => !badPaths.includes(path)));
    }
  }
  return { logs, damaged, unreadable, empty, foreign };
}

/** A file that the disk refuses to open is unreadable; a process that has too many open tries again later. */
async function scanFile(disk: Disk, clock: Clock, path: string): Promise<ScannedSegment | undefined> {
  try {
    return await scanSegment(disk, clock, path);
  } catch (error) {
    if (isOutOfResources(error)) throw error;
    return errorCode(error) === "ENOENT" ? undefined : { is: "unreadable" };
  }
}

const logOf = (name: string): string => SEGMENT_NAME.exec(name)?.[1] ?? "";
const firstSeqOf = (name: string): number => Number(SEGMENT_NAME.exec(name)?.[3] ?? SEQ_MAX);

/** Undefined if no number in it is of use. */
function logOfGroup({ identity, segments, hints }: Group): (FoundLog & { identity: StreamIdentity }) | undefined {
  const list = new SegmentList();
  for (const { segment } of segments) list.add(segment);
  const doneSeq = Math.max(...segments.map(({ header }) => header.doneSeq));
  const extents = segments.flatMap(({ segment }) => segment.extents).sort((a, b) => a.firstSeq - b.firstSeq);
  const useful = extents.filter(({ lastSeq }) => lastSeq > doneSeq);
  const [first] = useful;
  if (first === undefined) return undefined;
  const lastSeq = Math.max(...useful.map((extent) => extent.lastSeq));
  // Where the beginning of a file cannot be read, its header or its name says what was there, if others follow it.
  const hinted = hints.filter((seq) => seq > doneSeq && seq < lastSeq);
  // Where something is left of before, nothing after it was deleted for being of no more use.
  const resumed = useful.length < extents.length ? [doneSeq + 1] : [];
  const firstSeq = Math.min(first.firstSeq, ...hinted, ...resumed);
  const gaps = segments.flatMap((each) => each.gaps);
  return { identity, segments: list, firstSeq, lastSeq, gaps, missing: holesIn(useful, firstSeq) };
}

/** `extents` in order of their first numbers. */
function holesIn(extents: readonly Extent[], firstSeq: number): NumberRange[] {
  const holes: NumberRange[] = [];
  let next = firstSeq;
  for (const extent of extents) {
    if (extent.firstSeq > next) holes.push({ firstSeq: next, lastSeq: extent.firstSeq - 1 });
    next = Math.max(next, extent.lastSeq + 1);
  }
  return holes;
}

/** Torn tails are what a kill leaves; they are damage only where numbers are missing behind them. */
function damagedOf({ segments }: Group, log: FoundLog | undefined): Segment[] {
  return segments
    .filter(({ segment, isDamaged, tail }) => {
      const endsInHole = log?.missing.some(({ firstSeq }) => firstSeq === segment.lastSeq + 1);
      return isDamaged || tail === "damaged" || (tail === "torn" && endsInHole);
    })
    .map(({ segment }) => segment);
}

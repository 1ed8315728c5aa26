/** How the records of a group are laid out in levels of entries and nodes, by their ordinals 0, 1, 2, ... */
import { ROLLUP_ENTRY_RECORDS, ROLLUP_FAN_OUT, ROLLUP_LEVELS_MAX, ROLLUP_NODE_ENTRIES } from "../limits.js";

/** Records of an entry of a level, which counts from 1. */
export function entryRecords(level: number): number {
  return ROLLUP_ENTRY_RECORDS * ROLLUP_FAN_OUT ** (level - 1);
}

export function nodeRecords(level: number): number {
  return entryRecords(level) * ROLLUP_NODE_ENTRIES;
}

/** Entries `from` up to, and without, `to` of a level. */
export interface Span {
  readonly level: number;
  readonly from: number;
  to: number;
}

/**
 * Entries that together are the first `records` records, each of them once, of as high levels as are stored: above
 * level 1 only whole nodes are.
 */
export function cover(records: number): Span[] {
  const spans: Span[] = [];
  let covered = 0;
  for (let level = ROLLUP_LEVELS_MAX; level >= 1; level--) {
    const whole = Math.floor(records / nodeRecords(level)) * nodeRecords(level);
    const upTo = level === 1 ? records : whole;
    if (upTo > covered) {
      spans.push({ level, from: covered / entryRecords(level), to: Math.ceil(upTo / entryRecords(level)) });
      covered = upTo;
    }
  }
  return spans;
}

/**
 * A node: up to 64 consecutive entries of one level, stored as one row. An entry is what some consecutive records of a
 * group (one stream, type and game) come to: 16 of them at level 1, 16 times as many at each level above.
 *
 * Columns one after the other, so that a reader looks at the two series that it was asked for and at nothing else:
 *
 *   u8 version, u8 entries, u16 series, u32 bytes of names | names, each u16 length and UTF-8, padded to 8 |
 *   entries x (first seq | last seq | records | least time | greatest time) | series x entries x (min | max | sum | count)
 *
 * All numbers of the columns are doubles, little-endian as every supported processor has them.
 */
import { endianness } from "node:os";
import { ROLLUP_NODE_ENTRIES } from "../limits.js";

const VERSION = 1;
const HEAD_BYTES = 8;
const BASE_COLUMNS = 5;
const SERIES_COLUMNS = 4;

if (endianness() !== "LE") throw new Error("rollups are little-endian; run Tailkeep on a little-endian processor");

/** What an array takes besides its numbers, and a series besides its arrays: measured in heaps of thousands of nodes. */
const ARRAY_BYTES = 208;
const SERIES_BYTES = 256;

/** One series of a node, a number for each entry; where `count` is 0 the others mean nothing. */
export class SeriesStats {
  min: Float64Array;
  max: Float64Array;
  sum: Float64Array;
  count: Float64Array;

  constructor(capacity: number) {
    this.min = new Float64Array(capacity).fill(Number.POSITIVE_INFINITY);
    this.max = new Float64Array(capacity).fill(Number.NEGATIVE_INFINITY);
    this.sum = new Float64Array(capacity);
    this.count = new Float64Array(capacity);
  }

  grow(capacity: number): void {
    const { min, max, sum, count } = new SeriesStats(capacity);
    min.set(this.min);
    max.set(this.max);
    sum.set(this.sum);
    count.set(this.count);
    Object.assign(this, { min, max, sum, count });
  }

  add(at: number, value: number): void {
    if (value < (this.min[at] as number)) this.min[at] = value;
    if (value > (this.max[at] as number)) this.max[at] = value;
    (this.sum[at] as number) += value;
    (this.count[at] as number) += 1;
  }

  /** Adds entry `from` of another. */
  merge(at: number, other: SeriesStats, from: number): void {
    const count = other.count[from] as number;
    if (count === 0) return;
    this.min[at] = Math.min(this.min[at] as number, other.min[from] as number);
    this.max[at] = Math.max(this.max[at] as number, other.max[from] as number);
    (this.sum[at] as number) += other.sum[from] as number;
    (this.count[at] as number) += count;
  }
}

/** Least and greatest x of an entry, and how many of its records have one, are asked of either kind. */
export class Node {
  entries = 0;
  firstSeq: Float64Array;
  lastSeq: Float64Array;
  /** An entry of 0 records stands for some that are not known any more. */
  records: Float64Array;
  timeMin: Float64Array;
  timeMax: Float64Array;
  readonly series = new Map<string, SeriesStats>();
  #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.firstSeq = new Float64Array(capacity);
    this.lastSeq = new Float64Array(capacity);
    this.records = new Float64Array(capacity);
    this.timeMin = new Float64Array(capacity).fill(Number.POSITIVE_INFINITY);
    this.timeMax = new Float64Array(capacity).fill(Number.NEGATIVE_INFINITY);
  }

  /** Bytes in memory, about. */
  get bytes(): number {
    const arrays = BASE_COLUMNS + SERIES_COLUMNS * this.series.size;
    return 512 + arrays * (ARRAY_BYTES + this.#capacity * 8) + this.series.size * SERIES_BYTES;
  }

  /** Makes room for entry `at`, and the entry. Most streams have few records: memory grows with them. */
  reach(at: number): void {
    if (at >= this.#capacity) this.#grow(Math.min(ROLLUP_NODE_ENTRIES, this.#capacity * 4));
    if (at >= this.entries) this.entries = at + 1;
  }

  stats(name: string): SeriesStats {
    let stats = this.series.get(name);
    if (stats === undefined) {
      stats = new SeriesStats(this.#capacity);
      this.series.set(name, stats);
    }
    return stats;
  }

  addRecord(at: number, seq: number, timeUs: number): void {
    if (this.records[at] === 0) this.firstSeq[at] = seq;
    this.lastSeq[at] = seq;
    (this.records[at] as number) += 1;
    if (timeUs < (this.timeMin[at] as number)) this.timeMin[at] = timeUs;
    if (timeUs > (this.timeMax[at] as number)) this.timeMax[at] = timeUs;
  }

  /** Adds entry `from` of a lower node, which comes after those added before. */
  mergeEntry(at: number, other: Node, from: number): void {
    this.reach(at);
    if (other.records[from] === 0) return;
    if (this.records[at] === 0) this.firstSeq[at] = other.firstSeq[from] as number;
    this.lastSeq[at] = other.lastSeq[from] as number;
    (this.records[at] as number) += other.records[from] as number;
    this.timeMin[at] = Math.min(this.timeMin[at] as number, other.timeMin[from] as number);
    this.timeMax[at] = Math.max(this.timeMax[at] as number, other.timeMax[from] as number);
    for (const [name, stats] of other.series) {
      if (stats.count[from] !== 0) this.stats(name).merge(at, stats, from);
    }
  }

  #grow(capacity: number): void {
    const bigger = new Node(capacity);
    for (const column of ["firstSeq", "lastSeq", "records", "timeMin", "timeMax"] as const) {
      bigger[column].set(this[column]);
      this[column] = bigger[column];
    }
    for (const stats of this.series.values()) stats.grow(capacity);
    this.#capacity = capacity;
  }
}

function padded(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

export function encodeNode(node: Node): Buffer {
  const count = node.entries;
  const used = [...node.series].filter(([, stats]) => stats.count.subarray(0, count).some((each) => each > 0));
  const names = used.map(([name]) => Buffer.from(name));
  const nameBytes = padded(names.reduce((sum, name) => sum + 2 + name.length, 0));
  const body = Buffer.alloc(HEAD_BYTES + nameBytes + count * 8 * (BASE_COLUMNS + SERIES_COLUMNS * used.length));
  body.writeUInt8(VERSION, 0);
  body.writeUInt8(count, 1);
  body.writeUInt16LE(used.length, 2);
  body.writeUInt32LE(nameBytes, 4);
  let at = HEAD_BYTES;
  for (const name of names) {
    at = body.writeUInt16LE(name.length, at);
    at += name.copy(body, at);
  }
  at = HEAD_BYTES + nameBytes;
  const write = (column: Float64Array) => {
    body.set(new Uint8Array(column.buffer, column.byteOffset, count * 8), at);
    at += count * 8;
  };
  for (const column of [node.firstSeq, node.lastSeq, node.records, node.timeMin, node.timeMax]) write(column);
  for (const [, { min, max, sum, count: counts }] of used) for (const column of [min, max, sum, counts]) write(column);
  return body;
}

/** @param wanted only these series; undefined: all of them */
export function decodeNode(body: Uint8Array, wanted?: ReadonlySet<string>): Node {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (bytes[0] !== VERSION) throw new Error(`a rollup of version ${bytes[0]}; run a newer Tailkeep`);
  const count = bytes[1] as number;
  const base = HEAD_BYTES + bytes.readUInt32LE(4);
  // Copies: doubles are read where their address is a multiple of 8, and what is not wanted need not stay in memory.
  const column = (index: number) => {
    const at = base + index * count * 8;
    return new Float64Array(new Uint8Array(bytes.buffer, bytes.byteOffset + at, count * 8).slice().buffer);
  };
  const node = new Node(0);
  node.entries = count;
  node.firstSeq = column(0);
  node.lastSeq = column(1);
  node.records = column(2);
  node.timeMin = column(3);
  node.timeMax = column(4);
  let at = HEAD_BYTES;
  const all = bytes.readUInt16LE(2);
  for (let series = 0; series < all; series++) {
    const length = bytes.readUInt16LE(at);
    const name = bytes.utf8Slice(at + 2, at + 2 + length);
    at += 2 + length;
    if (wanted !== undefined && !wanted.has(name)) continue;
    const first = BASE_COLUMNS + series * SERIES_COLUMNS;
    const stats = new SeriesStats(0);
    stats.min = column(first);
    stats.max = column(first + 1);
    stats.sum = column(first + 2);
    stats.count = column(first + 3);
    node.series.set(name, stats);
  }
  return node;
}

/** A decoded node that more is added to. */
export function openNode(body: Uint8Array): Node {
  const closed = decodeNode(body);
  const node = new Node(Math.max(4, closed.entries));
  for (let at = 0; at < closed.entries; at++) node.mergeEntry(at, closed, at);
  return node;
}

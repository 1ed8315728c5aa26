/**
 * Finds the entries of a group that answer a question: from the highest level down, and to the records themselves.
 *
 * An entry goes into the answer as it is where all of it lies in the range and it is no wider than one of the equal parts.
 * Else what it is made of is looked at, within a budget: those at the edges of the range first. What stays is true as far
 * as it goes: its ends are told with it.
 */
import {
  ROLLUP_FAN_OUT,
  ROLLUP_NODE_ENTRIES,
  SERIES_NODES_PER_READ,
  SERIES_NODES_READ_MAX,
  SERIES_RANGES_READ_MAX,
  SERIES_ROWS_READ_MAX,
} from "../limits.js";
import type { Reads, SeriesRow } from "../store/reads/reads.js";
import type { Buckets, Piece } from "./buckets.js";
import { numberAt, type SeriesName } from "./columns.js";
import { cover, nodeRecords } from "./levels.js";
import { decodeNode, type Node } from "./node.js";
import type { SeriesQuestion, XAxis } from "./question.js";
import type { SeriesRows } from "./rows.js";

/** What is left of what one question may read. */
export class ReadBudget {
  nodes = SERIES_NODES_READ_MAX;
  rows = SERIES_ROWS_READ_MAX;
  ranges = SERIES_RANGES_READ_MAX;
}

/** A group as it stands in the store. */
export interface GroupAt {
  readonly key: bigint;
  /** Number of the game in the stream. */
  readonly game: number;
  readonly records: number;
  /** Its last node of level 1 where that is not full: it may have more records than `records`, and those count. */
  readonly lastNode: Node | undefined;
  isOfGroup(gameId: string): boolean;
}

/** Entries of one level that are looked at in the place of one of the level above. */
interface Wanted {
  readonly from: number;
  readonly to: number;
  /** Undefined where there is no entry above. */
  readonly instead: Found | undefined;
}

interface Found {
  readonly piece: Piece;
  /** Every record with a value has an x, or none has. */
  readonly isCertain: boolean;
}

/** An entry that has to be looked into. */
interface Candidate extends Found {
  readonly entry: number;
  /** It reaches beyond the range: without looking into it the answer would be wrong there, and not only coarse. */
  readonly isEdge: boolean;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly records: number;
}

export function seriesColumnsOf(question: SeriesQuestion): string[] {
  return typeof question.x === "string" ? [question.y.column] : [question.y.column, question.x.column];
}

function valueIn({ key }: SeriesName, value: unknown): number | null {
  if (key === undefined) return typeof value === "number" ? value : null;
  return typeof value === "string" ? numberAt(value, key) : null;
}

/** A record's x and y; undefined where it lacks one. */
export function pointOf(question: SeriesQuestion, row: SeriesRow): { x: number; y: number } | undefined {
  const y = valueIn(question.y, row.values[0]);
  if (y === null) return undefined;
  const { x: axis } = question;
  if (axis === "time") return { x: row.timeUs, y };
  if (axis === "seq") return { x: row.seq, y };
  const x = valueIn(axis, row.values[1]);
  return x === null ? undefined : { x, y };
}

function xOf(node: Node, axis: XAxis, at: number): { first: number; last: number; count: number } {
  const records = node.records[at] as number;
  if (axis === "time") return { first: node.timeMin[at] as number, last: node.timeMax[at] as number, count: records };
  if (axis === "seq") return { first: node.firstSeq[at] as number, last: node.lastSeq[at] as number, count: records };
  const stats = node.series.get(axis.name);
  if (stats === undefined) return { first: 0, last: 0, count: 0 };
  return { first: stats.min[at] as number, last: stats.max[at] as number, count: stats.count[at] as number };
}

export class Walk {
  readonly #reads: Reads;
  readonly #rows: SeriesRows;
  readonly #question: SeriesQuestion;
  readonly #buckets: Buckets;
  readonly #budget: ReadBudget;
  readonly #names: ReadonlySet<string>;
  /** Whether all that was found is exact. */
  complete = true;

  constructor(reads: Reads, rows: SeriesRows, question: SeriesQuestion, buckets: Buckets, budget: ReadBudget) {
    this.#reads = reads;
    this.#rows = rows;
    this.#question = question;
    this.#buckets = buckets;
    this.#budget = budget;
    this.#names = seriesOf(question);
  }

  async group(group: GroupAt): Promise<void> {
    const spans = cover(group.records);
    const open = spans.at(-1);
    // What the last node has got since is in it, and is not read with the newest records.
    if (open !== undefined && group.lastNode !== undefined) {
      open.to = lastNodeNumber(group) * ROLLUP_NODE_ENTRIES + group.lastNode.entries;
    }
    let wanted: Wanted[] = [];
    for (let level = spans[0]?.level ?? 0; level >= 1; level--) {
      for (const span of spans) if (span.level === level) wanted.push({ ...span, instead: undefined });
      const candidates = this.#look(wanted, await this.#nodes(group, level, wanted));
      if (level === 1) await this.#records(group, candidates);
      else wanted = this.#below(candidates);
    }
  }

  /** Takes what can be taken as it is; returns the rest. */
  #look(wanted: readonly Wanted[], nodes: ReadonlyMap<number, Node>): Candidate[] {
    const candidates: Candidate[] = [];
    const { from, to } = this.#buckets.range;
    for (const each of wanted) {
      const isMissing = !nodes.has(Math.floor(each.from / ROLLUP_NODE_ENTRIES));
      if (isMissing && each.instead !== undefined) {
        this.#take(each.instead);
        continue;
      }
      for (let entry = each.from; entry < each.to; entry++) {
        const node = nodes.get(Math.floor(entry / ROLLUP_NODE_ENTRIES));
        const at = entry % ROLLUP_NODE_ENTRIES;
        if (node === undefined || at >= node.entries) continue;
        const found = this.#entry(node, at);
        if (found === undefined) continue;
        const { xFirst, xLast } = found.piece;
        if (found.isCertain && this.#buckets.isFine(xFirst, xLast)) this.#take(found);
        else {
          candidates.push({
            ...found,
            entry,
            isEdge: xFirst < from || xLast > to || !found.isCertain,
            firstSeq: node.firstSeq[at] as number,
            lastSeq: node.lastSeq[at] as number,
            records: node.records[at] as number,
          });
        }
      }
    }
    return candidates;
  }

  #entry(node: Node, at: number): Found | undefined {
    const y = node.series.get(this.#question.y.name);
    const count = y?.count[at] ?? 0;
    if (y === undefined || count === 0) return undefined;
    const x = xOf(node, this.#question.x, at);
    if (x.count === 0 || this.#buckets.isOutside(x.first, x.last)) return undefined;
    const piece = {
      xFirst: x.first,
      xLast: x.last,
      min: y.min[at] as number,
      max: y.max[at] as number,
      sum: y.sum[at] as number,
      count,
    };
    return { piece, isCertain: x.count === node.records[at] };
  }

  #take({ piece, isCertain }: Found): void {
    this.#buckets.add(piece);
    if (!isCertain) this.complete = false;
  }

  /** What the candidates are made of, as far as the budget goes; the others are taken as they are. */
  #below(candidates: Candidate[]): Wanted[] {
    const chosen: Candidate[] = [];
    const nodes = new Set<number>();
    for (const candidate of edgesFirst(candidates)) {
      const node = Math.floor((candidate.entry * ROLLUP_FAN_OUT) / ROLLUP_NODE_ENTRIES);
      if (!nodes.has(node) && nodes.size >= this.#budget.nodes) this.#take(candidate);
      else {
        nodes.add(node);
        chosen.push(candidate);
      }
    }
    this.#budget.nodes -= nodes.size;
    return chosen
      .sort((a, b) => a.entry - b.entry)
      .map((candidate) => ({
        from: candidate.entry * ROLLUP_FAN_OUT,
        to: (candidate.entry + 1) * ROLLUP_FAN_OUT,
        instead: candidate,
      }));
  }

  /** Nodes of a level that have wanted entries, which stand in their order. */
  async #nodes(group: GroupAt, level: number, wanted: readonly Wanted[]): Promise<Map<number, Node>> {
    const nodes = new Map<number, Node>();
    const numbers = new Set<number>();
    for (const { from, to } of wanted) {
      const last = Math.floor((to - 1) / ROLLUP_NODE_ENTRIES);
      for (let node = Math.floor(from / ROLLUP_NODE_ENTRIES); node <= last; node++) numbers.add(node);
    }
    if (level === 1 && group.lastNode !== undefined) {
      // As it was read before: since then it may have got records that are read one by one.
      const last = lastNodeNumber(group);
      numbers.delete(last);
      nodes.set(last, group.lastNode);
    }
    const place = { table: this.#question.table.index, game: group.game, level };
    for (const [from, to] of runs([...numbers])) {
      for (const { node, body } of await this.#reads.nodeRange(group.key, place, from, to)) {
        nodes.set(node, decodeNode(body, this.#names));
      }
    }
    return nodes;
  }

  /** Looks at the records of candidates of level 1. */
  async #records(group: GroupAt, candidates: readonly Candidate[]): Promise<void> {
    const chosen: Candidate[] = [];
    for (const candidate of edgesFirst(candidates)) {
      if (candidate.records > this.#budget.rows) this.#take(candidate);
      else {
        this.#budget.rows -= candidate.records;
        chosen.push(candidate);
      }
    }
    chosen.sort((a, b) => a.entry - b.entry);
    for (let first = 0; first < chosen.length; ) {
      let next = first + 1;
      while (chosen[next]?.entry === (chosen[next - 1] as Candidate).entry + 1) next++;
      const together = chosen.slice(first, next);
      first = next;
      if (this.#budget.ranges === 0) for (const candidate of together) this.#take(candidate);
      else {
        this.#budget.ranges--;
        await this.#range(group, together);
      }
    }
  }

  async #range(group: GroupAt, candidates: readonly Candidate[]): Promise<void> {
    const upTo = (candidates.at(-1) as Candidate).lastSeq;
    let at = 0;
    let own: SeriesRow[] = [];
    const finish = (candidate: Candidate) => {
      // Where some have expired the entry is all that is left of them.
      if (own.length !== candidate.records) this.#take(candidate);
      else {
        for (const row of own) {
          const point = pointOf(this.#question, row);
          if (point !== undefined) this.#buckets.add(recordPiece(point));
        }
      }
      own = [];
    };
    const range = { key: group.key, gameId: undefined, fromSeq: (candidates[0] as Candidate).firstSeq, toSeq: upTo };
    for await (const rows of this.#rows.read(range, { rows: Number.POSITIVE_INFINITY })) {
      for (const row of rows) {
        if (!group.isOfGroup(row.gameId)) continue;
        while (row.seq > (candidates[at] as Candidate).lastSeq) finish(candidates[at++] as Candidate);
        own.push(row);
      }
    }
    for (; at < candidates.length; at++) finish(candidates[at] as Candidate);
  }
}

export function seriesOf({ x, y }: SeriesQuestion): ReadonlySet<string> {
  return new Set(typeof x === "string" ? [y.name] : [y.name, x.name]);
}

export function recordPiece({ x, y }: { x: number; y: number }): Piece {
  return { xFirst: x, xLast: x, min: y, max: y, sum: y, count: 1 };
}

function lastNodeNumber({ records }: GroupAt): number {
  return Math.floor(records / nodeRecords(1));
}

function edgesFirst(candidates: readonly Candidate[]): Candidate[] {
  return [...candidates].sort((a, b) => Number(b.isEdge) - Number(a.isEdge) || a.entry - b.entry);
}

/** Rising numbers as ranges of neighbours, none longer than what is read at once. */
function runs(numbers: readonly number[]): [number, number][] {
  const found: [number, number][] = [];
  for (const number of numbers) {
    const last = found.at(-1);
    if (last !== undefined && number === last[1] + 1 && number - last[0] < SERIES_NODES_PER_READ) last[1] = number;
    else found.push([number, number]);
  }
  return found;
}

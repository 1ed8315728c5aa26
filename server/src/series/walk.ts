/**
 * Finds the entries of a group that answer a question: from the highest level down, and to the records themselves.
 *
 * An entry goes into the answer as it is where all of it lies in the range and it is no wider than one of the equal parts.
 * Else what it is made of is looked at, within a budget: those at the edges of the range first. What stays is true as far
 * as it goes: its ends are told with it.
 */
import { ROLLUP_FAN_OUT, ROLLUP_NODE_ENTRIES, SERIES_NODES_PER_READ } from "../limits.js";
import type { Reads } from "../store/reads/reads.js";
import type { Buckets } from "./buckets.js";
import type { Candidate, Found, GroupAt, ReadBudget } from "./candidates.js";
import { foundAt } from "./entries.js";
import { cover, nodeRecords } from "./levels.js";
import { decodeNode, type Node } from "./node.js";
import { OneByOne } from "./one-by-one.js";
import { type SeriesQuestion, seriesOf } from "./question.js";
import type { SeriesRows } from "./rows.js";

/** Entries of one level that are looked at in the place of one of the level above. */
interface Wanted {
  readonly from: number;
  readonly to: number;
  /** Undefined where there is no entry above. */
  readonly instead: Found | undefined;
}

export class Walk {
  readonly #reads: Reads;
  readonly #oneByOne: OneByOne;
  readonly #question: SeriesQuestion;
  readonly #buckets: Buckets;
  readonly #budget: ReadBudget;
  readonly #names: ReadonlySet<string>;
  /** Whether all that was found is exact. */
  complete = true;

  constructor(reads: Reads, rows: SeriesRows, question: SeriesQuestion, buckets: Buckets, budget: ReadBudget) {
    this.#reads = reads;
    this.#question = question;
    this.#buckets = buckets;
    this.#budget = budget;
    this.#names = seriesOf(question);
    this.#oneByOne = new OneByOne(rows, question, budget, {
      add: (piece) => buckets.add(piece),
      take: (found) => this.#take(found),
    });
  }

  /** @param groups of one stream */
  async stream(groups: readonly GroupAt[]): Promise<void> {
    const candidates: Candidate[] = [];
    for (const group of groups) for (const candidate of await this.#descend(group)) candidates.push(candidate);
    await this.#oneByOne.read(candidates);
  }

  /** Takes what can be taken of nodes; returns entries of level 1 whose records have to be looked at. */
  async #descend(group: GroupAt): Promise<Candidate[]> {
    const spans = cover(group.records);
    const open = spans.at(-1);
    // What the last node has got since is in it, and is not read with the newest records.
    if (open !== undefined && group.lastNode !== undefined) {
      open.to = lastNodeNumber(group) * ROLLUP_NODE_ENTRIES + group.lastNode.entries;
    }
    let wanted: Wanted[] = [];
    for (let level = spans[0]?.level ?? 0; level >= 1; level--) {
      for (const span of spans) if (span.level === level) wanted.push({ ...span, instead: undefined });
      const candidates = this.#look(group, wanted, await this.#nodes(group, level, wanted));
      if (level === 1) return candidates;
      wanted = this.#below(candidates);
    }
    return [];
  }

  /** Takes what can be taken as it is; returns the rest. */
  #look(group: GroupAt, wanted: readonly Wanted[], nodes: ReadonlyMap<number, Node>): Candidate[] {
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
        const found = foundAt(node, at, this.#question);
        if (found === undefined) continue;
        const { xFirst, xLast } = found.piece;
        if (this.#buckets.isOutside(xFirst, xLast)) continue;
        if (found.isCertain && this.#buckets.isFine(xFirst, xLast)) this.#take(found);
        else {
          candidates.push({
            ...found,
            group,
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

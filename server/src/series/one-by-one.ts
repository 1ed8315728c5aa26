/**
 * Looks at the records of entries one by one, as far as the budget goes: those at the edges of the range first. What is not
 * looked at goes into the answer as it is.
 *
 * Games of a stream mostly take turns. Where all are asked for, their entries of one stretch are read together; where one is
 * asked for, the database passes over the others, which is cheaper than to send them, and not for nothing.
 */
import { SERIES_ROWS_PASSED_OVER_PER_ROW, SERIES_ROWS_PER_GAP } from "../limits.js";
import type { SeriesRow } from "../store/reads/reads.js";
import type { Piece } from "./buckets.js";
import type { Candidate, Found, GroupAt, ReadBudget } from "./candidates.js";
import { pointOf, recordPiece } from "./points.js";
import type { SeriesQuestion } from "./question.js";
import type { SeriesRows } from "./rows.js";

/** Where the pieces of an answer go. */
export interface Taker {
  add(piece: Piece): void;
  /** An entry as it is. */
  take(found: Found): void;
}

export class OneByOne {
  readonly #rows: SeriesRows;
  readonly #question: SeriesQuestion;
  readonly #budget: ReadBudget;
  readonly #taker: Taker;

  constructor(rows: SeriesRows, question: SeriesQuestion, budget: ReadBudget, taker: Taker) {
    this.#rows = rows;
    this.#question = question;
    this.#budget = budget;
    this.#taker = taker;
  }

  /** @param candidates entries of level 1, of groups of one stream */
  async read(candidates: readonly Candidate[]): Promise<void> {
    const inOrder = [...candidates].sort((a, b) => a.firstSeq - b.firstSeq);
    for (const range of this.#ranges(this.#choose(inOrder))) {
      if (this.#budget.ranges === 0 || this.#budget.rows <= 0) for (const each of range) this.#taker.take(each);
      else {
        this.#budget.ranges--;
        await this.#range(range);
      }
    }
  }

  /** Those that the budget is expected to be enough for. What is read in fact is charged as it is read. */
  #choose(inOrder: readonly Candidate[]): Candidate[] {
    const chosen = new Set<Candidate>();
    let left = this.#budget.rows;
    for (const isEdge of [true, false]) {
      let upTo = 0;
      for (const candidate of inOrder) {
        if (candidate.isEdge !== isEdge) continue;
        const rows = this.#passedOver(candidate) + this.#sent(candidate, upTo);
        if (rows > left) continue;
        left -= rows;
        upTo = Math.max(upTo, candidate.lastSeq);
        chosen.add(candidate);
      }
    }
    for (const candidate of inOrder) if (!chosen.has(candidate)) this.#taker.take(candidate);
    return inOrder.filter((candidate) => chosen.has(candidate));
  }

  /** Rows that come with a candidate, besides those up to `upTo`, which come anyway. */
  #sent({ group, firstSeq, lastSeq, records }: Candidate, upTo: number): number {
    if (group.typeShare === 0 || this.#question.gameId !== undefined) return records;
    return Math.ceil(Math.max(0, lastSeq - Math.max(upTo, firstSeq - 1)) * group.typeShare);
  }

  /** Rows of other games among those of a candidate, in rows that are sent. */
  #passedOver({ group, firstSeq, lastSeq, records }: Candidate): number {
    if (this.#question.gameId === undefined) return 0;
    const others = Math.max(0, (lastSeq - firstSeq + 1) * group.typeShare - records);
    return Math.ceil(others / SERIES_ROWS_PASSED_OVER_PER_ROW);
  }

  /** What is read together: entries that overlap, and those of a group that follow each other with little between. */
  #ranges(inOrder: readonly Candidate[]): Candidate[][] {
    const ranges: Candidate[][] = [];
    let entries = new Map<GroupAt, number>();
    let upTo = 0;
    for (const candidate of inOrder) {
      const { group, entry, firstSeq, lastSeq } = candidate;
      const follows = entries.get(group) === entry - 1 && (firstSeq - upTo) * group.typeShare <= SERIES_ROWS_PER_GAP;
      if (firstSeq <= upTo || follows) ranges.at(-1)?.push(candidate);
      else {
        ranges.push([candidate]);
        entries = new Map();
      }
      entries.set(group, entry);
      upTo = Math.max(upTo, lastSeq);
    }
    return ranges;
  }

  async #range(candidates: readonly Candidate[]): Promise<void> {
    const { key } = (candidates[0] as Candidate).group;
    const parts = new Map<GroupAt, Part>();
    let toSeq = 0;
    for (const candidate of candidates) {
      const { group, lastSeq } = candidate;
      const part = parts.get(group) ?? new Part(this.#question, this.#taker);
      parts.set(group, part);
      part.candidates.push(candidate);
      toSeq = Math.max(toSeq, lastSeq);
      this.#budget.rows -= this.#passedOver(candidate);
    }
    const { gameId } = this.#question;
    const partOf = new Map<string, Part | undefined>();
    const range = { key, gameId, fromSeq: (candidates[0] as Candidate).firstSeq, toSeq };
    for await (const rows of this.#rows.read(range, this.#budget)) {
      for (const row of rows) {
        const { gameId: game } = row;
        if (!partOf.has(game)) partOf.set(game, [...parts].find(([group]) => group.isOfGroup(game))?.[1]);
        partOf.get(game)?.add(row);
      }
    }
    for (const part of parts.values()) part.end();
  }
}

/** Entries of one group in their order, and the records of the one that is come to. */
class Part {
  readonly candidates: Candidate[] = [];
  readonly #question: SeriesQuestion;
  readonly #taker: Taker;
  #at = 0;
  #records = 0;
  #pieces: Piece[] = [];

  constructor(question: SeriesQuestion, taker: Taker) {
    this.#question = question;
    this.#taker = taker;
  }

  add(row: SeriesRow): void {
    while (row.seq > (this.candidates[this.#at]?.lastSeq ?? Number.POSITIVE_INFINITY)) this.#finish();
    const candidate = this.candidates[this.#at];
    if (candidate === undefined || row.seq < candidate.firstSeq) return;
    this.#records++;
    const point = pointOf(this.#question, row);
    if (point !== undefined) this.#pieces.push(recordPiece(point));
  }

  end(): void {
    while (this.#at < this.candidates.length) this.#finish();
  }

  #finish(): void {
    const candidate = this.candidates[this.#at++] as Candidate;
    // Where some have expired, or were not read, the entry is all there is of them.
    if (this.#records !== candidate.records) this.#taker.take(candidate);
    else for (const piece of this.#pieces) this.#taker.add(piece);
    this.#records = 0;
    this.#pieces = [];
  }
}

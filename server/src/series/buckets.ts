/** Merges entries and records into the buckets of an answer: one for each part of the range, and those that are wider. */
import type { GetSeriesResponse } from "@tailkeep/proto";

/** Some records: between which x they lie, and what their values come to. */
export interface Piece {
  readonly xFirst: number;
  readonly xLast: number;
  readonly min: number;
  readonly max: number;
  readonly sum: number;
  readonly count: number;
}

export interface Range {
  readonly from: number;
  readonly to: number;
}

export function merged(a: Piece | undefined, b: Piece): Piece {
  if (a === undefined) return b;
  return {
    xFirst: Math.min(a.xFirst, b.xFirst),
    xLast: Math.max(a.xLast, b.xLast),
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
    sum: a.sum + b.sum,
    count: a.count + b.count,
  };
}

export class Buckets {
  readonly range: Range;
  readonly #points: number;
  readonly #parts: (Piece | undefined)[];
  #wide: Piece[] = [];
  /** Of one of the equal parts. */
  readonly width: number;

  constructor(range: Range, points: number) {
    this.range = range;
    this.#points = points;
    // Not the difference divided: the ends may be so far apart that it is no number any more.
    this.width = range.to / points - range.from / points;
    this.#parts = new Array<Piece | undefined>(points);
  }

  /** Whether records between these ends fall into a bucket without making it wider than two parts. */
  isFine(xFirst: number, xLast: number): boolean {
    const { from, to } = this.range;
    return xFirst >= from && xLast <= to && xLast - xFirst <= this.width;
  }

  isOutside(xFirst: number, xLast: number): boolean {
    return xLast < this.range.from || xFirst > this.range.to;
  }

  add(piece: Piece): void {
    if (piece.count === 0 || this.isOutside(piece.xFirst, piece.xLast)) return;
    if (!this.isFine(piece.xFirst, piece.xLast)) {
      this.#wide.push(piece);
      // They are as many as the rollup has entries; what is sent is a few for each point.
      if (this.#wide.length >= this.#points * 16) this.#wide = this.#fewerWide();
      return;
    }
    const part = this.width === 0 ? 0 : Math.floor((piece.xFirst - this.range.from) / this.width);
    const at = Math.min(part, this.#points - 1);
    this.#parts[at] = merged(this.#parts[at], piece);
  }

  /** Neighbours joined until there are no more than points. */
  #fewerWide(): Piece[] {
    const sorted = this.#wide.sort((a, b) => a.xFirst - b.xFirst || a.xLast - b.xLast);
    const each = Math.ceil(sorted.length / this.#points);
    const fewer: Piece[] = [];
    for (let at = 0; at < sorted.length; at += each) {
      fewer.push(sorted.slice(at + 1, at + each).reduce<Piece>(merged, sorted[at] as Piece));
    }
    return fewer;
  }

  /** In the order of x. */
  answer(): Pick<GetSeriesResponse, "xFirst" | "xLast" | "min" | "max" | "sum" | "count" | "wideBuckets"> {
    const pieces = this.#parts.filter((piece) => piece !== undefined);
    for (const piece of this.#fewerWide()) pieces.push(piece);
    pieces.sort((a, b) => a.xFirst - b.xFirst || a.xLast - b.xLast);
    const { from, to } = this.range;
    const isWide = ({ xFirst, xLast }: Piece) => xLast - xFirst > 2 * this.width || xFirst < from || xLast > to;
    return {
      xFirst: pieces.map((piece) => piece.xFirst),
      xLast: pieces.map((piece) => piece.xLast),
      min: pieces.map((piece) => piece.min),
      max: pieces.map((piece) => piece.max),
      sum: pieces.map((piece) => piece.sum),
      count: pieces.map((piece) => BigInt(piece.count)),
      wideBuckets: pieces.filter(isWide).length,
    };
  }
}

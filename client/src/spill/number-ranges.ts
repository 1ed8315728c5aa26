/** Ranges of sequence numbers, disjoint and ascending; neighbours are one range. */

export interface NumberRange {
  readonly firstSeq: number;
  readonly lastSeq: number;
}

export class NumberRanges {
  #ranges: NumberRange[] = [];

  get all(): readonly NumberRange[] {
    return this.#ranges;
  }

  /** Adds a range; at the end, where nearly all are added, without moving anything. */
  add(firstSeq: number, lastSeq: number): void {
    const last = this.#ranges.at(-1);
    if (last === undefined || firstSeq > last.lastSeq + 1) {
      this.#ranges.push({ firstSeq, lastSeq });
      return;
    }
    const from = this.#firstEndingAtOrAfter(firstSeq - 1);
    let to = from;
    let joined: NumberRange = { firstSeq, lastSeq };
    for (let next = this.#ranges[to]; next !== undefined && next.firstSeq <= lastSeq + 1; next = this.#ranges[++to]) {
      joined = {
        firstSeq: Math.min(joined.firstSeq, next.firstSeq),
        lastSeq: Math.max(joined.lastSeq, next.lastSeq),
      };
    }
    this.#ranges.splice(from, to - from, joined);
  }

  /** How many of its numbers are in firstSeq to lastSeq. */
  countIn(firstSeq: number, lastSeq: number): number {
    let count = 0;
    for (let index = this.#firstEndingAtOrAfter(firstSeq); ; index++) {
      const range = this.#ranges[index];
      if (range === undefined || range.firstSeq > lastSeq) return count;
      count += Math.min(range.lastSeq, lastSeq) - Math.max(range.firstSeq, firstSeq) + 1;
    }
  }

  /** Forgets ranges that end at or before `seq`. */
  forgetThrough(seq: number): void {
    const kept = this.#firstEndingAtOrAfter(seq + 1);
    if (kept > 0) this.#ranges = this.#ranges.slice(kept);
  }

  #firstEndingAtOrAfter(seq: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ranges[middle] as NumberRange).lastSeq >= seq) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

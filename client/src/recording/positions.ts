/**
 * Where the items in memory are stored: stream, number and event time of each, oldest first, parallel to a list that only
 * appends and evicts. By them reading back knows where memory ends and the database begins.
 */

const SLOTS_INITIAL = 64;

/** Of the items in memory. */
export interface Seam {
  /** By stream, the first number that is in memory; higher ones of that stream are in memory too, or another list's. */
  readonly firstSeqs: ReadonlyMap<string, number>;
  /** The oldest item; undefined if memory is empty. */
  readonly oldest: { readonly streamId: string; readonly seq: number; readonly timeUs: number } | undefined;
  /** Event times, oldest item first. */
  readonly timesUs: Float64Array;
  /** Whether the times ascend, so that nothing older than the oldest item's time was appended after it. */
  readonly isAscending: boolean;
}

/** A run of neighbours from one stream. */
interface Run {
  readonly streamId: string;
  count: number;
}

export class Positions {
  #seqs = new Float64Array(SLOTS_INITIAL);
  #timesUs = new Float64Array(SLOTS_INITIAL);
  #head = 0;
  #count = 0;
  #runs: Run[] = [];
  #lastTimeUs = Number.NEGATIVE_INFINITY;
  /** Highest event time of what has left memory. */
  #evictedTimeUs = Number.NEGATIVE_INFINITY;
  #isAscending = true;
  /** Highest number that left memory, of the stream written now. */
  #evictedSeq = 0;

  get count(): number {
    return this.#count;
  }
  get evictedSeq(): number {
    return this.#evictedSeq;
  }

  /** `seq` is 0 or less for an item that is not stored. */
  push(streamId: string, seq: number, timeUs: number): void {
    if (this.#count === this.#seqs.length) this.#grow();
    const at = (this.#head + this.#count) & (this.#seqs.length - 1);
    this.#seqs[at] = seq;
    this.#timesUs[at] = timeUs;
    this.#count++;
    if (timeUs < this.#lastTimeUs) this.#isAscending = false;
    else this.#lastTimeUs = timeUs;
    const run = this.#runs[this.#runs.length - 1];
    if (run?.streamId === streamId) run.count++;
    else this.#startRun(streamId);
  }

  /** That many of the oldest left memory. */
  evict(count: number): void {
    for (let left = Math.min(count, this.#count); left > 0; left--) {
      const seq = this.#seqs[this.#head] as number;
      const timeUs = this.#timesUs[this.#head] as number;
      if (this.#runs.length === 1 && seq > this.#evictedSeq) this.#evictedSeq = seq;
      if (timeUs > this.#evictedTimeUs) this.#evictedTimeUs = timeUs;
      this.#head = (this.#head + 1) & (this.#seqs.length - 1);
      this.#count--;
      const run = this.#runs[0];
      if (run !== undefined && --run.count === 0 && this.#runs.length > 1) this.#runs.shift();
    }
  }

  /** Memory was emptied; what was in it is as if evicted. */
  clear(): void {
    this.evict(this.#count);
  }

  /** A moment's view, which later changes do not touch. */
  seam(): Seam {
    const firstSeqs = new Map<string, number>();
    const timesUs = new Float64Array(this.#count);
    let oldest: Seam["oldest"];
    let index = 0;
    for (const { streamId, count } of this.#runs) {
      for (const end = index + count; index < end; index++) {
        const at = (this.#head + index) & (this.#seqs.length - 1);
        const seq = this.#seqs[at] as number;
        timesUs[index] = this.#timesUs[at] as number;
        if (seq <= 0) continue;
        if (!firstSeqs.has(streamId)) firstSeqs.set(streamId, seq);
        oldest ??= { streamId, seq, timeUs: timesUs[index] as number };
      }
    }
    return { firstSeqs, oldest, timesUs, isAscending: this.#isAscending };
  }

  #startRun(streamId: string): void {
    const last = this.#runs[this.#runs.length - 1];
    if (last?.count === 0) this.#runs.pop();
    this.#runs.push({ streamId, count: 1 });
    this.#evictedSeq = 0;
  }

  #grow(): void {
    const size = this.#seqs.length;
    const [seqs, timesUs] = [new Float64Array(size * 2), new Float64Array(size * 2)];
    for (const [from, to] of [
      [this.#seqs, seqs],
      [this.#timesUs, timesUs],
    ] as const) {
      to.set(from.subarray(this.#head), 0);
      to.set(from.subarray(0, this.#head), size - this.#head);
    }
    this.#seqs = seqs;
    this.#timesUs = timesUs;
    this.#head = 0;
  }
}

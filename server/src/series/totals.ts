/** What the values of one series of one game and stream come to. */
export interface Totals {
  count: number;
  min: number;
  max: number;
  sum: number;
  /** Of the record with the latest event time. */
  last: number;
  firstTimeUs: number;
  lastTimeUs: number;
  firstSeq: number;
  lastSeq: number;
}

export function emptyTotals(): Totals {
  return {
    count: 0,
    min: Number.POSITIVE_INFINITY,
    max: Number.NEGATIVE_INFINITY,
    sum: 0,
    last: 0,
    firstTimeUs: Number.POSITIVE_INFINITY,
    lastTimeUs: Number.NEGATIVE_INFINITY,
    firstSeq: Number.POSITIVE_INFINITY,
    lastSeq: 0,
  };
}

export function addValue(totals: Totals, value: number, timeUs: number, seq: number): void {
  totals.count++;
  if (value < totals.min) totals.min = value;
  if (value > totals.max) totals.max = value;
  totals.sum += value;
  if (timeUs < totals.firstTimeUs) totals.firstTimeUs = timeUs;
  if (timeUs >= totals.lastTimeUs) {
    totals.lastTimeUs = timeUs;
    totals.last = value;
  }
  if (seq < totals.firstSeq) totals.firstSeq = seq;
  if (seq > totals.lastSeq) totals.lastSeq = seq;
}

/** Adds those of another stream; where both have a value of the same time, the added one is the last. */
export function addTotals(totals: Totals, added: Readonly<Totals>): void {
  if (added.lastTimeUs >= totals.lastTimeUs) totals.last = added.last;
  totals.count += added.count;
  totals.min = Math.min(totals.min, added.min);
  totals.max = Math.max(totals.max, added.max);
  totals.sum += added.sum;
  totals.firstTimeUs = Math.min(totals.firstTimeUs, added.firstTimeUs);
  totals.lastTimeUs = Math.max(totals.lastTimeUs, added.lastTimeUs);
  totals.firstSeq = Math.min(totals.firstSeq, added.firstSeq);
  totals.lastSeq = Math.max(totals.lastSeq, added.lastSeq);
}

/** Numeric series as a plain list of records, and what an answer about them must hold. */
import {
  type Entry,
  type GetSeriesRequest,
  type GetSeriesResponse,
  RecordType,
  type Record as WireRecord,
} from "@tailkeep/proto";
import { expect } from "vitest";
import { recordEntry } from "../../support/records/batches.js";

export interface Point {
  readonly seq: number;
  readonly timeUs: number;
  readonly game: string;
  readonly type: RecordType;
  /** By name of the series. */
  readonly values: ReadonlyMap<string, number>;
}

export type Random = () => number;

/** mulberry32: the same numbers for the same seed. */
export function randomOf(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export interface Style {
  readonly games: readonly string[];
  /** Part of the records whose time goes back. */
  readonly back: number;
  /** Part of the values that are missing or not finite. */
  readonly missing: number;
  /** Whether every record has a metadata.step. */
  readonly steps: boolean;
}

/** A record, as it is sent and as the model has it. */
export function randomPoint(random: Random, seq: number, style: Style): { entry: Entry; point: Point } {
  const game = style.games[Math.floor(random() * style.games.length)] as string;
  const timeUs = seq * 1_000 - (random() < style.back ? Math.floor(random() * 5_000_000) : 0) + 1_700_000_000_000_000;
  const values = new Map<string, number>();
  const eventTimeUs = BigInt(timeUs);
  const maybe = (name: string, value: number): number | undefined => {
    if (random() < style.missing) return random() < 0.5 ? undefined : Number.NaN;
    values.set(name, value);
    return value;
  };
  let record: WireRecord;
  if (random() < 0.7) {
    const score = maybe("score", random() < 0.01 ? (random() - 0.5) * 1e9 : Math.round(random() * 1_000));
    record = { eventTimeUs, kind: { $case: "scoreHistory", value: { gameId: game, score, scoreType: undefined } } };
    return { entry: recordEntry(record), point: { seq, timeUs, game, type: RecordType.SCORE_HISTORY, values } };
  }
  const metadata: Record<string, unknown> = { note: "not a number", nested: { loss: 1 }, odd: "Infinity" };
  if (style.steps || random() < 0.5) metadata["step"] = seq + (style.steps ? 0 : 0.5);
  if (typeof metadata["step"] === "number") values.set("metadata.step", metadata["step"]);
  const loss = maybe("metadata.loss", random() * 3);
  metadata["loss"] = loss === undefined || Number.isFinite(loss) ? loss : String(loss);
  const win = random() < 0.3;
  values.set("win", Number(win));
  record = {
    eventTimeUs,
    kind: {
      $case: "sessionHistory",
      value: {
        gameId: game,
        status: undefined,
        durationSeconds: maybe("duration_seconds", random()),
        actionsTaken: undefined,
        score: undefined,
        win,
        metadataJson: JSON.stringify(metadata),
      },
    },
  };
  return { entry: recordEntry(record), point: { seq, timeUs, game, type: RecordType.SESSION_HISTORY, values } };
}

export function request(change: Partial<GetSeriesRequest>): GetSeriesRequest {
  return {
    sessionId: "",
    type: RecordType.SCORE_HISTORY,
    column: "score",
    gameId: "",
    x: "",
    from: undefined,
    to: undefined,
    points: 0,
    ...change,
  };
}

function xOf(point: Point, x: string): number | undefined {
  if (x === "" || x === "time") return point.timeUs;
  return x === "seq" ? point.seq : point.values.get(x);
}

/** The records that the question is about, those without a value too. */
function recordsOf(points: readonly Point[], { type, gameId }: GetSeriesRequest): Point[] {
  return points.filter((point) => point.type === type && (gameId === "" || gameId === point.game));
}

/** What the question is about, as x and y. */
function asked(points: readonly Point[], question: GetSeriesRequest): { x: number; y: number }[] {
  return recordsOf(points, question).flatMap((point) => {
    const x = xOf(point, question.x);
    const y = point.values.get(question.column);
    return x !== undefined && y !== undefined ? [{ x, y }] : [];
  });
}

function near(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(a), Math.abs(b));
}

/** Holds an answer against the records themselves. */
export function checkAnswer(points: readonly Point[], question: GetSeriesRequest, answer: GetSeriesResponse): void {
  const all = asked(points, question);
  const said = JSON.stringify(question);
  if (all.length === 0) {
    expect(answer.count, said).toEqual([]);
    return;
  }
  // The ends of buckets are those of their records, of which some may have no value.
  const ends = new Set(recordsOf(points, question).map((point) => xOf(point, question.x)));
  expect(ends, said).toContain(answer.xMin);
  expect(ends, said).toContain(answer.xMax);
  expect(answer.xMin, said).toBeLessThanOrEqual(all.reduce((least, { x }) => Math.min(least, x), Infinity));
  expect(answer.xMax, said).toBeGreaterThanOrEqual(all.reduce((most, { x }) => Math.max(most, x), -Infinity));
  const from = question.from ?? Number.NEGATIVE_INFINITY;
  const to = question.to ?? Number.POSITIVE_INFINITY;
  const wanted = all.filter(({ x }) => x >= from && x <= to);
  const buckets = answer.count.map((count, at) => ({
    first: answer.xFirst[at] as number,
    last: answer.xLast[at] as number,
    min: answer.min[at] as number,
    max: answer.max[at] as number,
    sum: answer.sum[at] as number,
    count: Number(count),
  }));
  const points_ = question.points === 0 ? 1_000 : question.points;
  expect(buckets.length, said).toBeLessThanOrEqual(2 * points_);
  const total = (list: readonly { sum: number; count: number }[]) =>
    list.reduce((sum, each) => ({ sum: sum.sum + each.sum, count: sum.count + each.count }), { sum: 0, count: 0 });
  const found = total(buckets);
  if (answer.wideBuckets === 0) {
    const right = total(wanted.map(({ y }) => ({ sum: y, count: 1 })));
    expect(found.count, said).toBe(right.count);
    expect(near(found.sum, right.sum), `${said}: ${found.sum} and not ${right.sum}`).toBe(true);
    expect(Math.min(...buckets.map(({ min }) => min)), said).toBe(Math.min(...wanted.map(({ y }) => y)));
    expect(Math.max(...buckets.map(({ max }) => max)), said).toBe(Math.max(...wanted.map(({ y }) => y)));
  } else expect(found.count, said).toBeGreaterThanOrEqual(wanted.length);
  // Every record is in a bucket that says so, and no bucket says more than its records do.
  const sorted = [...all].sort((a, b) => a.x - b.x);
  for (const bucket of buckets) {
    const inside = sorted.filter(({ x }) => x >= bucket.first && x <= bucket.last);
    const ys = inside.map(({ y }) => y);
    expect(bucket.count, said).toBeLessThanOrEqual(inside.length);
    expect(ys, said).toContain(bucket.min);
    expect(ys, said).toContain(bucket.max);
    expect(ends.has(bucket.first) && ends.has(bucket.last), said).toBe(true);
  }
  for (const { x, y } of wanted) {
    if (buckets.some(({ first, last, min, max }) => first <= x && x <= last && min <= y && y <= max)) continue;
    expect.fail(`${said}: no bucket has the record at ${x} with ${y}`);
  }
}

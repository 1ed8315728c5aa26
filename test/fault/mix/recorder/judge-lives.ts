/** Compares what recorder trainers said with what the database has. Each life numbers its records from 1, as its stream does. */
import { Report, type Violation } from "../../harness/oracle.js";
import type { PlainStore } from "../../harness/plain-store.js";
import type { RecorderLife } from "./life.js";

export interface LivesOptions {
  /** Spill was damaged: what is missing must be declared, and an end that was cut off cannot be. */
  readonly wasDamaged?: boolean;
}

interface FoundStream {
  readonly scores: readonly number[];
  readonly gapped: number;
  readonly committedSeq: number;
}

export async function judgeLives(
  store: PlainStore,
  sessionId: string,
  lives: readonly RecorderLife[],
  { wasDamaged = false }: LivesOptions = {},
): Promise<Violation[]> {
  const violations: Violation[] = [];
  const found = await findStreams(store, sessionId, violations);
  for (const life of lives) {
    const report = new Report(`${sessionId} ${life.options.run}`, violations);
    const { scores = [], gapped = 0, committedSeq = 0 } = found.get(life.options.run) ?? {};
    found.delete(life.options.run);
    if (committedSeq < life.safe && !wasDamaged) {
      report.add("I1", `${life.safe} were said to be safe, and the database knows of ${committedSeq}`);
    }
    if (gapped > 0 && !wasDamaged && life.problems.length === 0) {
      report.add("I5", `${gapped} are gaps, and nobody was told why`);
    }
    if (!life.options.endsByItself) continue;
    if (life.ledger === undefined) {
      report.add("I10", `it did not end well: ${life.problems.join("; ")} ${life.complaint}`);
      continue;
    }
    const { appended, durable, pending, rejected, dropped } = life.ledger;
    const lost = Object.values(dropped).reduce((sum, each) => sum + each, 0);
    if (appended !== life.options.count) report.add("LEDGER", `${appended} appended, ${life.options.count} were`);
    if (appended !== durable + pending + rejected + lost) report.add("LEDGER", JSON.stringify(life.ledger));
    if (pending !== 0 || rejected !== 0) report.add("I10", `${pending} are pending, ${rejected} rejected at the end`);
    if (durable !== scores.length) report.add("I5", `${durable} durable, it says, and ${scores.length} are stored`);
    if (lost !== gapped) report.add("I5", `${lost} lost, it says, and ${gapped} are gaps`);
  }
  for (const run of found.keys()) new Report(sessionId, violations).add("I5", `nobody is ${run}`);
  return violations;
}

async function findStreams(
  store: PlainStore,
  sessionId: string,
  violations: Violation[],
): Promise<Map<string, FoundStream>> {
  const found = new Map<string, FoundStream>();
  for (const { key, streamId, committedSeq, stored, rejected, gapped } of await store.streams(sessionId)) {
    const report = new Report(`${sessionId}/${streamId}`, violations);
    const rows = await store.rows(key, "performance_history");
    const gaps = await store.gaps(key);
    const gapSum = gaps.reduce((sum, { firstSeq, lastSeq }) => sum + lastSeq - firstSeq + 1, 0);
    if (rows.length !== stored || gapSum !== gapped || stored + gapped + rejected !== committedSeq) {
      report.add(
        "LEDGER",
        `${rows.length} rows, ${gapSum} in gaps; the counts say ${stored}, ${gapped}, ${committedSeq}`,
      );
    }
    if (rejected > 0) report.add("I5", `${rejected} were refused, and nothing is wrong with them`);
    let previousSeq = 0;
    for (const { seq, columns } of rows) {
      if (seq === previousSeq) report.add("I2", `${seq} is there twice`);
      if (seq < previousSeq) report.add("I4", `${seq} was inserted after ${previousSeq}`);
      if (Number(columns["score"]) !== seq) report.add("I3", `${seq} has the content of ${String(columns["score"])}`);
      if (gaps.some(({ firstSeq, lastSeq }) => seq >= firstSeq && seq <= lastSeq)) {
        report.add("I2", `${seq} is a row, and in a gap`);
      }
      previousSeq = seq;
    }
    const runs = new Set(rows.map(({ columns }) => String(columns["game_id"])));
    if (runs.size > 1) report.add("I3", `has records of ${[...runs].join(" and ")}`);
    const run = [...runs][0];
    if (run === undefined) continue;
    if (found.has(run)) report.add("I2", `${run} has another stream too`);
    found.set(run, { scores: rows.map(({ columns }) => Number(columns["score"])), gapped, committedSeq });
  }
  return found;
}
